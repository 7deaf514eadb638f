"""SQLite's side of a copy (see ``sql.copying``)."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path

from bridge.language import say
from bridge.store.base import StoreFailed
from bridge.store.sql.copying import Row, Table
from bridge.store.sqlite import connection, migrations

OWN = ("sqlite_", "body_index")
"""How the names begin of what SQLite makes for itself."""

NOT_COPIED = "origin"
"""Of each database, another."""


class SqliteTables:
    """Satisfies ``sql.copying.Tables``."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def tables(self) -> list[Table]:
        names = self._database.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid"
        ).fetchall()
        return [self._table(name) for (name,) in names if not name.startswith(OWN)]

    def count(self, table: Table) -> int:
        (count,) = self._database.execute(f"SELECT count(*) FROM {table.name}").fetchone()  # noqa: S608
        return int(count)

    def read(self, table: Table) -> Generator[Row, None, None]:
        yield from self._database.execute(
            f"SELECT {_names(table.columns)} FROM {table.name} ORDER BY {_names(table.key)}"  # noqa: S608
        )

    def write(self, table: Table, rows: Iterable[Row]) -> None:
        self._database.execute(f"DELETE FROM {table.name}")  # noqa: S608
        places = ", ".join("?" * len(table.columns))
        self._database.executemany(
            f"INSERT INTO {table.name} ({_names(table.columns)}) VALUES ({places})",  # noqa: S608
            rows,
        )

    def numbers(self) -> dict[str, int]:
        known = dict(self._database.execute("SELECT name, seq FROM sqlite_sequence"))
        return {name: known.get(name, 0) for name in self._numbering()}

    def set_numbers(self, numbers: Mapping[str, int]) -> None:
        self._database.execute("DELETE FROM sqlite_sequence")
        self._database.executemany("INSERT INTO sqlite_sequence VALUES (?, ?)", numbers.items())

    def _numbering(self) -> list[str]:
        found = self._database.execute(
            "SELECT name FROM sqlite_schema WHERE sql LIKE '%AUTOINCREMENT%' ORDER BY name"
        )
        return [name for (name,) in found]

    def _table(self, name: str) -> Table:
        columns = self._database.execute(f"PRAGMA table_info({name})").fetchall()
        key = sorted((column[5], column[1]) for column in columns if column[5])
        return Table(
            name,
            tuple(sorted(str(column[1]) for column in columns if column[1] != NOT_COPIED)),
            tuple(column for _, column in key),
        )


@contextlib.contextmanager
def opened(path: Path) -> Iterator[SqliteTables]:
    """Give a store's file to be copied; it is brought up to date first.

    Raises:
        StoreFailed: it cannot be read.
    """
    try:
        connection.prepare(path)
        with contextlib.closing(connection.connect(path, read_only=True)) as database:
            database.execute("BEGIN")
            yield SqliteTables(database)
    except sqlite3.Error as error:
        raise connection.failure(error, path) from error


@contextlib.contextmanager
def made(path: Path) -> Iterator[SqliteTables]:
    """Give a new file to be filled; it is committed in the end, or taken away again.

    Raises:
        StoreFailed: it cannot be made, or there is one.
    """
    if path.exists():
        raise StoreFailed(say("{path} is there already: set it aside first.", path=path))
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    try:
        with contextlib.closing(connection.connect(unfinished, read_only=False)) as database:
            migrations.migrate(database)
            database.execute("BEGIN IMMEDIATE")
            yield SqliteTables(database)
            database.execute("COMMIT")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        unfinished.rename(path)
    except sqlite3.Error as error:
        raise connection.failure(error, unfinished) from error
    finally:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{unfinished}{suffix}").unlink(missing_ok=True)


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
