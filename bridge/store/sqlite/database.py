"""One SQLite file, one writing thread, readers that never wait for it.

Purpose: run works (see ``store.base``) against SQLite so that a commit is on the medium before
its caller hears of it, and the event loop never waits for a disk.

How: writes go to the writer's thread (``writer``). Short reads run on the loop's own read-only
connection: in WAL mode a reader never waits for the writer. Long reads (``scan``) run on a thread
with a connection of its own.

Failure: see ``connection.failure``; a store that failed serves again once the medium does.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from bridge.language import say
from bridge.store.base import ReadWork, StoreFailed, Work
from bridge.store.sql.drive import drive
from bridge.store.sql.transaction import SqlTransaction
from bridge.store.sql.writer import Job, Writer
from bridge.store.sqlite.connection import FILE_NAME, connect, failure, prepare, reserve_wal
from bridge.store.sqlite.engine import SqliteEngine
from bridge.store.sqlite.medium import SqliteMedium

T = TypeVar("T")


class SqliteStore:
    """The store in ``data_dir/pec-bridge.sqlite``; build it with ``open``."""

    def __init__(self, path: Path, page_limit: int | None = None) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(SqliteMedium(path, page_limit), self._loop)
        self._scanner = ThreadPoolExecutor(1, thread_name_prefix="store-scanner")
        self._closed = False
        self._reader = connect(path, read_only=True)
        self._scan_connection: sqlite3.Connection | None = None

    @classmethod
    async def open(cls, data_dir: Path, *, page_limit: int | None = None) -> SqliteStore:
        """Open or make the store under ``data_dir`` (0700, the file 0600) and migrate it.

        Args:
            data_dir: the folder, made if it is missing.
            page_limit: pages the file may grow to, beyond which it counts as full; None leaves
                that to the disk.

        Raises:
            StoreFull, StoreFailed: the file cannot be used, or was written by a newer version.
        """
        path = data_dir / FILE_NAME
        await asyncio.to_thread(prepare, path)
        await asyncio.to_thread(reserve_wal, path)
        return cls(path, page_limit)

    @property
    def failing(self) -> str | None:
        """See ``store.base.Store.failing``."""
        return self._writer.failing

    async def write(self, work: Work[T], committed: Callable[[T], None] | None = None) -> T:
        """See ``store.base.Store.write``."""
        if self._closed:
            raise StoreFailed(say("the store is closed"))
        future: asyncio.Future[T] = self._loop.create_future()
        self._writer.submit(Job(work, committed, future))
        return await future

    async def read(self, work: ReadWork[T]) -> T:
        """See ``store.base.Store.read``."""
        if self._closed:
            raise StoreFailed(say("the store is closed"))
        return self._read_on(self._reader, work)

    async def scan(self, work: ReadWork[T]) -> T:
        """See ``store.base.Store.scan``."""
        if self._closed:
            raise StoreFailed(say("the store is closed"))
        return await self._loop.run_in_executor(self._scanner, self._scan, work)

    async def close(self) -> None:
        """See ``store.base.Store.close``."""
        if self._closed:
            return
        self._closed = True
        await self._writer.close()
        await asyncio.to_thread(self._scanner.shutdown)
        if self._scan_connection is not None:
            self._scan_connection.close()
        self._reader.close()

    def _scan(self, work: ReadWork[T]) -> T:
        if self._scan_connection is None:
            self._scan_connection = connect(self._path, read_only=True)
        return self._read_on(self._scan_connection, work)

    def _read_on(self, connection: sqlite3.Connection, work: ReadWork[T]) -> T:
        try:
            connection.execute("BEGIN")
            try:
                return drive(work(SqlTransaction(SqliteEngine(connection))))
            finally:
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise failure(error, self._path) from error
