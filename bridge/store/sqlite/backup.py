"""Copies of the store: made while it is in use, looked through before they are put back.

``copy`` reads from one snapshot, so whoever writes meanwhile neither waits nor is half in the copy,
and the copy is read through once before it is called good. What it says of the mark is true of no
file (see ``store.mark``): however it is put back, it is known for a copy.

Failure: ``StoreFailed``; ``StoreFull`` where the copy has no room.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.language import say
from bridge.store.base import StoreFailed
from bridge.store.sqlite.connection import FILE_NAME, failure
from bridge.store.sqlite.migrations import STEPS

PAGES_AT_A_TIME = 4096
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite may have beside a database file."""

_OF_THE_TARGET = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})

_OF_NO_FILE = {
    True: "UPDATE mark SET inode = -1, changed_ns = 0",
    False: "UPDATE lineage SET mark_inode = -1, mark_changed_ns = 0",
}
"""By whether each bridge has a mark of its own in the store, as in those of newer versions."""

Told = Callable[[int, int], None]
"""Is told (done, total), in pages."""


def copy(source: Path, target: Path, told: Told) -> None:
    """Copy the database ``source`` into ``target``, a new or empty file, synced; blocks.

    Args:
        source: a store's file, in use or not, or an earlier copy.
        target: is to be the copy; nobody else uses it.
        told: how far it has come.

    Raises:
        StoreFailed: there is no store, it is damaged, or the medium failed.
    """
    if not source.is_file() or not source.stat().st_size:
        raise StoreFailed(say("{source} holds no data.", source=source))
    try:
        with _reading(source) as reader, contextlib.closing(sqlite3.connect(target)) as writer:
            reader.backup(
                writer,
                pages=PAGES_AT_A_TIME,
                progress=lambda _status, left, total: told(total - left, total),
            )
            writer.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
            _check(writer, source)
            writer.execute("PRAGMA synchronous = FULL")
            writer.execute(_OF_NO_FILE[_has_marks(writer)])
            writer.commit()
    except sqlite3.Error as error:
        is_targets = getattr(error, "sqlite_errorcode", 0) & 0xFF in _OF_THE_TARGET
        raise failure(error, target if is_targets else source) from error
    finally:
        for suffix in BESIDE:
            Path(f"{target}{suffix}").unlink(missing_ok=True)
    _sync(target)


def put_in_place(staged: Path, data_dir: Path, aside: str) -> Path | None:
    """Make ``staged``, a file of ``data_dir``, its store; returns where the old one is now, if any.

    What was there is renamed, never overwritten. The caller holds the lock. A crash in between
    leaves no store beside the old one's mark, with which no bridge begins (``connection``).

    Args:
        staged: a copy that was looked through.
        data_dir: the folder.
        aside: what is put behind the name of the old store.

    Raises:
        OSError: it was not done, or not wholly.
    """
    path = data_dir / FILE_NAME
    moved = None
    for suffix in ("", *BESIDE):
        old = Path(f"{path}{suffix}")
        if os.path.lexists(old):
            old.rename(f"{path}{aside}{suffix}")
            moved = Path(f"{path}{aside}")
    staged.rename(path)
    _sync_folder(data_dir)
    return moved


@contextmanager
def _reading(source: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection that sees one moment of the database and nothing later."""
    connection = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
    connection.isolation_level = None
    try:
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        yield connection
    finally:
        connection.close()


def _check(connection: sqlite3.Connection, source: Path) -> None:
    """Read the whole copy once.

    Raises:
        StoreFailed: it is damaged, of a newer version, or no store.
        sqlite3.Error: likewise.
    """
    (seen,) = connection.execute("PRAGMA user_version").fetchone()
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if not {"account", "lineage", "submission"} <= tables or not seen:
        raise StoreFailed(say("{source} is no data of pec-bridge.", source=source))
    if seen > len(STEPS):
        raise StoreFailed(
            say(
                "{source} was written by a newer pec-bridge (schema {seen}, this one "
                "knows {steps}); install that version.",
                source=source,
                seen=seen,
                steps=len(STEPS),
            )
        )
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise StoreFailed(
            say(
                "{source} is damaged ({verdict}); put an older backup back.",
                source=source,
                verdict=verdict,
            )
        )


def _has_marks(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'mark'").fetchone()
    return found is not None


def _sync(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreFailed(say("{path}: {strerror}", path=path, strerror=error.strerror)) from error


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every system lets a folder be opened
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
