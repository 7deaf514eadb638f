"""What the writer writes to, where it is SQLite: one connection to the store's file.

Failure: see ``connection.failure``; a connection that cannot end its transaction is closed, which
undoes it, and the next group opens the file anew.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from bridge.store.base import StoreFailed, Transaction
from bridge.store.sql.commit import run_one_by_one
from bridge.store.sql.transaction import SqlTransaction
from bridge.store.sql.writer import Doubtful, Job
from bridge.store.sqlite.connection import connect, failure
from bridge.store.sqlite.engine import SqliteEngine
from bridge.store.sqlite.samefile import SameFile


class SqliteSession:
    """Satisfies ``sql.commit.WriterSession``."""

    fault: type[Exception] = sqlite3.Error
    refusal: type[Exception] = sqlite3.IntegrityError

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def is_open(self) -> bool:
        return self._connection.in_transaction

    def is_for_all(self, _error: Exception) -> bool:
        """See ``WriterSession``: what has no room together may have it alone."""
        return False

    def begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def transaction(self) -> Transaction:
        return SqlTransaction(SqliteEngine(self._connection))

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def run(self, command: str) -> None:
        self._connection.execute(command)

    def close(self) -> None:
        """Close the connection; what it held open is undone."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()


class SqliteMedium:
    """Satisfies ``sql.writer.Medium``."""

    def __init__(self, path: Path, page_limit: int | None) -> None:
        self.name = str(path)
        self._path = path
        self._page_limit = page_limit
        self._session: SqliteSession | None = None
        self._same_file = SameFile(path)

    def run(self, group: Sequence[Job], _doubtful: Doubtful) -> None:
        try:
            if self._session is None:
                self._session = SqliteSession(
                    connect(self._path, read_only=False, page_limit=self._page_limit)
                )
            self._same_file.check()
            if not run_one_by_one(self._session, group, self._failure):
                self.reset()
        except sqlite3.Error as error:  # not even opened
            for job in group:
                job.fail(failure(error, self._path))

    def reset(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def cut_off(self) -> None:
        """See ``Medium``: a disk cannot be cut off."""

    def give_up(self) -> None:
        """See ``Medium``: what a disk answered is known."""

    def _failure(self, error: Exception) -> StoreFailed:
        assert isinstance(error, sqlite3.Error)  # noqa: S101 - it is the session's fault
        return failure(error, self._path)
