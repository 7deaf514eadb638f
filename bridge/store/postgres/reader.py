"""Reads of several statements, on threads, each on a connection that is kept for the next.

Failure: a connection that was lost, perhaps long ago, is replaced once: a read may be run again.
"""

from __future__ import annotations

import contextlib
from collections import deque
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
        self._idle: deque[Connection] = deque()

    def reading(self, work: ReadWork[T]) -> OneRead[T]:
        """Return what runs a work."""
        return OneRead(self, work)

    def open(self) -> Connection:
        """Return a new connection, which takes no writes; blocks.

        Raises:
            psycopg.Error: the database cannot be reached.
        """
        connection = connect(self.told, statement_most_s=self.most_s)
        connection.execute("SET default_transaction_read_only = on")
        return connection

    def take(self) -> Connection | None:
        """Return the connection that was used last, for nobody else until it is put back."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def put_back(self, connection: Connection) -> None:
        """Keep a connection for the next read, unless it was lost."""
        if _is_lost(connection):
            connection.close()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        """Close the connections, which nobody uses any more."""
        while (connection := self.take()) is not None:
            connection.close()


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
            self._connection = self._reader.take()
            if self._connection is not None:
                try:
                    return self._read(self._connection)
                except psycopg.OperationalError:
                    if not _is_lost(self._connection):
                        raise
            self._connection = self._reader.open()
            return self._read(self._connection)
        except psycopg.Error as error:
            raise failure(error, self._reader.name) from error

    def cut_off(self) -> None:
        """Wait for the database no longer."""
        if self._connection is not None:
            cut_off(self._connection)

    def _read(self, connection: Connection) -> T:
        try:
            connection.statements.command(_BEGIN)
            result = drive(self._work(SqlTransaction(PostgresEngine(connection))))
            connection.statements.command("COMMIT")
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                connection.execute("ROLLBACK")
            raise
        finally:
            self._reader.put_back(connection)
        return result


def _is_lost(connection: Connection) -> bool:
    return connection.closed or connection.broken
