"""``quota``, ``inbox search``, ``sync``: with a bridge running and without."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.alarms import Alarm, AlarmKind, Notice, clear_alarm, raise_alarm
from bridge.cli.facts import alarm_rows
from bridge.clock import SystemClock
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.simulator import Operation
from bridge.store.sqlite.database import SqliteStore
from tests.cli.conftest import Command
from tests.cli.test_status import status_when
from tests.running import ADDRESS, apart, running, simulated


def test_many_alarms_of_a_kind_are_one_line() -> None:
    alarms = [
        {
            **{"id": f"{number:08}", "at": "2026-01-15T09:00:00.000Z", "account": ADDRESS},
            **{"kind": kind, "text": kind, "acknowledged_at": None},
        }
        for kind, count in (("failure", 37), ("quota", 2))
        for number in range(count)
    ]
    alarms[1]["acknowledged_at"] = alarms[37]["acknowledged_at"] = "2026-07-15T09:00:00.000Z"
    first, *rest = alarm_rows(alarms)
    assert first[:4] == [None, "2026-01-15 10:00 CET", ADDRESS, "failure"]
    more = "see `pec-bridge alarm list --kind failure`"
    assert first[4] == f"37 of these (1 acknowledged): {more}"
    assert [row[0] for row in rest] == ["00000000", "00000001"]
    assert [row[4] for row in rest] == ["quota (acknowledged 2026-07-15 11:00 CEST)", "quota"]


def test_an_acknowledged_alarm_stays_and_is_warned_of_no_more(
    command: Command, config: Path, tmp_path: Path
) -> None:
    asyncio.run(raise_alarms(tmp_path / "data", "one", "two"))
    asked = ("--config", config)

    def count() -> str:
        line = command("status", "--check", *asked).out
        return line.partition("alarms=")[2].strip()

    first, second = command("alarm", "list", "--json", *asked).json
    assert (first["acknowledged_at"], count()) == (None, "2")
    (seen,) = command("alarm", "ack", first["id"], "--json", *asked).json
    assert seen == {**first, "acknowledged_at": seen["acknowledged_at"]}
    assert count() == "1"
    assert command("alarm", "list", "--json", *asked).json == [seen, second]
    assert command("status", *asked).out.count("(acknowledged 20") == 1
    again = command("alarm", "ack", first["id"], *asked)
    assert (again.code, again.out) == (0, "All of these were acknowledged before.\n")
    assert command("alarm", "ack", "--kind", "quota", "--json", *asked).json[0]["key"] == "two"
    assert count() == "0"


def test_an_alarm_raised_again_has_not_been_seen(
    command: Command, config: Path, tmp_path: Path
) -> None:
    asyncio.run(raise_alarms(tmp_path / "data", "one"))
    assert command("alarm", "ack", "--all", "--config", config).code == 0
    asyncio.run(raise_alarms(tmp_path / "data", "one", clear=True))
    (alarm,) = command("alarm", "list", "--json", "--config", config).json
    assert alarm["acknowledged_at"] is None


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "say which"),
        (("00000000",), 1, "No alarm has the id 00000000;"),
        (("--kind", "nonsense"), 1, "No alarm like that is raised;"),
        (("--account", "x@pec.example"), 1, "There is no account"),
    ],
)
def test_what_cannot_be_acknowledged(
    command: Command, config: Path, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    asyncio.run(raise_alarms(tmp_path / "data", "one"))
    done = command("alarm", "ack", *words, "--config", config)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


async def raise_alarms(data_dir: Path, *keys: str, clear: bool = False) -> None:
    """Raise alarms in a store that nobody holds; those there are end before if ``clear``."""
    store = await SqliteStore.open(data_dir)
    mailboxes = Mailboxes(store, SystemClock())
    account = await mailboxes.open_account(ADDRESS)
    now = SystemClock().now()

    async def work(mtx: MailboxTransaction) -> None:
        for key in keys:
            if clear:
                await clear_alarm(mtx, account, AlarmKind.QUOTA, key, now)
            assert await raise_alarm(
                mtx, Alarm(account, AlarmKind.QUOTA, key, Notice(key, key, key)), now
            )

    await mailboxes.write(work)
    await store.close()


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
