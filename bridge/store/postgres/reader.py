"""Reads on threads, each on a connection of its own that is kept for the next.

Failure: a connection that was lost, perhaps long ago, is replaced once: a read may be run again.
"""

from __future__ import annotations

import contextlib
import queue
from typing import Generic, TypeVar

import psycopg

from bridge.store.base import ReadWork
from bridge.store.postgres.connection import Connection, connect, cut_off, failure
from bridge.store.postgres.engine import PostgresEngine
from bridge.store.sql.drive import drive
from bridge.store.sql.transaction import SqlTransaction

T = TypeVar("T")

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Reader:
    """Connections for reads.

    Args:
        told: what ``connection.conninfo_of`` returned.
        name: how the database is called.
        most_s: how long a statement may take.
    """

    def __init__(self, told: str, name: str, most_s: int) -> None:
        self.told = told
        self.name = name
        self.most_s = most_s
        self.idle: queue.SimpleQueue[Connection] = queue.SimpleQueue()

    def reading(self, work: ReadWork[T]) -> OneRead[T]:
        """Return what runs a work."""
        return OneRead(self, work)

    def close(self) -> None:
        """Close the connections, which nobody uses any more."""
        with contextlib.suppress(queue.Empty):
            while True:
                self.idle.get_nowait().close()


class OneRead(Generic[T]):
    """A read of a work; ``run`` blocks, ``cut_off`` may be called from another thread."""

    def __init__(self, reader: Reader, work: ReadWork[T]) -> None:
        self._reader = reader
        self._work = work
        self._connection: Connection | None = None

    def run(self) -> T:
        """Return what the work does.

        Raises:
            StoreFailed: the database failed.
        """
        try:
            with contextlib.suppress(queue.Empty):
                self._connection = self._reader.idle.get_nowait()
                try:
                    return self._read(self._connection)
                except psycopg.OperationalError:
                    if not _is_lost(self._connection):
                        raise
            self._connection = connect(self._reader.told, statement_most_s=self._reader.most_s)
            return self._read(self._connection)
        except psycopg.Error as error:
            raise failure(error, self._reader.name) from error

    def cut_off(self) -> None:
        """Wait for the database no longer."""
        if self._connection is not None:
            cut_off(self._connection)

    def _read(self, connection: Connection) -> T:
        try:
            connection.execute(_BEGIN)
            result = drive(self._work(SqlTransaction(PostgresEngine(connection))))
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                connection.execute("ROLLBACK")
            raise
        finally:
            if _is_lost(connection):
                connection.close()
            else:
                self._reader.idle.put(connection)
        return result


def _is_lost(connection: Connection) -> bool:
    return connection.closed or connection.broken
