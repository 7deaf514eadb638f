"""A look at a store that nobody has to hold: nothing is made, migrated or written.

For ``status`` where no bridge runs. Where there is no store an empty one in memory stands in.
SQLite itself may put its empty ``-wal`` and ``-shm`` beside a store that is read, owned as that is.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TypeVar

from bridge.store.base import ReadWork
from bridge.store.sql.drive import drive
from bridge.store.sql.look import ReadOnlyStore, other_version
from bridge.store.sql.transaction import SqlTransaction
from bridge.store.sqlite.connection import FILE_NAME, failure
from bridge.store.sqlite.engine import SqliteEngine
from bridge.store.sqlite.migrations import STEPS, migrate

T = TypeVar("T")


class StoreLook(ReadOnlyStore):
    """A look at a file.

    Args:
        data_dir: where the store is; None stands for an empty one.

    Raises:
        StoreFailed: it cannot be read, or another version wrote it.
    """

    def __init__(self, data_dir: Path | None) -> None:
        self._path = data_dir and data_dir / FILE_NAME
        try:
            self._connection = _empty() if self._path is None else _opened(self._path)
        except sqlite3.Error as error:
            raise failure(error, self._path or Path()) from error

    async def read(self, work: ReadWork[T]) -> T:
        """See ``store.base.Store.read``."""
        try:
            self._connection.execute("BEGIN")
            try:
                return drive(work(SqlTransaction(SqliteEngine(self._connection))))
            finally:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise failure(error, self._path or Path()) from error

    async def close(self) -> None:
        """See ``store.base.Store.close``."""
        self._connection.close()


def is_there(data_dir: Path) -> bool:
    """Tell whether a folder has a store that something was written to."""
    try:
        return (data_dir / FILE_NAME).stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.isolation_level = None
    try:
        (seen,) = connection.execute("PRAGMA user_version").fetchone()
        if seen != len(STEPS):
            raise sqlite3.DatabaseError(other_version(seen, len(STEPS)))
    except BaseException:
        connection.close()
        raise
    return connection


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    return connection
