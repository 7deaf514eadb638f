"""What the writer writes to, where it is PostgreSQL: one connection, one commit at a time.

Works are written for a store that has one writer, and every bridge on the database is one. So a
group begins by taking a lock that whoever writes takes (``WRITE_LOCK``), and goes on at READ
COMMITTED: it sees all that was committed before, whoever did, and nothing changes under it. That
is SQLite's order. Rows of different accounts could be written side by side, but events are numbered
over all, in the order of commits; SERIALIZABLE would find that out only after the work was done,
and run it again. What one lock costs, groups win back: hundreds of works are one commit.

A commit whose answer was lost is looked up. Each writes its number into the row that this process
has in ``last_commit``, and tells it to other bridges (``news``); whether it is there is asked under
the lock, which the lost connection holds until its commit has been decided. Meanwhile what else is
to be written fails, and the works in doubt are neither failed nor run again.

Failure: see ``connection.failure``. A connection that broke before its commit is replaced once,
and the works run again, which they may be.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Sequence

import psycopg
from psycopg import pq
from psycopg.errors import LockNotAvailable, ReadOnlySqlTransaction

from bridge.store.base import StoreFailed, Transaction
from bridge.store.postgres.connection import connect, cut_off, failure
from bridge.store.postgres.engine import PostgresEngine
from bridge.store.postgres.migrations import WRITE_LOCK
from bridge.store.postgres.news import CHANNEL, line_of
from bridge.store.sql.commit import run_one_by_one
from bridge.store.sql.transaction import SqlTransaction
from bridge.store.sql.writer import Doubtful, Job

LOOK_EVERY_S = 1.0

_BEGIN = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({WRITE_LOCK})"


class CommitNumbers:
    """The commits of one process, which have one order over all its connections."""

    def __init__(self) -> None:
        self.writer = uuid.uuid4().hex
        self.last = 0


class PostgresSession:
    """Satisfies ``sql.commit.WriterSession``.

    Args:
        told: what ``connection.conninfo_of`` returned.
        name: how the database is called.
        doubtful: told while it is looked up what became of a commit.
        is_ending: set when that is to be waited for no longer.
        numbers: of the commits.

    Raises:
        psycopg.Error: the database cannot be reached.
    """

    fault: type[Exception] = psycopg.Error
    refusal: type[Exception] = psycopg.IntegrityError

    def __init__(
        self,
        told: str,
        name: str,
        doubtful: Doubtful,
        is_ending: threading.Event,
        numbers: CommitNumbers,
    ) -> None:
        self._told = told
        self._name = name
        self._doubtful = doubtful
        self._is_ending = is_ending
        self._numbers = numbers
        self._announced: set[str] = set()
        self.connection = connect(told)
        self.broke = False
        """Whether the connection was lost since somebody last set this."""

    @property
    def is_open(self) -> bool:
        return self.connection.info.transaction_status != pq.TransactionStatus.IDLE

    def is_for_all(self, error: Exception) -> bool:
        """See ``WriterSession``: another bridge holds the lock, or no server takes writes."""
        return isinstance(error, LockNotAvailable | ReadOnlySqlTransaction)

    def begin(self) -> None:
        self._announced.clear()
        self._run(_BEGIN)

    def transaction(self) -> Transaction:
        return SqlTransaction(PostgresEngine(self.connection, self._announced))

    def commit(self) -> None:
        """See ``WriterSession``; returns when it is known that it took effect.

        Raises:
            psycopg.Error: it did not.
        """
        self._numbers.last += 1
        writer, number = self._numbers.writer, self._numbers.last
        try:
            self._run(
                f"INSERT INTO last_commit VALUES ('{writer}', {number}, now())"  # noqa: S608
                " ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = excluded.at;"
                f" NOTIFY {CHANNEL}, '{line_of(writer, number, self._announced)}'; COMMIT"
            )
        except psycopg.Error as error:
            if not self.broke or not self._took_effect(error):
                raise

    def run(self, command: str) -> None:
        self._run(command)

    def reopen(self) -> None:
        """Connect anew.

        Raises:
            psycopg.Error: the database cannot be reached.
        """
        self.close()
        self.connection = connect(self._told)

    def close(self) -> None:
        """Close the connection; what it held open is undone."""
        with contextlib.suppress(psycopg.Error):
            self.connection.close()

    def _run(self, command: str) -> None:
        try:
            self.connection.statements.command(command)
        except psycopg.Error:
            self.broke = self.broke or self.connection.closed or self.connection.broken
            raise

    def _took_effect(self, error: Exception) -> bool:
        """Find out whether the last commit did, however long that takes."""
        while not self._is_ending.is_set():
            self._doubtful(str(failure(error, self._name)))
            try:
                self.reopen()
                return self._is_there()
            except psycopg.Error as still:
                error = still
            self._is_ending.wait(LOOK_EVERY_S)
        return False  # as after a crash

    def _is_there(self) -> bool:
        self.connection.execute(_BEGIN)  # waits until the lost connection's commit is decided
        row = self.connection.execute(
            "SELECT number FROM last_commit WHERE writer = $1", (self._numbers.writer,)
        ).fetchone()
        self.connection.execute("ROLLBACK")
        return row is not None and row[0] >= self._numbers.last


class PostgresMedium:
    """Satisfies ``sql.writer.Medium``.

    Args:
        told: what ``connection.conninfo_of`` returned.
        name: how the database is called.

    Attributes:
        numbers: of its commits.
    """

    def __init__(self, told: str, name: str) -> None:
        self.name = name
        self.numbers = CommitNumbers()
        self._told = told
        self._session: PostgresSession | None = None
        self._is_ending = threading.Event()

    def run(self, group: Sequence[Job], doubtful: Doubtful) -> None:
        lost = self._run_once(group, doubtful)
        if lost:
            self._run_once(lost, doubtful)

    def reset(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def cut_off(self) -> None:
        session = self._session
        if session is not None:
            cut_off(session.connection)

    def give_up(self) -> None:
        self._is_ending.set()

    def _run_once(self, group: Sequence[Job], doubtful: Doubtful) -> Sequence[Job]:
        """Run works; return those that may be run again, since a connection was lost."""
        was_open = self._session is not None
        try:
            if self._session is None:
                self._session = PostgresSession(
                    self._told, self.name, doubtful, self._is_ending, self.numbers
                )
        except psycopg.Error as error:
            for job in group:
                job.fail(self._failure(error))
            return ()
        session = self._session
        session.broke = False
        if not run_one_by_one(session, group, self._failure):
            session.broke = session.broke or session.connection.broken or session.connection.closed
            self.reset()
        return [job for job in group if job.is_lost] if session.broke and was_open else ()

    def _failure(self, error: Exception) -> StoreFailed:
        return failure(error, self.name)
