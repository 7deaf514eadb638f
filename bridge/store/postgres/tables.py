"""PostgreSQL's side of a copy (see ``sql.copying``)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any

import psycopg

from bridge.language import say
from bridge.store.base import StoreFailed
from bridge.store.postgres.connection import (
    Connection,
    connect,
    conninfo_of,
    failure,
    name_of,
)
from bridge.store.postgres.engine import PostgresEngine
from bridge.store.postgres.migrations import WRITE_LOCK, check, index_bodies, migrate
from bridge.store.sql.copying import Row, Table

OWN = frozenset({"schema_step", "last_commit", "event_counter"})
OWN_COLUMNS = frozenset({"is_indexed", "origin", "identification"})
"""What this engine has for itself."""

COPY_MOST_S = 24 * 3600
"""How long a statement may take where a whole database is copied."""

ROWS_AT_ONCE = 20
"""Rows that are fetched together; each may have a whole message."""

_TABLES = (
    "SELECT relname::text FROM pg_class WHERE relkind = 'r'"
    " AND relnamespace = current_schema::regnamespace ORDER BY oid"
)
_COLUMNS = (
    "SELECT column_name::text, coalesce(domain_name, data_type)::text"
    " FROM information_schema.columns"
    ' WHERE table_schema = current_schema AND table_name = $1 ORDER BY column_name COLLATE "C"'
)
_KEY = (
    "SELECT attname::text FROM pg_index JOIN pg_attribute ON attrelid = indrelid"
    " AND attnum = ANY(indkey) WHERE indrelid = $1::regclass AND indisprimary"
    " ORDER BY array_position(indkey::int2[], attnum)"
)
_IDENTITIES = (
    "SELECT table_name::text, pg_get_serial_sequence(table_name::text, column_name::text)"
    " FROM information_schema.columns"
    " WHERE table_schema = current_schema AND is_identity = 'YES' ORDER BY 1"
)
_UNNUMBERED = frozenset({"account", "transition", "clearing", "header_set"})
"""Where SQLite may give a number again, so that it does not remember the highest."""

Change = Callable[[Any], Any]


class PostgresTables:
    """Satisfies ``sql.copying.Tables``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._kinds: dict[str, dict[str, str]] = {}

    def tables(self) -> list[Table]:
        names = [name for (name,) in self._rows(_TABLES) if name not in OWN]
        return [self._table(name) for name in names]

    def count(self, table: Table) -> int:
        return int(self._rows(f"SELECT count(*) FROM {table.name}")[0][0])  # noqa: S608

    def read(self, table: Table) -> Generator[Row, None, None]:
        changes = self._changes(table, _AS_SQLITE)
        with self._connection.cursor(binary=True) as cursor:
            cursor.execute(
                f"DECLARE reading CURSOR FOR SELECT {_names(table.columns)} FROM {table.name}"  # noqa: S608
                f" ORDER BY {_names(table.key)}"
            )
            while rows := cursor.execute(f"FETCH {ROWS_AT_ONCE} FROM reading").fetchall():
                for row in rows:
                    yield _changed(row, changes)
            cursor.execute("CLOSE reading")

    def write(self, table: Table, rows: Iterable[Row]) -> None:
        changes = self._changes(table, _AS_POSTGRES)
        self._connection.execute(f"DELETE FROM {table.name}")  # noqa: S608
        statement = f"COPY {table.name} ({_names(table.columns)}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(_changed(row, changes))

    def numbers(self) -> dict[str, int]:
        found = {
            table: self._last(sequence)
            for table, sequence in self._rows(_IDENTITIES)
            if table not in _UNNUMBERED
        }
        return found | {"event": int(self._rows("SELECT newest FROM event_counter")[0][0])}

    def set_numbers(self, numbers: Mapping[str, int]) -> None:
        self._connection.execute("UPDATE event_counter SET newest = $1", (numbers["event"],))
        for table, sequence in self._rows(_IDENTITIES):
            last = numbers.get(table) if table not in _UNNUMBERED else self._highest(table)
            if last:
                self._connection.execute("SELECT setval($1::text::regclass, $2)", (sequence, last))

    def _highest(self, table: str) -> int:
        (key,) = self._table(table).key
        return int(self._rows(f"SELECT coalesce(max({key}), 0) FROM {table}")[0][0])  # noqa: S608

    def _last(self, sequence: str) -> int:
        ((last, is_called),) = self._rows(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608
        return int(last) if is_called else 0

    def _table(self, name: str) -> Table:
        kinds = dict(self._rows(_COLUMNS, (name,)))
        self._kinds[name] = kinds
        columns = tuple(column for column in kinds if column not in OWN_COLUMNS)
        return Table(name, columns, tuple(column for (column,) in self._rows(_KEY, (name,))))

    def _changes(
        self, table: Table, known: Mapping[str, Callable[[Table], Change | None]]
    ) -> list[Change | None]:
        kinds = self._kinds[table.name]
        return [known.get(kinds[column], _unchanged)(table) for column in table.columns]

    def _rows(self, statement: str, values: tuple[object, ...] = ()) -> list[Any]:
        return self._connection.execute(statement, values or None).fetchall()


def _unchanged(_table: Table) -> Change | None:
    return None


_AS_SQLITE: dict[str, Callable[[Table], Change | None]] = {
    "boolean": lambda _table: int,
    "bytea": lambda table: bytes.decode if table.name == "remote_body" else None,
}
_AS_POSTGRES: dict[str, Callable[[Table], Change | None]] = {
    "boolean": lambda _table: bool,
    "bytea": lambda table: str.encode if table.name == "remote_body" else None,
}


def _changed(row: Row, changes: list[Change | None]) -> Row:
    return tuple(
        value if change is None or value is None else change(value)
        for value, change in zip(row, changes, strict=True)
    )


@contextlib.contextmanager
def opened(url: str) -> Iterator[PostgresTables]:
    """Give a database to be copied; nobody writes to it meanwhile.

    Raises:
        StoreFailed: it cannot be read, there is nothing in it, or a bridge works on it.
    """
    with _connected(url) as connection:
        if not check(connection, name_of(url)):
            raise StoreFailed(say("{url} holds no data.", url=name_of(url)))
        if bridges := list(PostgresEngine(connection).bridges()):
            raise StoreFailed(
                say(
                    "A bridge ({bridge}) works on {name}: stop it first.",
                    bridge=bridges[0],
                    name=name_of(url),
                )
            )
        migrate(connection, name_of(url), None)
        connection.execute(f"SELECT pg_advisory_lock({WRITE_LOCK})")
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield PostgresTables(connection)


@contextlib.contextmanager
def made(url: str) -> Iterator[PostgresTables]:
    """Give an empty database to be filled; it is committed in the end, or stays as it was.

    Raises:
        StoreFailed: it cannot be made, or there is something in it.
    """
    name = name_of(url)
    with _connected(url) as connection:
        migrate(connection, name, None)
        connection.execute("BEGIN")
        connection.execute(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
        if connection.execute("SELECT 1 FROM account LIMIT 1").fetchone():
            raise StoreFailed(say("{name} holds data already: take an empty database.", name=name))
        yield PostgresTables(connection)
        connection.execute("COMMIT")
        index_bodies(connection)


@contextlib.contextmanager
def _connected(url: str) -> Iterator[Connection]:
    told, name = conninfo_of(url), name_of(url)
    try:
        with contextlib.closing(connect(told, statement_most_s=COPY_MOST_S)) as connection:
            connection.execute("SET idle_in_transaction_session_timeout = 0")
            yield connection
    except psycopg.Error as error:
        raise failure(error, name) from error


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
