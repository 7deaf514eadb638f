"""A backup that was put back sends nothing again; a restart and a crash are no backup."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.model import PEC_UNCERTAIN, SubmissionState
from bridge.outbox.lineage import (
    ALONE,
    BEHIND,
    BEYOND,
    FOREIGN,
    LONG_AGO,
    OLD,
    OTHER_FILE,
    find_fault,
)
from bridge.simulator import Failure, Operation, Phase, Simulator
from bridge.store.base import ReadTransaction, StoreFailed
from bridge.store.events import LEFT_OUT
from bridge.store.lineage import LineageRow, MarkRow
from bridge.store.mark import FILE_NAME as MARK
from bridge.store.mark import Mark
from bridge.store.sqlite.connection import FILE_NAME as DATABASE
from tests.fakes import FakeClock
from tests.outbox.rig import Rig, rig_on
from tests.stores import CHOSEN

QUEUED, HELD, RESTORED = SubmissionState.QUEUED, SubmissionState.HELD, SubmissionState.RESTORED
SUBMITTED = SubmissionState.SUBMITTED
ONE, OTHER = "1" * 32, "2" * 32
ROW = LineageRow("3" * 32, 5, datetime(2026, 1, 15, tzinfo=UTC), ONE, "")
OWN = MarkRow(ONE, 5, 77, 1000)
UNFINISHED = MarkRow(ONE, 0, 0, None)
FILE = Mark(ONE, 5, 77, 1000, is_touched=False)

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="copies by the tools of Unix"),
    pytest.mark.skipif(CHOSEN != "sqlite", reason="puts back SQLite's file"),
]


@pytest.mark.parametrize(
    ("row", "own", "mark", "fault"),
    [
        pytest.param(None, None, None, None, id="new"),
        pytest.param(ROW, OWN, FILE, None, id="the same"),
        pytest.param(replace(ROW, dispatches=6), OWN, FILE, None, id="cut off before the mark"),
        pytest.param(replace(ROW, dispatches=9), OWN, FILE, None, id="several cut off before it"),
        pytest.param(
            replace(ROW, dispatches=6),
            OWN,
            replace(FILE, dispatches=6, changed_ns=2000),
            None,
            id="cut off after the mark",
        ),
        pytest.param(ROW, UNFINISHED, None, None, id="cut off when new"),
        pytest.param(
            ROW, UNFINISHED, replace(FILE, incarnation=OTHER), None, id="cut off when taken over"
        ),
        pytest.param(None, None, FILE, FOREIGN, id="an older version's store beside a mark"),
        pytest.param(ROW, OWN, None, ALONE, id="no mark"),
        pytest.param(ROW, OWN, replace(FILE, incarnation=OTHER), FOREIGN, id="another's mark"),
        pytest.param(
            ROW, OWN, replace(FILE, incarnation="", dispatches=0), FOREIGN, id="unreadable"
        ),
        pytest.param(ROW, OWN, replace(FILE, dispatches=6), BEHIND, id="the store alone"),
        pytest.param(ROW, OWN, replace(FILE, changed_ns=1001), OTHER_FILE, id="touched"),
        pytest.param(ROW, OWN, replace(FILE, inode=78), OTHER_FILE, id="another file"),
        pytest.param(ROW, OWN, replace(FILE, dispatches=4), OTHER_FILE, id="an older mark"),
        pytest.param(
            replace(ROW, dispatches=6),
            OWN,
            replace(FILE, dispatches=6, changed_ns=2000, is_touched=True),
            OTHER_FILE,
            id="rewritten, then touched",
        ),
        pytest.param(
            replace(ROW, dispatches=6),
            OWN,
            replace(FILE, dispatches=6, changed_ns=2000, inode=78),
            OTHER_FILE,
            id="rewritten, and another file",
        ),
        pytest.param(
            replace(ROW, leader=OTHER), OWN, FILE, None, id="another led, this one heard of all"
        ),
        pytest.param(
            replace(ROW, leader=OTHER, dispatches=6),
            OWN,
            FILE,
            BEYOND,
            id="another led, this one did not hear of all",
        ),
    ],
)
def test_how_store_and_mark_may_differ(
    row: LineageRow | None, own: MarkRow | None, mark: Mark | None, fault: str | None
) -> None:
    others = [] if own is None or own is UNFINISHED else [MarkRow(OTHER * 2, 5, 90, 1000)]
    assert find_fault(row, [*others, *([] if own is None else [own])], mark) == fault


# -- a rig whose queue waits, and one put back ---------------------------------------------------


@pytest.fixture
async def waiting(tmp_path: Path, clock: FakeClock, simulator: Simulator) -> tuple[Rig, Path]:
    """A running rig with one message sent and two that wait, and the folder of its data."""
    data = tmp_path / "data"
    rig = await Rig.open(data, clock, simulator)
    rig.start()
    await rig.submit("Partito")
    await rig.pass_time(5)
    simulator.faults.answer(Operation.SEND, 402, times=None)
    await rig.submit("Primo")
    await rig.submit("Secondo")
    await rig.pass_time(5)
    simulator.faults.clear()
    return rig, data


def copied(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)


def put_back(how: str, backup: Path, data: Path) -> None:
    """Put a backup back as a person would."""
    match how:
        case "cp -a over it" | "cp -r over it":
            subprocess.run([*how.split()[:2], f"{backup}/.", f"{data}/"], check=True)
        case "cp -a" | "cp -r":
            shutil.rmtree(data)
            subprocess.run([*how.split(), backup, data], check=True)
        case "the copy renamed":
            shutil.rmtree(data)
            backup.rename(data)
        case "tar":
            archive = backup.with_suffix(".tar")
            subprocess.run(["tar", "-C", backup, "-cf", archive, "."], check=True)
            shutil.rmtree(data)
            data.mkdir()
            subprocess.run(["tar", "-C", data, "-xpf", archive], check=True)
        case "the database alone":
            for path in data.glob(f"{DATABASE}*"):
                path.unlink()
            for path in backup.glob(f"{DATABASE}*"):
                shutil.copy2(path, data)
        case "the database, and no mark":
            put_back("the database alone", backup, data)
            (data / MARK).unlink()


WAYS = [
    "cp -a",
    "cp -a over it",
    "cp -r over it",
    "the copy renamed",
    "cp -r",
    "tar",
    "the database alone",
    "the database, and no mark",
]


@pytest.mark.parametrize("how", WAYS)
async def test_what_waited_in_a_backup_is_not_sent_again(
    waiting: tuple[Rig, Path], clock: FakeClock, simulator: Simulator, how: str
) -> None:
    rig, data = waiting
    backup = data.with_name("backup")
    copied(data, backup)
    await rig.pass_time(120)
    assert [one.subject for one in simulator.sent] == ["Partito", "Primo", "Secondo"]
    await rig.close()
    put_back(how, backup, data)
    async with rig_on(data, clock, simulator) as rig:
        await rig.pass_time(7200)
        states = {row.subject: row.state for row in await rig.rows()}
        assert states == {"Partito": SUBMITTED, "Primo": RESTORED, "Secondo": RESTORED}
        assert len(simulator.sent) == 3
        flags = {one["Subject"]: PEC_UNCERTAIN in two for one, two in await rig.marked("Sent")}
        assert flags == {"Partito": False, "Primo": True, "Secondo": True}
        assert "restored" in [alarm.kind for alarm in await rig.alarms()]
        (notice,) = [one for one in await rig.mail() if "ripristinati" in str(one["Subject"])]
        assert "queue list --state restored" in notice.get_content()
        assert "Secondo" in notice.get_content()


@pytest.mark.parametrize("how", ["cp -r", "the database alone"])
async def test_a_backup_in_which_nothing_waited_is_told_of_too(
    tmp_path: Path, clock: FakeClock, simulator: Simulator, how: str
) -> None:
    """What was taken after it was made is not in it, and nobody else would say so."""
    data, backup = tmp_path / "data", tmp_path / "backup"
    rig = await Rig.open(data, clock, simulator)
    rig.start()
    await rig.submit("Partito")
    await rig.pass_time(5)
    copied(data, backup)
    await rig.submit("Preso dopo la copia")
    await rig.pass_time(5)
    await rig.close()
    put_back(how, backup, data)
    for _again in range(2):
        async with rig_on(data, clock, simulator) as rig:
            await rig.pass_time(5)
            subjects = [str(one["Subject"]) for one in await rig.mail()]
            assert len([one for one in subjects if "Dati ripristinati" in one]) == 1
            assert "restored" not in [alarm.kind for alarm in await rig.alarms()]
    assert len(simulator.sent) == 2


async def validities(rig: Rig) -> list[int]:
    async def work(tx: ReadTransaction) -> list[int]:
        return [box.uid_validity for id in rig.accounts for box in await tx.mailboxes(id)]

    return await rig.read(work)


@pytest.mark.parametrize("how", [*WAYS, "a restart"])
async def test_no_uid_means_another_message_afterwards(
    waiting: tuple[Rig, Path], clock: FakeClock, simulator: Simulator, how: str
) -> None:
    """Nothing leaves after the copy, but UIDs may be given: a client remembers them."""
    rig, data = waiting
    backup = data.with_name("backup")
    copied(data, backup)
    before = await validities(rig)
    await rig.close()
    if how != "a restart":
        put_back(how, backup, data)
    await clock.advance(60)
    async with rig_on(data, clock, simulator) as rig:
        after = await validities(rig)
        assert len(set(after)) == len(before)
        assert (after == before) if how == "a restart" else min(after) > max(before)


async def told(tx: ReadTransaction) -> list[int]:
    return [one.number for one in await tx.events(None, 0, 1000)]


@pytest.mark.parametrize("how", [*WAYS, "a restart"])
async def test_no_number_of_an_event_comes_again_afterwards(
    waiting: tuple[Rig, Path], clock: FakeClock, simulator: Simulator, how: str
) -> None:
    """Who was told something after the copy asks for what is behind its number, and misses none."""
    rig, data = waiting
    backup = data.with_name("backup")
    copied(data, backup)
    kept = await rig.store.read(told)
    await rig.submit("Perso")  # told, and then lost
    *_, last = await rig.store.read(told)
    await rig.close()
    if how != "a restart":
        put_back(how, backup, data)
    await clock.advance(60)
    async with rig_on(data, clock, simulator) as rig:
        for number in range(5):
            await rig.submit(f"Dopo {number}")
        numbers = await rig.store.read(told)
        new = [one for one in numbers if one > last]
        knows = [await rig.store.read(partial(_was_told, number=one)) for one in numbers]
        assert all(knows)
        if how == "a restart":
            assert numbers == list(range(1, len(numbers) + 1))
        else:
            assert [one for one in numbers if one not in new] == kept
            assert min(new) > LEFT_OUT
            assert not await rig.store.read(partial(_was_told, number=last))


async def _was_told(tx: ReadTransaction, number: int) -> bool:
    return await tx.was_told(number)


@pytest.mark.parametrize("closed", [True, False], ids=["stopped", "killed"])
async def test_a_database_without_its_wal_is_behind_its_mark(
    waiting: tuple[Rig, Path], clock: FakeClock, simulator: Simulator, closed: bool
) -> None:
    rig, data = waiting
    with sqlite3.connect(data / DATABASE) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    connection.close()
    backup = data.with_name("backup")
    copied(data, backup)
    await rig.pass_time(120)
    assert len(simulator.sent) == 3
    await (rig.close() if closed else rig.lose_memory())
    shutil.copyfile(backup / DATABASE, data / DATABASE)
    for suffix in ("-wal", "-shm"):
        (data / f"{DATABASE}{suffix}").unlink(missing_ok=True)
    async with rig_on(data, clock, simulator) as rig:
        await rig.pass_time(7200)
        assert {row.state for row in await rig.rows()} <= {SUBMITTED, RESTORED}
    assert len(simulator.sent) == 3


async def test_a_person_releases_what_was_restored_and_the_alarm_ends(
    waiting: tuple[Rig, Path], clock: FakeClock, simulator: Simulator
) -> None:
    rig, data = waiting
    await rig.lose_memory()
    backup = data.with_name("backup")
    copied(data, backup)
    put_back("cp -a", backup, data)
    async with rig_on(data, clock, simulator) as rig:
        _sent, first, second = await rig.rows()
        await rig.decisions.resolve_resend(first.id)
        assert "restored" in [alarm.kind for alarm in await rig.alarms()]
        await rig.decisions.resolve_drop(second.id)
        assert "restored" not in [alarm.kind for alarm in await rig.alarms()]
        await rig.pass_time(120)
        assert [one.subject for one in simulator.sent] == ["Partito", "Primo"]
        assert PEC_UNCERTAIN not in await rig.flags()
    async with rig_on(data, clock, simulator) as rig:
        assert RESTORED not in {row.state for row in await rig.rows()}


async def test_a_second_backup_ends_no_alarm_of_the_first(
    waiting: tuple[Rig, Path], clock: FakeClock, simulator: Simulator
) -> None:
    rig, data = waiting
    await rig.lose_memory()
    for number in range(2):
        backup = data.with_name(f"backup {number}")
        copied(data, backup)
        put_back("cp -a", backup, data)
        async with rig_on(data, clock, simulator) as rig:
            assert [row.state for row in await rig.rows()] == [SUBMITTED, RESTORED, RESTORED]
            assert "restored" in [alarm.kind for alarm in await rig.alarms()]


async def test_what_a_person_says_was_sent_counts_once(
    waiting: tuple[Rig, Path], clock: FakeClock, simulator: Simulator
) -> None:
    """It was only queued in the backup, and so had counted nothing."""
    rig, data = waiting
    await rig.lose_memory()
    backup = data.with_name("backup")
    copied(data, backup)
    put_back("cp -a", backup, data)
    async with rig_on(data, clock, simulator) as rig:
        _sent, first, _second = await rig.rows()
        (before,) = await rig.usage()
        for _again in range(2):
            await rig.decisions.resolve_sent(first.id, "2026011510000592", force=True)
            (after,) = await rig.usage()
            assert after.counted == before.counted + len(first.recipients)
            await rig.decisions.resolve_reopen(first.id)
        assert (await rig.row(first.id)).counted == len(first.recipients)


async def test_what_is_submitted_after_it_goes_on(
    waiting: tuple[Rig, Path], clock: FakeClock, simulator: Simulator
) -> None:
    rig, data = waiting
    await rig.lose_memory()
    copied(data, data.with_name("backup"))
    put_back("cp -a", data.with_name("backup"), data)
    async with rig_on(data, clock, simulator) as rig:
        assert await rig.submit("Primo") == (await rig.rows())[1].id, "the same, still open"
        await rig.submit("Nuovo")
        await rig.pass_time(120)
        assert [one.subject for one in simulator.sent] == ["Partito", "Nuovo"]


@pytest.mark.parametrize("renamed", [False, True], ids=["in its place", "renamed"])
@pytest.mark.parametrize("closed", [True, False], ids=["stopped", "killed"])
@pytest.mark.parametrize("fault", ["402", "connection", "timeout"])
async def test_a_restart_is_no_backup(
    tmp_path: Path,
    clock: FakeClock,
    simulator: Simulator,
    fault: str,
    closed: bool,
    renamed: bool,
) -> None:
    data = tmp_path / "data"
    for _round in range(3):
        match fault:
            case "402":
                simulator.faults.answer(Operation.SEND, 402)
            case "connection":
                simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR)
            case "timeout":
                simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
        rig = await Rig.open(data, clock, simulator)
        rig.start()
        await rig.submit(f"Giro {_round}")
        await rig.submit(f"Giro {_round}, due")
        await rig.pass_time(1)
        await (rig.close() if closed else rig.lose_memory())
        if renamed:
            data = data.rename(tmp_path / f"data {_round}")
    async with rig_on(data, clock, simulator) as rig:
        assert RESTORED not in {row.state for row in await rig.rows()}
        assert "restored" not in [alarm.kind for alarm in await rig.alarms()]
        await rig.pass_time(7200)
        assert len(await rig.rows()) == 6
        assert {row.state for row in await rig.rows()} & {QUEUED, HELD} == set()


async def test_a_store_of_an_older_version_is_taken_as_it_is(
    waiting: tuple[Rig, Path], clock: FakeClock, simulator: Simulator
) -> None:
    rig, data = waiting
    await rig.lose_memory()
    with sqlite3.connect(data / DATABASE) as connection:
        connection.execute("DELETE FROM lineage")
    connection.close()
    (data / MARK).unlink()
    async with rig_on(data, clock, simulator) as rig:
        await rig.pass_time(120)
        assert {row.state for row in await rig.rows()} == {SUBMITTED}
    assert len(simulator.sent) == 3


@pytest.mark.usefixtures("looks_rarely")
@pytest.mark.parametrize(("over", "state"), [(-60.0, SUBMITTED), (60.0, RESTORED)], ids=str)
async def test_a_queue_from_long_ago_is_taken_for_a_snapshot_rolled_back(
    waiting: tuple[Rig, Path],
    clock: FakeClock,
    simulator: Simulator,
    over: float,
    state: SubmissionState,
) -> None:
    rig, data = waiting
    await rig.close()
    await clock.advance(LONG_AGO.total_seconds() + over)
    async with rig_on(data, clock, simulator) as rig:
        await rig.pass_time(7200)
        assert [row.state for row in await rig.rows()] == [SUBMITTED, state, state]
        reasons = {row.reason for row in await rig.rows() if row.state is RESTORED}
        assert reasons <= {OLD}
        assert await rig.mail(account=1) == []  # nothing of the other account can be missing


@pytest.mark.usefixtures("looks_rarely")
async def test_an_empty_queue_may_rest_for_months(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    async with rig_on(tmp_path, clock, simulator) as rig:
        await rig.submit("Partito")
        await rig.pass_time(5)
    await clock.advance(90 * 86_400)
    with capture_logs() as logs:
        async with rig_on(tmp_path, clock, simulator) as rig:
            await rig.submit("Ancora")
            await rig.pass_time(5)
            assert await rig.alarms() == []
    assert {line["log_level"] for line in logs} <= {"info", "debug"}
    assert len(simulator.sent) == 2


@pytest.mark.usefixtures("looks_rarely")
async def test_a_store_in_use_is_never_from_long_ago(
    waiting: tuple[Rig, Path], clock: FakeClock, simulator: Simulator
) -> None:
    rig, data = waiting
    simulator.faults.answer(Operation.SEND, 402, times=None)
    beating = asyncio.ensure_future(rig.lineage.run())
    await rig.pass_time(LONG_AGO.total_seconds() + 3600)
    beating.cancel()
    await rig.lose_memory()
    simulator.faults.clear()
    async with rig_on(data, clock, simulator) as rig:
        assert RESTORED not in {row.state for row in await rig.rows()}


async def test_nothing_leaves_whose_start_cannot_be_witnessed(
    tmp_path: Path, clock: FakeClock, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bridge.outbox import lineage

    def fails(*_: object) -> None:
        raise StoreFailed("disk")

    async with rig_on(tmp_path, clock, simulator) as rig:
        with monkeypatch.context() as patch:
            patch.setattr(lineage, "write_mark", fails)
            id = await rig.submit()
            await rig.pass_time(20)
            assert simulator.calls(Operation.SEND) == []
            assert (await rig.state(id), (await rig.row(id)).counted) == (QUEUED, 0)
        await rig.pass_time(20)
        assert await rig.state(id) is SUBMITTED
