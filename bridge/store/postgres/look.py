"""A look at a store that nobody has to hold: nothing is made, migrated or written.

For ``status`` and ``check`` where no bridge runs.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import TypeVar

import psycopg

from bridge.language import say
from bridge.store.base import ReadWork, StoreFailed
from bridge.store.postgres.connection import (
    STATEMENT_MOST_S,
    Connection,
    connect,
    conninfo_of,
    failure,
    name_of,
)
from bridge.store.postgres.migrations import STEPS, check
from bridge.store.postgres.reader import Reader
from bridge.store.sql.look import ReadOnlyStore, other_version

T = TypeVar("T")


class PostgresLook(ReadOnlyStore):
    """A look at a database; build it with ``open``."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @classmethod
    async def open(cls, url: str) -> PostgresLook:
        """Return a look at a database.

        Raises:
            StoreFailed: it cannot be read, or another version wrote it.
        """
        await asyncio.to_thread(_see_present, url)
        return cls(Reader(conninfo_of(url), name_of(url), STATEMENT_MOST_S))

    async def read(self, work: ReadWork[T]) -> T:
        """See ``store.base.Store.read``."""
        return await asyncio.to_thread(self._reader.reading(work).run)

    async def close(self) -> None:
        """See ``store.base.Store.close``."""
        self._reader.close()


def is_there(url: str) -> bool:
    """Tell whether a database has a store; blocks.

    Raises:
        StoreFailed: it cannot be asked.
    """
    with _connected(url) as connection:
        return check(connection, name_of(url)) > 0


def examine(url: str) -> str | None:
    """Return in a sentence how a database is, None if there is no store yet. Blocks.

    Raises:
        StoreFailed: it cannot be used, or a newer version wrote it.
    """
    with _connected(url) as connection:
        version = check(connection, name_of(url))
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        size = int(row[0]) / 1024**2 if row else 0
        server = connection.info.parameter_status("server_version")
    if not version:
        return None
    return say(
        "PostgreSQL {server}, {size} MiB, version {version}",
        server=server or "",
        size=f"{size:,.1f}",
        version=version,
    )


def _see_present(url: str) -> None:
    with _connected(url) as connection:
        seen = check(connection, name_of(url))
    if seen != len(STEPS):
        raise StoreFailed(other_version(seen, len(STEPS)))


@contextlib.contextmanager
def _connected(url: str) -> Iterator[Connection]:
    told = conninfo_of(url)
    try:
        with contextlib.closing(connect(told)) as connection:
            yield connection
    except psycopg.Error as error:
        raise failure(error, name_of(url)) from error
