"""``outcome``: what became of a message, in words, as JSON and as an exit code."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import option
from bridge.cli.failure import tell
from bridge.cli.output import print_block, print_json, print_table
from bridge.cli.perform import perform, settings
from bridge.cli.when import local
from bridge.language import say
from bridge.model import Outcome
from bridge.operations.control import NotRunning, ask

SLICE_S = 30.0
"""The bridge is asked to wait so long at a time: it does not notice that a command is gone."""


class Code(Enum):
    """Exit codes; beside them 1, it could not be asked, and 2, a fault of usage or settings."""

    GOOD = 0
    OPEN = 3
    BAD = 4
    UNCERTAIN = 5
    UNKNOWN = 6


CODES: Mapping[Code, str] = {
    Code.GOOD: "over, and nothing failed: `delivered`, or `accepted` by ordinary mailboxes; with "
    "`--until submitted`: the service took it, and no failure is known",
    Code.OPEN: "not known yet, or `--timeout` is over",
    Code.BAD: "`not_sent`, or `failed` for one recipient at least",
    Code.UNCERTAIN: "`uncertain`: do not submit it again, a person has to look",
    Code.UNKNOWN: "nothing was ever submitted by that name",
}


class Until(Enum):
    """What to wait for."""

    FINAL = "final"
    SUBMITTED = "submitted"


_OF_OUTCOME: Mapping[str, Code] = {
    Outcome.DELIVERED.value: Code.GOOD,
    Outcome.ACCEPTED.value: Code.GOOD,
    Outcome.OPEN.value: Code.OPEN,
    Outcome.FAILED.value: Code.BAD,
    Outcome.NOT_SENT.value: Code.BAD,
    Outcome.UNCERTAIN.value: Code.UNCERTAIN,
}
_WORST_FIRST = (Code.UNCERTAIN, Code.BAD, Code.OPEN, Code.GOOD)


def outcome(
    what: Annotated[
        str,
        typer.Argument(metavar="ID|MESSAGE-ID|CODE|REFERENCE", help="Any of the message's names."),
    ],
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is known.")] = False,
    until: Annotated[
        Until, typer.Option(help="Until receipts say all, or until the service took it.")
    ] = Until.FINAL,
    timeout: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="Wait no longer.", show_default=False),
    ] = None,
    account: option.Account = None,
    config: option.Config = None,
    as_json: option.Json = False,
) -> None:
    """Tell what became of a message; exits with 0 only if it is over and nothing failed.

    3: not known yet. 4: not sent, or not to every recipient. 5: uncertain, do not submit it again.
    6: no such message. Of several messages by one name all are listed, and the worst counts.
    """
    arguments = {"what": what, "account": account, "until": until.value}
    found = _waited(config, arguments, timeout) if wait else perform(config, "outcome", arguments)
    sends: list[dict[str, Any]] = found["sends"]
    if as_json:
        print_json(sends)
    else:
        _print(sends)
    if not sends:
        tell(say("Nothing was submitted here by the name {what}.", what=what))
    elif len(sends) > 1:
        tell(
            say(
                "{sends} messages have the name {what}; the exit code is the worst one's.",
                sends=len(sends),
                what=what,
            )
        )
    raise typer.Exit(exit_code(sends, until).value)


def exit_code(sends: Sequence[Mapping[str, Any]], until: Until) -> Code:
    """Return the exit code for all that has the name that was asked for."""
    codes = {_code(one, until) for one in sends}
    return next((code for code in _WORST_FIRST if code in codes), Code.UNKNOWN)


def _code(send: Mapping[str, Any], until: Until) -> Code:
    code = _OF_OUTCOME[send["outcome"]]
    is_taken = until is Until.SUBMITTED and send["state"] == "submitted"
    return Code.GOOD if is_taken and code is Code.OPEN else code


def _waited(path: Path | None, arguments: Mapping[str, Any], timeout_s: float | None) -> Any:
    """Ask the bridge until it is known or the time is over; without one look once, and say so."""
    end_s = None if timeout_s is None else time.monotonic() + timeout_s
    data_dir = settings(path).config.data_dir
    while True:
        left_s = SLICE_S if end_s is None else min(SLICE_S, end_s - time.monotonic())
        try:
            found = asyncio.run(ask(data_dir, "outcome", {**arguments, "wait_s": left_s}))
        except NotRunning:
            found = perform(path, "outcome", arguments)
        if found["over"] or (end_s is not None and time.monotonic() >= end_s):
            return found
        if not found["waits"]:
            tell(say("No bridge is running, so nothing will change: start it to wait."))
            return found


def _print(sends: Sequence[dict[str, Any]]) -> None:
    for send in sends:
        facts = [(name, send[name]) for name in _SHOWN if send[name]]
        print_block(send["id"], [(name, _said(name, value)) for name, value in facts])
        columns = ("address", "state", "at", "detail")
        rows = [[one[name] for name in columns] for one in send["recipients"]]
        print_table(columns, rows, "")


def _said(name: str, value: Any) -> Any:
    return local(value) if name.endswith("_at") else value


_SHOWN = (
    "outcome",
    "state",
    "reason",
    "next",
    "account",
    "subject",
    "reference",
    "message_id",
    "code",
    "created_at",
    "sent_at",
    "accepted_at",
)
