"""What ``status`` and ``check`` say of slowed logins and full rooms."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.app.throttles import SHOWN, throttle_facts, throttle_findings
from bridge.limits import GUESSES_FREE
from bridge.login.guessing import Slowed
from bridge.net.visitors import Crowd

QUIET = Crowd(3, 10, 1, 0)


def found(slowed: list[Slowed], **crowds: Crowd) -> dict[str, tuple[str, str]]:
    findings = throttle_findings({"throttles": throttle_facts(slowed, crowds)})
    return {one.check: (one.verdict, one.evidence) for one in findings}


def test_the_rules_are_told_where_they_meet_nobody() -> None:
    told = found([], imap=QUIET)
    assert told["failed logins"][0] == "ok"
    assert f"{GUESSES_FREE} wrong passwords are free" in told["failed logins"][1]
    assert told["IMAP connections"][0] == "ok"
    assert told["IMAP connections"][1].startswith("3 of 10, 1 of them not logged in (")


def test_whom_they_meet_is_a_warning() -> None:
    told = found([Slowed("peer", "192.0.2.7", 99, 4.0)], smtp=Crowd(10, 10, 10, 7))
    verdict, evidence = told["failed logins"]
    assert (verdict, "192.0.2.7 the most (99 failures)" in evidence) == ("warning", True)
    verdict, evidence = told["SMTP connections"]
    assert (verdict, "7 turned away" in evidence) == ("warning", True)


def test_many_are_counted_and_few_named() -> None:
    many = [Slowed("peer", f"192.0.2.{number}", 9, 4.0) for number in range(2 * SHOWN)]
    logins = throttle_facts(many, {})["logins"]
    assert (len(logins["slowed"]), logins["slowed_count"]) == (SHOWN, 2 * SHOWN)


@pytest.mark.parametrize("status", [{}, {"throttles": {}}])
def test_a_bridge_that_knows_nothing_of_it_says_nothing(status: dict[str, Any]) -> None:
    assert throttle_findings(status) == []
