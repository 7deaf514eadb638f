"""All rows of one database into another, whichever engines they are of, and compared.

Values go over as SQLite has them: numbers, texts, bytes. What is not copied is what an engine makes
for itself: indexes of bodies, and the row that each writer has in PostgreSQL.

Failure: ``StoreFailed`` where the two are not the same in the end, or know other tables.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Protocol

from bridge.language import say
from bridge.store.base import StoreFailed

Row = tuple[Any, ...]

TOLD_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns, and those of its key, by which rows are in order."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


class Tables(Protocol):
    """One database, within one transaction."""

    def tables(self) -> list[Table]:
        """Return the tables, each behind those whose rows it names."""

    def count(self, table: Table) -> int:
        """Return how many rows a table has."""

    def read(self, table: Table) -> Generator[Row, None, None]:
        """Yield a table's rows in the order of their keys."""

    def write(self, table: Table, rows: Iterable[Row]) -> None:
        """Put rows into a table, in place of those that it was made with."""

    def numbers(self) -> dict[str, int]:
        """Return the highest number that was ever given in each table that gives none twice."""

    def set_numbers(self, numbers: Mapping[str, int]) -> None:
        """Let numbers go on from these."""


def copy_rows(source: Tables, target: Tables, told: Callable[[int, int], None]) -> dict[str, int]:
    """Copy everything, then read both again and compare; return how many rows each table has.

    Args:
        source: what is copied, whole and unchanging.
        target: has its tables, and no row but those it was made with.
        told: how many rows of how many were copied or compared.

    Raises:
        StoreFailed: they are not the same.
    """
    tables = source.tables()
    _see_same(tables, target.tables())
    counts = {table.name: source.count(table) for table in tables}
    progress = _Progress(2 * sum(counts.values()), told)
    for table in tables:
        with closing(source.read(table)) as rows:
            target.write(table, progress.through(rows))
    target.set_numbers(source.numbers())
    for table in tables:
        with closing(source.read(table)) as rows, closing(target.read(table)) as others:
            pairs = zip_longest(rows, others)
            for at, (row, copied) in enumerate(progress.through(pairs), 1):
                if row != copied:
                    raise StoreFailed(
                        say("the copy is not the same: row {at} of {name}", at=at, name=table.name)
                    )
    if source.numbers() != target.numbers():
        raise StoreFailed(say("the copy is not the same: its numbers go on from elsewhere"))
    return counts


def _see_same(tables: list[Table], others: list[Table]) -> None:
    known = {table.name: table for table in others}
    if {table.name: table for table in tables} != known:
        names = [one.name for one in tables if one != known.pop(one.name, None)]
        raise StoreFailed(
            say("the two have other tables: {names}", names=", ".join([*names, *known]))
        )


class _Progress:
    def __init__(self, total: int, told: Callable[[int, int], None]) -> None:
        self._done, self._total, self._told = 0, total, told

    def through(self, rows: Iterable[Any]) -> Iterator[Any]:
        """Yield what is given, and tell of it now and then."""
        for row in rows:
            yield row
            self._done += 1
            if self._done % TOLD_EVERY == 0:
                self._told(self._done, self._total)
