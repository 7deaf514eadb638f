"""How the store's file is opened, made and read, and what a failure of it means.

WAL: a reader never waits for the writer. ``synchronous = FULL``: a commit is on the medium when it
returns. What a work may have to take back is kept in memory (``temp_store``), not in a file made
for each commit. The file is 0600 in a folder made 0700; SQLite gives its ``-wal`` and ``-shm``
the same.

A store that was in use has a mark beside it (``store.mark``). Where the mark is and the store is
empty or missing, nothing new is begun: UIDs would mean other messages, and what waits would be
forgotten without a word.

Failure: sqlite3's own errors become ``StoreFull`` or ``StoreFailed`` here and nowhere else.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

from bridge.language import say
from bridge.store import mark
from bridge.store.base import StoreFailed, StoreFull
from bridge.store.sqlite.migrations import migrate

FILE_NAME = "pec-bridge.sqlite"

WAL_LIMIT_BYTES = 64 * 1024 * 1024
"""What is left of the WAL after a checkpoint, so that one huge commit does not stay on the disk."""

WAL_RESERVED_BYTES = 1100 * 4120
"""What the WAL grows to before SQLite begins it again: 1,000 pages, their headers, some slack."""

CACHED_STATEMENTS = 512

WRITER_CACHE_KIB, READER_CACHE_KIB = 2000, 512
"""Pages each connection keeps: a reader mostly reads on and on, and the system has them as well."""

ZEROS = bytes(64 * 1024)

DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def prepare(path: Path) -> None:
    """Make the file and its folder where they are missing, and bring the schema up to date.

    Raises:
        StoreFull, StoreFailed: the file cannot be used, was written by a newer version, or is
            empty or gone although there is a mark.
    """
    try:
        if not path.exists() or not path.stat().st_size:
            _begin_nothing_beside_a_mark(path)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        os.close(descriptor)
        path.chmod(0o600)
        connection = connect(path, read_only=False)
        try:
            if not connection.execute("PRAGMA user_version").fetchone()[0]:
                _begin_nothing_beside_a_mark(path)
            migrate(connection)
        finally:
            connection.close()
    except OSError as error:
        raise StoreFailed(say("{path}: {strerror}", path=path, strerror=error.strerror)) from error
    except UnicodeDecodeError as error:  # sqlite3 quotes a schema that is no text any more
        raise _damaged(path, "its schema is not readable") from error
    except sqlite3.Error as error:
        raise failure(error, path) from error


def _begin_nothing_beside_a_mark(path: Path) -> None:
    if (path.parent / mark.FILE_NAME).exists():
        raise StoreFailed(
            say(
                "{path} is empty or gone, but {file_name} beside it says that it was "
                "in use. Put the database back; to begin with an empty one, take "
                "{file_name} away.",
                path=path,
                file_name=mark.FILE_NAME,
            )
        )


def _damaged(path: Path, why: str) -> StoreFailed:
    return StoreFailed(
        say(
            "{path} is damaged ({why}). Keep a copy of its folder, and put a backup back.",
            path=path,
            why=why,
        )
    )


def reserve_wal(path: Path) -> None:
    """Give the WAL its size beforehand: a sync that need not lengthen a file costs half.

    Zeros are no frames to SQLite, which reads up to the first that is not valid; appending them
    touches nothing that is there, whoever else has the file open. Best effort.
    """
    with contextlib.suppress(OSError), open(f"{path}-wal", "ab", opener=_private) as wal:
        while (missing_bytes := WAL_RESERVED_BYTES - wal.tell()) > 0:
            wal.write(ZEROS[:missing_bytes])


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def connect(path: Path, *, read_only: bool, page_limit: int | None = None) -> sqlite3.Connection:
    """Open the file; its transactions are begun and ended by the caller.

    Args:
        path: the store's file, which exists.
        read_only: refuse whatever would change it.
        page_limit: pages the file may have; None leaves that to the disk.
    """
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=CACHED_STATEMENTS
    )
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "busy_timeout = 10000",
        f"journal_size_limit = {WAL_LIMIT_BYTES}",
        f"cache_size = -{READER_CACHE_KIB if read_only else WRITER_CACHE_KIB}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    if page_limit is not None:
        connection.execute(f"PRAGMA max_page_count = {page_limit}")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    return connection


def failure(error: sqlite3.Error, path: Path) -> StoreFailed:
    """Return what sqlite3's error means to the store's users.

    A full disk shows as SQLITE_FULL, and as one of SQLITE_IOERR's kinds where SQLite was growing
    a file it maps.
    """
    code, why = getattr(error, "sqlite_errorcode", 0), error.args[0] if error.args else ""
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(say("{path}: {error}", path=path, error=why))
    if code & 0xFF == sqlite3.SQLITE_IOERR and shutil.disk_usage(path.parent).free == 0:
        return StoreFull(say("{path}: {error}, the disk is full", path=path, error=why))
    if code & 0xFF in DAMAGE:
        return _damaged(path, str(error))
    return StoreFailed(say("{path}: {error}", path=path, error=why))
