"""What slows or limits clients, as ``status`` and ``check`` tell it: the rules, and whom they meet.

Pure. Addresses of clients are told, names only of accounts: people type passwords where names go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bridge.language import say
from bridge.limits import GUESS_FORGOTTEN_S, GUESS_PAUSE_S, GUESSES_FREE, STRANGERS_PER_ADDRESS
from bridge.login.guessing import Slowed
from bridge.net.visitors import Crowd
from bridge.operations.finding import CheckFinding, ok, warning

SHOWN = 20
"""Of those whose logins wait."""


def throttle_facts(slowed: Sequence[Slowed], crowds: Mapping[str, Crowd]) -> dict[str, Any]:
    """Return what is so now.

    ``logins`` has the rules for wrong passwords, ``slowed`` whose logins wait (the first of
    ``slowed_count``), ``connections`` how full each protocol is.

    Args:
        slowed: whose logins wait, the longest first.
        crowds: how full each protocol is, by its name.
    """
    return {
        "logins": {
            "free_failures": GUESSES_FREE,
            "longest_pause_s": GUESS_PAUSE_S,
            "forgotten_after_s": GUESS_FORGOTTEN_S,
            "slowed": [_slowed(one) for one in slowed[:SHOWN]],
            "slowed_count": len(slowed),
        },
        "connections": {
            name: {**asdict(crowd), "strangers_per_address": STRANGERS_PER_ADDRESS}
            for name, crowd in crowds.items()
        },
    }


def _slowed(one: Slowed) -> dict[str, Any]:
    return {one.by: one.who, "failures": one.failures, "pause_s": one.pause_s}


def throttle_findings(status: Mapping[str, Any]) -> list[CheckFinding]:
    """Return what ``check`` says of the running bridge's ``throttles``."""
    facts = status.get("throttles")
    if not facts:
        return []
    logins = facts["logins"]
    rule = say(
        "{free_failures} wrong passwords are free, then logins wait for up to {seconds} s",
        free_failures=logins["free_failures"],
        seconds=f"{logins['longest_pause_s']:g}",
    )
    return [_logins(logins, rule), *map(_room, facts["connections"].items())]


def _logins(logins: Mapping[str, Any], rule: str) -> CheckFinding:
    count = logins["slowed_count"]
    if not count:
        return ok("failed logins", say("nobody is slowed; {rule}", rule=rule))
    first = logins["slowed"][0]
    who = first.get("peer") or first.get("account")
    return warning(
        "failed logins",
        say(
            "{count} slowed, {who} the most ({failures} failures); {rule}",
            count=count,
            who=who,
            failures=first["failures"],
            rule=rule,
        ),
        say(
            "`login_failed` in the log says who tries: a program with an old password, or a guesser"
        ),
        "slowed",
    )


def _room(named: tuple[str, Mapping[str, Any]]) -> CheckFinding:
    protocol, crowd = named
    what = f"{protocol.upper()} connections"
    says = say(
        "{now} of {most}, {strangers} of them not logged in ({each} from one address at most)",
        now=crowd["now"],
        most=crowd["most"],
        strangers=crowd["strangers"],
        each=crowd["strangers_per_address"],
    )
    if crowd["turned_away"]:
        says = say(
            "{says}; {count} turned away since the start", says=says, count=crowd["turned_away"]
        )
    if crowd["now"] >= crowd["most"]:
        mend = say(
            "look in the log who holds so many; close programs that open connections without end"
        )
        return warning(what, says, mend, "crowded")
    return ok(what, says)
