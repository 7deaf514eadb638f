"""What ``status --check`` makes of a status."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.cli.monitor import verdict
from bridge.clock import rfc3339

START = datetime(2026, 1, 15, 12, tzinfo=UTC)
OK, WARNING, CRITICAL = 0, 1, 2
FIGURES = "| waiting=0 uncertain=0 alarms=0"


def facts(**changes: object) -> dict[str, Any]:
    """Return the status of a bridge that has run for a day and works."""
    account = {
        "address": "a@pec.example",
        "error": None,
        "refused": False,
        "last_sync": ago(minutes=1),
        "next_sync": ago(minutes=0),
        "paused_since": None,
    }
    of_account = {name: changes.pop(name) for name in account if name in changes}
    return {
        "running": True,
        "version": "1.2",
        "since": ago(days=1),
        "accounts": [{**account, **of_account}],
        "queue": {},
        "alarms": [],
        "hooks": [],
        "alarms_out": [],
        "store": None,
        **changes,
    }


def ago(**span: float) -> str | None:
    return rfc3339(START - timedelta(**span))


ALARM = {"kind": "quota", "acknowledged_at": None}


HOOK = {"name": "erp", "dead": 0, "waiting": 0, "oldest_at": None, "error": None}


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({}, OK, f"PEC-BRIDGE OK - 1 account, version 1.2 {FIGURES}"),
        ({"running": False}, CRITICAL, "no bridge is running"),
        ({"error": "Slow.", "last_sync": ago(minutes=59)}, WARNING, "a@pec.example: Slow |"),
        ({"error": "Slow.", "last_sync": ago(minutes=61)}, CRITICAL, "a@pec.example: Slow |"),
        ({"error": "No.", "refused": True}, CRITICAL, "a@pec.example: No |"),
        ({"error": "No.", "last_sync": None}, CRITICAL, "No"),
        ({"error": "No.", "last_sync": None, "since": ago(minutes=5)}, WARNING, "No"),
        ({"error": "a|b\nc"}, WARNING, "a@pec.example: a/b c |"),
        ({"hooks": [HOOK]}, OK, "OK"),
        ({"hooks": [{**HOOK, "dead": 2}]}, WARNING, "hook erp: 2 events were given up |"),
        ({"hooks": [{**HOOK, "waiting": 1, "oldest_at": ago(minutes=29)}]}, OK, "OK"),
        (
            {"hooks": [{**HOOK, "waiting": 1, "oldest_at": ago(minutes=31), "error": "a|b."}]},
            WARNING,
            "hook erp: a/b |",
        ),
        ({"alarms_out": [{"way": "mail", "failures": 1, "error": "No."}]}, OK, "OK"),
        (
            {"alarms_out": [{"way": "mail", "failures": 2, "error": "No."}]},
            WARNING,
            "alarms by mail: No |",
        ),
        ({"last_sync": ago(hours=2)}, CRITICAL, "not read for more than an hour"),
        ({"last_sync": ago(hours=2), "next_sync": ago(hours=-1)}, OK, "OK"),
        ({"store": "x.sqlite: the disk is full"}, CRITICAL, "x.sqlite: the disk is full |"),
        ({"paused_since": ago(days=1)}, WARNING, "a@pec.example: the queue is paused |"),
        ({"alarms": [ALARM]}, WARNING, "1 alarm: quota | waiting=0 uncertain=0 alarms=1"),
        ({"alarms": [{**ALARM, "acknowledged_at": ago(days=1)}]}, OK, "alarms=0"),
        ({"queue": {"queued": 2, "held": 3, "uncertain": 4}}, OK, "waiting=5 uncertain=4"),
        (
            {"alarms": [ALARM, ALARM], "error": "No.", "refused": True},
            CRITICAL,
            "PEC-BRIDGE CRITICAL - a@pec.example: No; 2 alarms: quota |",
        ),
    ],
)
def test_verdict(changes: dict[str, Any], level: int, words: str) -> None:
    found, line = verdict(facts(**changes), START)
    assert found == level
    assert words in line
    assert "\n" not in line
    assert line.count("|") == 1
