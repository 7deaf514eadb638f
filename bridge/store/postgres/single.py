"""Works that ask one thing: what they ask, and what they make of the answer, without a connection.

One statement sees one moment of the database by itself, so such a work needs no transaction and no
thread: it is run until it asks, its question goes to the server (``question``), and it is run again
with the answer. A read may be run again, and does nothing but ask.

Failure: ``NeedsSnapshot`` where a work asks for more; nothing has come of it then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Never, TypeVar, cast

from bridge.store.base import ReadWork
from bridge.store.postgres.connection import Connection
from bridge.store.postgres.dialect import translated
from bridge.store.postgres.engine import PostgresEngine
from bridge.store.postgres.statements import Rows
from bridge.store.sql.drive import drive
from bridge.store.sql.engine import Values
from bridge.store.sql.transaction import SqlTransaction

T = TypeVar("T")


class NeedsSnapshot(BaseException):
    """A work asks for several things, which have to be of one moment; no work catches it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A statement in PostgreSQL's words, and its values."""

    statement: str
    values: Sequence[object]


@dataclass(frozen=True, slots=True)
class ReadOutcome:
    """What came of a work."""

    result: Any


class _FirstQuestion(BaseException):
    """Carries a work's question past whatever stands between; no work catches it."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question


class _NothingElse:
    """Stands where a transaction's statements and cursor are."""

    def __getattr__(self, name: str) -> Never:
        raise NeedsSnapshot


class _NoConnection:
    """Stands where a connection is."""

    statements = _NothingElse()

    def cursor(self, *, binary: bool) -> _NothingElse:
        return _NothingElse()


class _OneStatement(PostgresEngine):
    """Asks once, or has the answer to that."""

    def __init__(self, found: Rows | None = None) -> None:
        super().__init__(cast(Connection, _NoConnection()))
        self._found = found
        self._has_asked = False

    def rows(self, statement: str, values: Values = ()) -> list[Any]:
        if self._has_asked:
            raise NeedsSnapshot
        if self._found is None:
            raise _FirstQuestion(Question(translated(statement), values))
        self._has_asked = True
        return self._found

    def row(self, statement: str, values: Values = ()) -> Any:
        rows = self.rows(statement, values)
        return rows[0] if rows else None


def asked_by(work: ReadWork[Any]) -> Question | ReadOutcome:
    """Return what a work asks first, or what came of it if it asks nothing.

    Raises:
        NeedsSnapshot: it does more than read.
    """
    try:
        return ReadOutcome(drive(work(SqlTransaction(_OneStatement()))))
    except _FirstQuestion as asked:
        return asked.question


def answered(work: ReadWork[T], rows: Rows) -> T:
    """Return what a work makes of the answer.

    Raises:
        NeedsSnapshot: it asks for more.
    """
    return drive(work(SqlTransaction(_OneStatement(rows))))
