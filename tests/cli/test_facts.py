"""``status``, ``quota``, ``inbox search``, ``sync``: with a bridge running and without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.facts import alarm_rows
from bridge.simulator import Operation
from tests.cli.conftest import Command
from tests.running import ADDRESS, apart, eventually, running, simulated

FORECAST = "At today's volume about 240 requests are needed; 1,440 are allowed."
NO_PLAN_USED = {"name": "standard", "period": "day", "limit": 3500, "used": 0}


def test_status_of_a_bridge_that_never_ran(command: Command, config: Path) -> None:
    status = command("status", "--json", "--config", config).json
    assert status == {
        "accounts": [
            {
                "address": ADDRESS,
                "last_sync": None,
                "error": None,
                "quota": None,
                "plan": NO_PLAN_USED,
                "progress": status["accounts"][0]["progress"],
                "requests": {
                    "per_day": 1440,
                    "used": 0,
                    "remaining": 1440,
                    "used_for": {},
                    "waiting": [],
                },
                "forecast": {
                    "needed": 240,
                    "essential": 240,
                    "allowed": 1440,
                    "texts_lag_days": 0,
                    "states_lag": False,
                    "text": FORECAST,
                },
            }
        ],
        "queue": {},
        "alarms": [],
        "tls": {"fingerprint": None},
    }
    shown = command("status", "--config", config)
    assert shown.code == 0
    for text in (ADDRESS, "never", "0 of 3500 a day", "queue: empty", FORECAST):
        assert text in shown.out


async def status_when(
    command: Command, config: Path, condition: Callable[[dict[str, Any]], object]
) -> dict[str, Any]:
    """Ask until the account's facts fulfil ``condition``, and return the whole status."""

    async def fulfilled() -> dict[str, Any] | None:
        status = await status_now(command, config)
        return status if condition(status["accounts"][0]) else None

    status = await eventually(fulfilled)
    assert status is not None
    return status


async def status_now(command: Command, config: Path) -> dict[str, Any]:
    status = (await apart(command, "status", "--json", "--config", config)).json
    assert isinstance(status, dict)
    return status


async def test_status_of_a_running_bridge(command: Command, config: Path) -> None:
    simulator = simulated(messages=3)
    async with running(config.parent / "data", simulator) as bridge:
        whole = {"fetched": 3, "total": 3}
        status = await status_when(command, config, lambda one: one["progress"] == whole)
        assert status["accounts"][0]["error"] is None
        assert status["tls"]["fingerprint"] == bridge.listening.fingerprint
        await apart(bridge.submit, "Prova", "mute-x@altra.example")
        status = await status_when(command, config, lambda one: one["plan"]["used"])
        assert status["accounts"][0]["plan"] == {**NO_PLAN_USED, "used": 1}
        assert sum(status["queue"].values()) == 1
        await status_when(command, config, lambda one: one["last_sync"])
        shown = await apart(command, "status", "--config", config)
        assert "3 of 3" in shown.out
        assert "1 of 3500 a day" in shown.out


async def test_status_tells_what_is_wrong(command: Command, config: Path) -> None:
    simulator = simulated()
    simulator.faults.answer(None, 401, {"success": False, "message": "No"}, times=None)
    async with running(config.parent / "data", simulator):
        status = await status_when(command, config, lambda one: one["error"])

        async def alarmed() -> list[dict[str, Any]]:
            alarms = (await status_now(command, config))["alarms"]
            assert isinstance(alarms, list)
            return alarms

        (alarm, *_) = await eventually(alarmed)
        assert status["accounts"][0]["last_sync"] is None
        assert set(alarm) == {"account", "kind", "key", "text", "at"}
        assert alarm["account"] == ADDRESS
        shown = await apart(command, "status", "--config", config)
        assert alarm["text"] in shown.out
        assert alarm in (await apart(command, "alarm", "list", "--json", "--config", config)).json
        kind = ("--kind", alarm["kind"])
        of_kind = await apart(command, "alarm", "list", *kind, "--config", config)
        assert alarm["text"] in of_kind.out
        other = await apart(command, "alarm", "list", "--kind", "quota", "--config", config)
        assert other.out == "No alarms.\n"


def test_many_alarms_of_a_kind_are_one_line() -> None:
    alarms = [
        {"at": str(number), "account": ADDRESS, "kind": kind, "key": str(number), "text": kind}
        for kind, count in (("failure", 37), ("quota", 2))
        for number in range(count)
    ]
    first, *rest = alarm_rows(alarms)
    assert first[:3] == ["36", ADDRESS, "failure"]
    assert first[3].startswith("37 of these: see `pec-bridge alarm list --kind failure`")
    assert [row[3] for row in rest] == ["quota", "quota"]


async def test_quota_is_asked_of_the_api(command: Command, config: Path) -> None:
    simulator = simulated()
    simulator.set_quota(ADDRESS, used_bytes=512 * 1024**2, limit_bytes=1024**3)
    async with running(config.parent / "data", simulator):
        quota = (await apart(command, "quota", "--json", "--config", config)).json
        assert quota == [
            {
                "account": ADDRESS,
                "usage_bytes": 512 * 1024**2,
                "limit_bytes": 1024**3,
                "percent": 50.0,
            }
        ]
        shown = await apart(command, "quota", "--config", config)
        assert "512.0 MiB" in shown.out
        assert "50.0 %" in shown.out
        refusal = {"success": False, "message": "Nessuna"}
        simulator.faults.answer(Operation.QUOTA, 400, refusal, times=None)  # sync asks too
        failed = await apart(command, "quota", "--config", config)
    assert (failed.code, failed.out) == (1, "")
    assert failed.err.count("\n") == 1


async def test_inbox_search(command: Command, config: Path) -> None:
    simulator = simulated()
    simulator.inject(ADDRESS, subject="POSTA CERTIFICATA: contratto \x1b[31m")
    simulator.inject(ADDRESS, subject="POSTA CERTIFICATA: fattura")
    async with running(config.parent / "data", simulator):
        arguments = ("inbox", "search", "contratto", "--config", config)
        (row,) = (await apart(command, *arguments, "--json")).json
        assert set(row) == {"account", "id", "sender", "recipient", "date", "subject"}
        assert row["subject"] == "POSTA CERTIFICATA: contratto \x1b[31m"
        shown = await apart(command, *arguments)
        assert "contratto \ufffd[31m" in shown.out
        assert "fattura" not in shown.out
        nothing = await apart(command, "inbox", "search", "niente", "--config", config)
    assert nothing.out == "Nothing found.\n"


async def test_sync_reads_now_and_shows_how_far_it_is(command: Command, config: Path) -> None:
    simulator = simulated(messages=30)
    async with running(config.parent / "data", simulator):
        whole = {"fetched": 30, "total": 30}
        await status_when(command, config, lambda one: one["progress"] == whole)
        simulator.seed(ADDRESS, 2)
        (row,) = (await apart(command, "sync", "--json", "--config", config)).json
        assert row == {"account": ADDRESS, "messages": 32, "new": row["new"], "error": None}
        assert row["new"] in (0, 2)  # the bridge may have been quicker
        shown = await apart(command, "sync", "--config", config)
    assert shown.code == 0
    assert "32" in shown.out


@pytest.mark.parametrize("options", [["--json"], []], ids=["json", "table"])
def test_sync_that_failed_says_so_and_exits_1(
    command: Command, config: Path, options: list[str]
) -> None:
    done = command("sync", *options, "--config", config)
    assert done.code == 1
    assert "could not be reached" in " ".join(done.out.split())
