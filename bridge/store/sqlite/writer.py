"""The one thread that writes: group commit.

Works queue for the thread, which takes all that wait, runs each inside its own savepoint of one
transaction, and commits once: while one commit is being synced the next group gathers, so ten
waiting submissions cost one sync of the medium.

Failure: a work that raises is undone alone. When the medium refuses a group, nothing of it was
kept; its works are then run one by one, so that only those which cannot be kept fail. The thread
never ends by an error: the store recovers as soon as the medium does.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

from bridge.store.base import StoreFailed, Work
from bridge.store.sqlite.connection import connect, drive, failure
from bridge.store.sqlite.transaction import SqliteTransaction

log = structlog.get_logger()

GROUP_LIMIT = 256
"""Works per commit; bounds how long the first of a group waits for the last."""


class Job:
    """A work on its way through the writer's thread."""

    __slots__ = ("committed", "error", "future", "result", "work")

    def __init__(
        self,
        work: Work[Any],
        committed: Callable[[Any], None] | None,
        future: asyncio.Future[Any],
    ) -> None:
        self.work = work
        self.committed = committed
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None

    def fail(self, error: StoreFailed) -> None:
        """Take back what came of it."""
        self.result, self.error = None, error

    def settle(self) -> None:
        """Tell the caller, on the loop; what was committed stands whatever the caller does."""
        if self.error is None and self.committed is not None:
            try:
                self.committed(self.result)
            except Exception:
                log.exception("committed_callback_failed")
        if self.future.done():  # the caller was cancelled
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """See the module; jobs are settled on ``loop`` in the order of their commits."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop, page_limit: int | None) -> None:
        self._path = path
        self._loop = loop
        self._page_limit = page_limit
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._jobs.put(job)

    def close(self) -> None:
        """Run what is queued and end the thread; blocks until it has."""
        self._jobs.put(None)
        self._thread.join()

    # -- on the writer's thread ------------------------------------------------------------

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        while (group := self._next_group()) is not None:
            try:
                if connection is None:
                    connection = self._connect()
                connection = self._run_whole(connection, group)
            except sqlite3.Error as error:  # not even opened
                for job in group:
                    job.fail(failure(error, self._path))
            with contextlib.suppress(RuntimeError):  # the loop was closed under us
                self._loop.call_soon_threadsafe(_settle, group)
        if connection is not None:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        return connect(self._path, read_only=False, page_limit=self._page_limit)

    def _run_whole(
        self, connection: sqlite3.Connection, group: Sequence[Job]
    ) -> sqlite3.Connection | None:
        """Run a group in one commit, or else each work in its own; None: open the file anew."""
        error = _run_group(connection, group)
        if error is None:
            return connection
        for job in group:
            if len(group) > 1 and not connection.in_transaction:
                error = _run_group(connection, (job,))
            if error is not None:
                job.fail(failure(error, self._path))
        if not connection.in_transaction:
            return connection
        with contextlib.suppress(sqlite3.Error):
            connection.close()
        return None

    def _next_group(self) -> list[Job] | None:
        job = self._jobs.get()
        if job is None:
            return None
        group = [job]
        while len(group) < GROUP_LIMIT:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)  # finish this group first, then end
                break
            group.append(job)
        return group


def _run_group(connection: sqlite3.Connection, group: Sequence[Job]) -> sqlite3.Error | None:
    """Run works in one commit; return why nothing of it was kept, if so."""
    transaction = SqliteTransaction(connection)
    try:
        connection.execute("BEGIN IMMEDIATE")
        for job in group:
            _run_job(connection, transaction, job)
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        return error
    return None


def _run_job(connection: sqlite3.Connection, transaction: SqliteTransaction, job: Job) -> None:
    job.result = job.error = None
    connection.execute("SAVEPOINT work")
    try:
        job.result = drive(job.work(transaction))
    except sqlite3.IntegrityError as error:
        job.error = StoreFailed(str(error))
    except sqlite3.Error:
        raise  # the medium: the whole group is undone
    except BaseException as error:
        job.error = error
    if job.error is not None:
        connection.execute("ROLLBACK TO work")
    connection.execute("RELEASE work")


def _settle(group: Sequence[Job]) -> None:
    for job in group:
        job.settle()
