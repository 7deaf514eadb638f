"""A backup of a running bridge, put back: whole, without secrets, and nothing is sent twice."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from bridge.app.backup import STAGED_NAME, restore, write_backup
from bridge.app.lock import Locked
from bridge.clock import SystemClock
from bridge.operations.control import ask
from bridge.simulator import Operation, Simulator
from bridge.store.base import StoreFailed
from bridge.store.mark import FILE_NAME as MARK
from bridge.store.sqlite.connection import FILE_NAME as DATABASE
from tests.running import PASSWORD, apart, eventually, running, settings, simulated, until

TO = "silent-x@altra.example"


def silent(_done: int, _total: int) -> None:
    return None


async def backed_up(data: Path, target: Path) -> None:
    await apart(write_backup, data, target, silent)


async def put_back(data: Path, backup: Path) -> Any:
    return await restore(settings(data), backup, SystemClock(), silent)


async def filled(data: Path, simulator: Simulator, backup: Path) -> None:
    """Send one message, let one wait, back up; then what waits leaves, and one more."""
    async with running(data, simulator) as bridge:
        await apart(bridge.submit, "Partito", TO)
        await until(lambda: len(simulator.sent) == 1)
        await ask(data, "queue pause", {})
        await apart(bridge.submit, "In attesa", TO)
        await backed_up(data, backup)
        await ask(data, "queue resume", {})
        await until(lambda: len(simulator.sent) == 2)
        await apart(bridge.submit, "Dopo", TO)
        await until(lambda: len(simulator.sent) == 3)


@pytest.mark.parametrize("way", ["over it", "elsewhere", "by hand"])
async def test_what_waited_in_it_is_not_sent_again(tmp_path: Path, way: str) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    simulator = simulated()
    await filled(data, simulator, backup)
    if way == "elsewhere":
        data = tmp_path / "new"
    if way == "by hand":
        for path in data.glob(f"{DATABASE}*"):
            path.unlink()
        shutil.copyfile(backup, data / DATABASE)
    else:
        done = await put_back(data, backup)
        assert done.waiting == 1
        assert (done.moved_to is None) == (way == "elsewhere")
    async with running(data, simulator) as bridge:
        listed = {one["subject"]: one["state"] for one in await ask(data, "queue list", {})}
        assert listed["Partito"] == "submitted"
        assert listed["In attesa"] in ("restored", "submitted")  # its acceptance may be found
        await ask(data, "queue resume", {})  # the pause is in the backup, too
        await apart(bridge.submit, "Nuovo", TO)
        await until(lambda: len(simulator.sent) == 4)
    assert sorted(sent.subject for sent in simulator.sent) == [
        *("Dopo", "In attesa", "Nuovo", "Partito")
    ]


async def test_it_holds_all_that_was_answered_250_and_nobody_waits(tmp_path: Path) -> None:
    data = tmp_path / "data"
    simulator = simulated()
    simulator.faults.answer(Operation.SEND, 402, times=None)
    async with running(data, simulator) as bridge:

        def submit() -> None:
            for number in range(30):
                bridge.submit(f"Messaggio {number}", TO)

        submitting = asyncio.ensure_future(apart(submit))
        for number in range(5):
            before = len(await ask(data, "queue list", {}))
            await backed_up(data, tmp_path / f"backup {number}")
            with sqlite3.connect(tmp_path / f"backup {number}") as copied:
                (count,) = copied.execute("SELECT count(*) FROM submission").fetchone()
                assert copied.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            copied.close()
            assert before <= count <= len(await ask(data, "queue list", {}))
        await submitting


async def test_no_secret_is_in_it(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    simulator = simulated()
    await filled(data, simulator, backup)
    content = backup.read_bytes()
    for secret in (PASSWORD, simulator.token, "PRIVATE KEY"):
        assert secret.encode() not in content
    assert b"In attesa" in content
    assert sorted(os.listdir(tmp_path)) == ["backup", "data"]


async def test_mail_is_there_again_under_new_uids(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    simulator = simulated(messages=3)

    def look(bridge: Any) -> tuple[bytes, bytes]:
        client = bridge.imap()
        (count,) = client.select()[1]
        (validity,) = client.response("UIDVALIDITY")[1]
        client.logout()
        return count, validity

    async with running(data, simulator) as bridge:

        async def is_read() -> bool:
            return (await apart(look, bridge))[0] == b"3"

        await eventually(is_read)
        _count, validity = await apart(look, bridge)
        await backed_up(data, backup)
    await put_back(data, backup)
    async with running(data, simulator) as bridge:
        count, after = await apart(look, bridge)
        assert count >= b"3"
        assert int(after) > int(validity)


async def test_the_old_data_is_set_aside_and_still_whole(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    simulator = simulated()
    await filled(data, simulator, backup)
    done = await put_back(data, backup)
    assert done.moved_to is not None
    with sqlite3.connect(done.moved_to) as old:
        (count,) = old.execute("SELECT count(*) FROM submission").fetchone()
    old.close()
    assert count == 3
    assert not (data / STAGED_NAME).exists()


async def test_not_while_a_bridge_runs(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    async with running(data, simulated()):
        await backed_up(data, backup)
        with pytest.raises(Locked):
            await put_back(data, backup)


DAMAGE = ["text", "empty", "cut", "another's", "newer", "pages"]


@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_damaged_backup_changes_nothing(tmp_path: Path, damage: str) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    simulator = simulated(messages=5)
    await filled(data, simulator, backup)
    match damage:
        case "text":
            backup.write_text("not a database\n" * 1000)
        case "empty":
            backup.write_bytes(b"")
        case "cut":
            os.truncate(backup, backup.stat().st_size // 2 // 4096 * 4096)
        case "another's":
            backup.unlink()
            with sqlite3.connect(backup) as other:
                other.execute("CREATE TABLE x (y)")
            other.close()
        case "newer":
            with sqlite3.connect(backup) as newer:
                newer.execute("PRAGMA user_version = 1000")
            newer.close()
        case "pages":
            size_bytes = backup.stat().st_size
            with backup.open("r+b") as stream:
                for at in range(4096 * 3, size_bytes, 4096 * 7):
                    stream.seek(at)
                    stream.write(os.urandom(512))
    before = {path.name: path.read_bytes() for path in data.glob(f"{DATABASE}*")}
    with pytest.raises(StoreFailed, match=r"backup .*(no data|holds|damaged|newer)"):
        await put_back(data, backup)
    assert {path.name: path.read_bytes() for path in data.glob(f"{DATABASE}*")} == before
    assert not (data / STAGED_NAME).exists()


async def test_a_damaged_store_is_not_backed_up(tmp_path: Path) -> None:
    data, target = tmp_path / "data", tmp_path / "target"
    await filled(data, simulated(messages=5), tmp_path / "backup")
    path = data / DATABASE
    with path.open("r+b") as stream:
        for at in range(4096 * 3, path.stat().st_size, 4096 * 7):
            stream.seek(at)
            stream.write(os.urandom(512))
    with pytest.raises(StoreFailed, match="damaged"):
        await backed_up(data, target)
    with pytest.raises(StoreFailed, match="holds no data"):
        await backed_up(tmp_path / "nowhere", target)


async def test_a_restore_cut_off_begins_nothing_new(tmp_path: Path) -> None:
    """The old store is set aside and the new one is not in place yet."""
    data, backup = tmp_path / "data", tmp_path / "backup"
    simulator = simulated()
    await filled(data, simulator, backup)
    (data / DATABASE).rename(data / f"{DATABASE}.before-restore-x")
    assert (data / MARK).exists()
    with pytest.raises(StoreFailed, match="empty or gone"):
        async with running(data, simulator):
            pass
    assert (await put_back(data, backup)).waiting == 1


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="gives files away as root")
async def test_what_root_puts_back_belongs_to_the_folders_owner(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    await filled(data, simulated(), backup)
    for path in (data, *data.iterdir()):
        os.chown(path, 12345, 12345)
    await put_back(data, backup)
    assert {path.stat().st_uid for path in data.iterdir()} == {12345}
