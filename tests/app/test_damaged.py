"""A database that is damaged, emptied or gone: a sentence and no new store, whatever is left."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from bridge.app.resources import Resources
from bridge.clock import SystemClock
from bridge.mailbox import Mailboxes
from bridge.model import AccountId, Uid
from bridge.store.base import ReadTransaction, StoreFailed
from bridge.store.mark import FILE_NAME as MARK
from bridge.store.sqlite.connection import FILE_NAME as DATABASE
from tests.running import settings
from tests.store.made import ingested

PAGE_BYTES = 4096
HEADER_BYTES = 100


async def used(data: Path) -> None:
    """Make a store with mail in it."""
    resources = await opened(data)
    for number in range(40):
        inbox = await resources.mailboxes.find(AccountId(1), "INBOX")
        assert inbox is not None
        text = ingested(f"message {number}", body="x" * 3000)
        await resources.mailboxes.append(inbox.id, text, frozenset(), SystemClock().now())
    await resources.close()


async def opened(data: Path) -> Resources:
    return await Resources.open(settings(data), None, clock=SystemClock())


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    await used(folder)
    return folder


def content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def cut(size_bytes: int) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, size_bytes)


def replaced_by(text: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(text)


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def emptied(path: Path) -> None:
    """Leave a database without tables, as a tool makes that was given the name."""
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("VACUUM")
    connection.close()


LOST: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "is empty or gone, but pec-bridge.mark beside it says"),
    "no bytes": (cut(0), "is empty or gone, but pec-bridge.mark beside it says"),
    "no tables": (emptied, "is empty or gone, but pec-bridge.mark beside it says"),
    "half a header": (cut(50), "is damaged"),
    "the first page": (cut(PAGE_BYTES), "is damaged"),
    "an odd half": (cut(5 * PAGE_BYTES + 77), "is damaged"),
    "another program's": (replaced_by(b"%PDF-1.7 " * 1000), "is damaged"),
    "zeros": (replaced_by(bytes(PAGE_BYTES * 20)), "is damaged"),
    "a folder": (folder_instead, "Is a directory"),
}


@pytest.mark.parametrize(("harm", "sentence"), LOST.values(), ids=LOST.keys())
async def test_a_lost_database_is_refused_and_left(
    data: Path, harm: Callable[[Path], object], sentence: str
) -> None:
    harm(data / DATABASE)
    left, mark = content(data / DATABASE), content(data / MARK)
    for _ in range(2):
        with pytest.raises(StoreFailed, match=sentence) as fault:
            await opened(data)
        assert str(data / DATABASE) in str(fault.value)
    assert content(data / DATABASE)[HEADER_BYTES:] == left[HEADER_BYTES:]
    assert len(content(data / DATABASE)) == len(left)
    assert content(data / MARK) == mark


async def test_who_takes_the_mark_away_begins_anew(data: Path) -> None:
    (data / DATABASE).unlink()
    (data / MARK).unlink()
    resources = await opened(data)
    await resources.close()


async def test_what_only_the_log_held_is_missed(tmp_path: Path) -> None:
    """The file is copied while the bridge runs, and its log is not."""
    data, copy = tmp_path / "data", tmp_path / "copy"
    resources = await opened(data)
    copy.mkdir()
    connection = sqlite3.connect(tmp_path / "one page")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    shutil.copy(tmp_path / "one page", copy / DATABASE)  # as it is before the first checkpoint
    shutil.copy(data / MARK, copy / MARK)
    await resources.close()
    with pytest.raises(StoreFailed, match="is empty or gone"):
        await opened(copy)


async def read_all(mailboxes: Mailboxes, resources: Resources) -> None:
    inbox = await mailboxes.find(AccountId(1), "INBOX")
    assert inbox is not None

    async def work(tx: ReadTransaction) -> None:
        for row in await tx.message_rows(inbox.id, [Uid(uid) for uid in range(1, 41)]):
            await tx.raw(row.content, 0, 10_000)

    await resources.store.read(work)


@pytest.mark.parametrize("seed", range(25))
async def test_any_page_may_be_damaged(data: Path, seed: int) -> None:
    """Whatever it hits, it is refused at the start or when read, or it does not matter."""
    random = Random(seed)
    path = data / DATABASE
    pages = path.stat().st_size // PAGE_BYTES
    with path.open("r+b") as file:
        page = seed if seed < 10 else random.randrange(pages)
        file.seek(page * PAGE_BYTES + random.choice((0, 100, 2000)))
        file.write(random.randbytes(random.choice((3, 30, 2000))))
    try:
        resources = await opened(data)
    except StoreFailed:
        return
    try:
        await read_all(resources.mailboxes, resources)
    except StoreFailed:
        pass
    finally:
        await resources.close()


@pytest.mark.parametrize("mode", [0o400, 0o000])
@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write whatever it is")
async def test_a_file_that_may_not_be_written(data: Path, mode: int) -> None:
    (data / DATABASE).chmod(mode)
    with pytest.raises(StoreFailed, match="Permission denied"):
        await opened(data)


async def test_a_file_of_somebody_else(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refused)
    with pytest.raises(StoreFailed, match="Operation not permitted"):
        await opened(data)
