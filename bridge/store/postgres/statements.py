"""Statements on one connection: prepared when they come again, run by libpq's own calls.

psycopg's cursors take twice as long for what is small. Values and rows are its own (``words``).

Failure: ``psycopg.Error``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result

MOST_PREPARED = 512

Rows = list[tuple[Any, ...]]


class Bound:
    """A statement with its values as they go over.

    ``name`` is what it is prepared by, b"" for nothing, and ``is_known`` says that it is by now.
    """

    __slots__ = ("formats", "is_known", "name", "statement", "types", "values")

    def __init__(self, statement: str, values: Sequence[Any]) -> None:
        self.statement = statement
        self.values = values
        self.types: tuple[int, ...] = ()
        self.formats: Sequence[int] | None = None
        self.name = b""
        self.is_known = False

    @property
    def words(self) -> bytes:
        """The statement for the server."""
        return self.statement.encode()


class Statements:
    """See the module; one at a time."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._pgconn = connection.pgconn
        self._transformer = Transformer(connection)
        self._numbers = count(1)
        self._names: dict[tuple[str, tuple[int, ...]], bytes] = {}

    def bound(self, statement: str, values: Sequence[object]) -> Bound:
        """Return a statement as it is sent."""
        transformer = self._transformer
        bound = Bound(statement, transformer.dump_sequence(values, [PyFormat.AUTO] * len(values)))
        bound.types, bound.formats = transformer.types or (), transformer.formats
        key = statement, bound.types
        name = self._names.get(key)
        if name:
            bound.name, bound.is_known = name, True
        elif name is not None:
            bound.name = f"bridge_{next(self._numbers)}".encode()
        elif len(self._names) < MOST_PREPARED:
            self._names[key] = b""  # prepared when it comes again
        return bound

    def is_prepared(self, bound: Bound) -> None:
        """Take note that the server knows a statement by its name."""
        self._names[bound.statement, bound.types] = bound.name

    def run(self, statement: str, values: Sequence[object]) -> pq.abc.PGresult:
        """Run a statement; blocks.

        Raises:
            psycopg.Error: it failed.
        """
        bound = self.bound(statement, values)
        if not bound.name:
            return checked(
                self._pgconn.exec_params(
                    bound.words, bound.values, bound.types, bound.formats, pq.Format.BINARY
                )
            )
        if not bound.is_known:
            checked(self._pgconn.prepare(bound.name, bound.words, bound.types))
            self.is_prepared(bound)
        return checked(
            self._pgconn.exec_prepared(bound.name, bound.values, bound.formats, pq.Format.BINARY)
        )

    def command(self, commands: str) -> None:
        """Run commands without values; blocks.

        Raises:
            psycopg.Error: one failed.
        """
        checked(self._pgconn.exec_(commands.encode()))

    def rows(self, result: pq.abc.PGresult, most: int | None = None) -> Rows:
        """Return a result's rows, or the first of them."""
        wanted = result.ntuples if most is None else min(most, result.ntuples)
        if not wanted:
            return []
        transformer = self._transformer
        transformer.set_pgresult(result)
        try:
            return transformer.load_rows(0, wanted, tuple)
        finally:
            transformer.set_pgresult(None)


_GOOD = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


def checked(result: pq.abc.PGresult) -> pq.abc.PGresult:
    """Return a result that is none of a failure.

    Raises:
        psycopg.OperationalError: it is, and the connection was cut.
        psycopg.Error: it is another.
    """
    if result.status in _GOOD:
        return result
    if result.error_field(pq.DiagnosticField.SQLSTATE) is None:  # libpq's own: the line is cut
        raise psycopg.OperationalError((result.error_message or b"").decode(errors="replace"))
    raise error_from_result(result)
