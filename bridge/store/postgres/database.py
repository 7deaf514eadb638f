"""One PostgreSQL database, one writing thread in each process, readers that never wait for it.

Purpose: run works (see ``store.base``) against PostgreSQL so that a commit has reached its disk
before its caller hears of it, and the event loop never waits for the network.

How: works are driven to their end on threads, by blocking calls: a work awaits nothing else, and a
thread costs one change of hands for a whole work, where the loop's would cost one for each
statement. Writes go to the writer's thread (``medium``), reads to a few of their own, long reads
(``scan``) to one more; a read sees one moment of the database (REPEATABLE READ). A read that asks
one thing does so on the loop (``short``): its statement sees one moment by itself.

Failure: see ``connection.failure``; a store that failed serves again once the database does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, cast

import psycopg
import structlog

from bridge.language import say
from bridge.model import AccountId
from bridge.store.base import ReadWork, StoreFailed, Work
from bridge.store.news import Heard
from bridge.store.postgres.connection import (
    SCAN_MOST_S,
    STATEMENT_MOST_S,
    connect,
    conninfo_of,
    failure,
    name_of,
)
from bridge.store.postgres.medium import PostgresMedium
from bridge.store.postgres.migrations import index_bodies, migrate
from bridge.store.postgres.news import NewsListener
from bridge.store.postgres.reader import Reader
from bridge.store.postgres.short import ShortReads
from bridge.store.sql.writer import Job, Writer

T = TypeVar("T")

log = structlog.get_logger()

READERS = 4
"""Short reads at once."""

HANGS_S = 30
"""How much longer than a statement may take anything is waited for."""


class PostgresStore:
    """The store in a database; build it with ``open``."""

    def __init__(self, told: str, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        medium = PostgresMedium(told, name)
        self._told = told
        self._writes_as = medium.numbers.writer
        self._writer = Writer(medium, self._loop, STATEMENT_MOST_S + HANGS_S)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._scanner = ThreadPoolExecutor(1, thread_name_prefix="store-scanner")
        self._reader = Reader(told, name, STATEMENT_MOST_S)
        self._scan_reader = Reader(told, name, SCAN_MOST_S)
        self._short = ShortReads(self._reader, self._loop, READERS, STATEMENT_MOST_S + HANGS_S)
        self._listener: NewsListener | None = None
        self._closed = False

    @classmethod
    async def open(cls, url: str, data_dir: Path) -> PostgresStore:
        """Open the database, or make the store in an empty one, and migrate it.

        Args:
            url: as libpq takes it.
            data_dir: where the mark is.

        Raises:
            StoreFailed: it cannot be used, or was written by a newer version.
        """
        told, name = conninfo_of(url), name_of(url)
        await asyncio.to_thread(_prepare, told, name, data_dir)
        store = cls(told, name)
        await asyncio.to_thread(store._connect)
        return store

    @property
    def failing(self) -> str | None:
        """See ``store.base.Store.failing``."""
        return self._writer.failing

    async def write(self, work: Work[T], committed: Callable[[T], None] | None = None) -> T:
        """See ``store.base.Store.write``."""
        self._see_open()
        future: asyncio.Future[T] = self._loop.create_future()
        self._writer.submit(Job(work, committed, future))
        return await future

    async def read(self, work: ReadWork[T]) -> T:
        """See ``store.base.Store.read``."""
        self._see_open()
        answer = await self._short.read(work)
        if answer is not None:
            return cast(T, answer.result)
        return await self._run(self._readers, self._reader, work)

    async def scan(self, work: ReadWork[T]) -> T:
        """See ``store.base.Store.scan``."""
        self._see_open()
        return await self._run(self._scanner, self._scan_reader, work)

    def listen(self, heard: Heard, name: str) -> None:
        """Call ``heard`` on the loop with what other bridges change, from now on to the end.

        ``name`` is what they know this one by.
        """
        self._listener = NewsListener(self._told, name, self._writes_as, self._loop, heard)

    def tell_watched(self, accounts: frozenset[AccountId]) -> None:
        """Let other bridges know whose mailboxes clients have open here, as long as it is said."""
        if self._listener is not None:
            self._listener.watched = accounts

    def has_company(self) -> bool:
        """Tell whether another bridge may be connected; one that listens knows if none is."""
        return self._listener is None or not self._listener.is_alone

    async def close(self) -> None:
        """See ``store.base.Store.close``."""
        if self._closed:
            return
        self._closed = True
        if self._listener is not None:
            await self._listener.close()
        await self._writer.close()
        await self._short.close()
        for threads, reader in (
            (self._readers, self._reader),
            (self._scanner, self._scan_reader),
        ):
            await asyncio.to_thread(threads.shutdown)
            reader.close()

    def _connect(self) -> None:
        """Have a connection for the first read of each kind; what fails is tried again by that."""
        with contextlib.suppress(psycopg.Error):
            for reader in (self._reader, self._scan_reader):
                reader.put_back(reader.open())

    async def _run(self, threads: ThreadPoolExecutor, reader: Reader, work: ReadWork[T]) -> T:
        reading = reader.reading(work)
        limit = self._loop.call_later(reader.most_s + HANGS_S, reading.cut_off)
        try:
            return await self._loop.run_in_executor(threads, reading.run)
        finally:
            limit.cancel()

    def _see_open(self) -> None:
        if self._closed:
            raise StoreFailed(say("the store is closed"))


def _prepare(told: str, name: str, data_dir: Path) -> None:
    try:
        with contextlib.closing(connect(told, statement_most_s=SCAN_MOST_S)) as connection:
            migrate(connection, name, data_dir)
            if not index_bodies(connection):
                log.warning("body_search_without_index", database=name)
    except psycopg.Error as error:
        raise failure(error, name) from error
