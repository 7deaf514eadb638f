"""The one thread that writes: group commit.

Works gather on the event loop; the thread takes all that wait, runs them in one transaction, and
commits once: while one commit is being synced the next group gathers, so ten waiting submissions
cost one sync of the medium.

Failure: a work that raises is undone alone: the group is run again, each work inside a savepoint
of its own (which would cost more than most works, were it always there). When the medium refuses
a group, nothing of it was kept; its works are then run one by one, so that only those which cannot
be kept fail. The thread never ends by an error: the store recovers as soon as the medium does.
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
from bridge.store.sql.drive import drive
from bridge.store.sql.transaction import SqlTransaction
from bridge.store.sqlite.connection import connect, failure
from bridge.store.sqlite.engine import SqliteEngine
from bridge.store.sqlite.samefile import SameFile

log = structlog.get_logger()

GROUP_LIMIT = 256
"""Works per commit; bounds how long the first of a group waits for the last."""

GATHER_S = 0.005
"""How long a group waits for more works at the most; a person does not notice it."""

CROWD = 4
"""Works under way from which on waiting for each other saves more than it costs."""


class Job:
    """A work on its way through the writer's thread."""

    __slots__ = ("committed", "error", "future", "is_lost", "result", "work")

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
        self.is_lost = False

    def fail(self, error: StoreFailed) -> None:
        """Take back what came of it: the medium failed."""
        self.result, self.error, self.is_lost = None, error, True

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
    """See the module; jobs are settled on ``loop`` in the order of their commits.

    The two threads share one interpreter: to write while messages come in makes both wait for
    each other more than they work. So a group waits, for ``GATHER_S`` at most, for as many works
    as were under way when the last one ended, if those were a ``CROWD``; the works of a client or
    two never wait.
    """

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop, page_limit: int | None) -> None:
        self._path = path
        self._loop = loop
        self._page_limit = page_limit
        self.failing: str | None = None
        self._gathered: list[Job] = []
        self._writing = False
        self._expected = 1
        self._waiting: asyncio.TimerHandle | None = None
        self._groups: queue.SimpleQueue[Sequence[Job] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    # -- on the loop -----------------------------------------------------------------------

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._gathered.append(job)
        self._gather()

    async def close(self) -> None:
        """Run what is queued and end the thread."""
        if self._waiting is not None:
            self._waiting.cancel()
        if self._gathered:
            self._groups.put(self._gathered)
            self._gathered = []
        self._groups.put(None)
        await asyncio.to_thread(self._thread.join)

    def _gather(self) -> None:
        if self._writing or not self._gathered:
            return
        if len(self._gathered) >= self._expected:
            self._hand_over()
        elif self._waiting is None:
            self._waiting = self._loop.call_later(GATHER_S, self._hand_over)

    def _hand_over(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        group, self._gathered = self._gathered[:GROUP_LIMIT], self._gathered[GROUP_LIMIT:]
        self._writing = True
        self._groups.put(group)

    def _settle(self, group: Sequence[Job]) -> None:
        self._writing = False
        self.failing = next((str(job.error) for job in group if job.is_lost), None)
        under_way = len(group) + len(self._gathered)
        self._expected = min(under_way, GROUP_LIMIT) if under_way >= CROWD else 1
        for job in group:
            job.settle()
        self._gather()

    # -- on the writer's thread ------------------------------------------------------------

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        same_file = SameFile(self._path)
        while (group := self._groups.get()) is not None:
            try:
                if connection is None:
                    connection = self._connect()
                same_file.check()
                connection = self._run_whole(connection, group)
            except sqlite3.Error as error:  # not even opened
                for job in group:
                    job.fail(failure(error, self._path))
            except Exception as error:  # whatever it is, the next group must find the thread
                log.exception("store_writer_failed")
                _close(connection)
                connection = None
                for job in group:
                    job.fail(StoreFailed(f"{self._path}: {error}"))
            with contextlib.suppress(RuntimeError):  # the loop was closed under us
                self._loop.call_soon_threadsafe(self._settle, group)
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
        _close(connection)
        return None


def _close(connection: sqlite3.Connection | None) -> None:
    """Close a connection that cannot be trusted any more; what it held open is undone."""
    if connection is not None:
        with contextlib.suppress(sqlite3.Error):
            connection.close()


def _run_group(connection: sqlite3.Connection, group: Sequence[Job]) -> sqlite3.Error | None:
    """Run works in one commit; return why nothing of it was kept, if so."""
    try:
        if not _run_together(connection, group):
            _run_apart(connection, group)
    except sqlite3.Error as error:
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        return error
    return None


def _run_together(connection: sqlite3.Connection, group: Sequence[Job]) -> bool:
    """Run works one after the other and commit; when one raises, undo them all and say False."""
    transaction = SqlTransaction(SqliteEngine(connection))
    connection.execute("BEGIN IMMEDIATE")
    for job in group:
        _run_job(transaction, job)
        if job.error is not None:
            connection.execute("ROLLBACK")
            return len(group) == 1
    connection.execute("COMMIT")
    return True


def _run_apart(connection: sqlite3.Connection, group: Sequence[Job]) -> None:
    """Run works and commit; those that raise are undone alone."""
    connection.execute("BEGIN IMMEDIATE")
    for job in group:
        connection.execute("SAVEPOINT work")
        _run_job(SqlTransaction(SqliteEngine(connection)), job)
        if job.error is not None:
            connection.execute("ROLLBACK TO work")
        connection.execute("RELEASE work")
    connection.execute("COMMIT")


def _run_job(transaction: SqlTransaction, job: Job) -> None:
    job.result = job.error = None
    try:
        job.result = drive(job.work(transaction))
    except sqlite3.IntegrityError as error:
        job.error = StoreFailed(str(error))
    except sqlite3.Error:
        raise  # the medium: the whole group is undone
    except BaseException as error:
        job.error = error
