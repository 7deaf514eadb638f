from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.store.base import StoreFailed, StoreFull
from bridge.store.sqlite import SqliteStore
from bridge.store.sqlite.connection import FILE_NAME, connect, reserve_wal
from tests.store.made import ingested


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_nobody_else_can_read_the_store(tmp_path: Path) -> None:
    data_dir = tmp_path / "deep" / "data"
    store = await SqliteStore.open(data_dir)
    await store.write(lambda tx: tx.add_account("a@pec.example"))
    modes = {path.name: mode(path) for path in data_dir.iterdir()}
    await store.close()
    assert mode(data_dir) == 0o700
    assert modes == {FILE_NAME: 0o600, f"{FILE_NAME}-wal": 0o600, f"{FILE_NAME}-shm": 0o600}


async def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.touch(mode=0o644)
    path.chmod(0o644)
    store = await SqliteStore.open(tmp_path)
    await store.close()
    assert mode(path) == 0o600


async def test_the_store_survives_a_restart(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    account = await store.write(lambda tx: tx.add_account("a@pec.example"))
    await store.close()
    store = await SqliteStore.open(tmp_path)
    assert await store.read(lambda tx: tx.account("a@pec.example")) == account
    await store.close()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)],
)
def test_a_commit_is_synced_and_checked(tmp_path: Path, pragma: str, value: object) -> None:
    connection = connect(tmp_path / "x", read_only=False)
    assert connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)
    connection.close()


async def test_the_wal_has_its_size_from_the_start_and_nothing_in_it(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    wal = tmp_path / f"{FILE_NAME}-wal"
    before = wal.stat().st_size
    await store.write(lambda tx: tx.add_account("a@pec.example"))
    assert wal.stat().st_size == before > 1000 * 4096
    await store.close()


async def test_reserving_leaves_what_another_wrote_to_the_wal(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    account = await store.write(lambda tx: tx.add_account("a@pec.example"))
    wal = tmp_path / f"{FILE_NAME}-wal"
    with wal.open("r+b") as file:
        file.truncate(100_000)
    reserve_wal(tmp_path / FILE_NAME)
    assert wal.stat().st_size > 1000 * 4096
    other = connect(tmp_path / FILE_NAME, read_only=True)
    assert other.execute("SELECT id FROM account").fetchall() == [(account,)]
    other.close()
    await store.close()


async def test_a_folder_that_cannot_be_made_is_one_clear_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailed, match=r"Not a directory|File exists"):
        await SqliteStore.open(tmp_path / "file" / "data")


async def test_a_file_that_is_no_database_is_one_clear_failure(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"not a database, certainly" * 100)
    with pytest.raises(StoreFailed, match="not a database"):
        await SqliteStore.open(tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.skipif(os.name != "posix", reason="needs a disk of its own")
async def test_a_full_disk_is_said_and_survived(small_disk: Path) -> None:
    store = await SqliteStore.open(small_disk / "data")
    account = await store.write(lambda tx: tx.add_account("a@pec.example"))
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space left"):
        ballast.write_bytes(bytes(32 * 1024 * 1024))
    message = ingested("one", body="x" * 3_000_000)
    with pytest.raises(StoreFull):
        await store.write(lambda tx: tx.add_content(account, message))
    assert await store.read(lambda tx: tx.account("a@pec.example")) == account
    ballast.unlink()
    content = await store.write(lambda tx: tx.add_content(account, message))
    assert await store.read(lambda tx: tx.raw(content, 0, 10**7)) == message.raw
    await store.close()


def test_a_reader_of_the_file_cannot_change_it(tmp_path: Path) -> None:
    connect(tmp_path / "x", read_only=False).close()
    reader = connect(tmp_path / "x", read_only=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("CREATE TABLE t (a)")
    reader.close()
