"""``quota``, ``inbox search``, ``sync``: with a bridge running and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.cli.facts import alarm_rows
from bridge.simulator import Operation
from tests.cli.conftest import Command
from tests.cli.test_status import status_when
from tests.running import ADDRESS, apart, running, simulated


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
