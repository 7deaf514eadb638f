"""How a group of works is run and committed at once.

Failure: a work that raises is undone alone: the group is run again, each work inside a savepoint
of its own (which would cost more than most works, were it always there). When the medium refuses
a group, nothing of it was kept; its works are then run one by one, so that only those which cannot
be kept fail.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Protocol

from bridge.store.base import StoreFailed, Transaction
from bridge.store.sql.drive import drive
from bridge.store.sql.writer import Job


class WriterSession(Protocol):
    """A connection that transactions are run on; its methods raise ``fault``."""

    fault: type[Exception]
    """What the driver raises."""
    refusal: type[Exception]
    """Which of it says that a statement broke a constraint."""

    @property
    def is_open(self) -> bool:
        """Whether something was begun and not ended, or cannot be."""

    def is_for_all(self, error: Exception) -> bool:
        """Tell whether an error of a group would meet each of its works alone, too."""

    def begin(self) -> None:
        """Begin a transaction that changes things."""

    def transaction(self) -> Transaction:
        """Return it as works see it, without what another of it kept in memory."""

    def commit(self) -> None:
        """Commit; what was written is on the medium then."""

    def run(self, command: str) -> None:
        """Run ``ROLLBACK`` and the like."""


def run_one_by_one(
    session: WriterSession, group: Sequence[Job], failure: Callable[[Exception], StoreFailed]
) -> bool:
    """Run a group in one commit, or else each work in its own; False: the session is no more use.

    Args:
        session: where.
        group: the works.
        failure: what an error of the driver means to the store's users.
    """
    error = run_group(session, group)
    if error is None:
        return True
    is_for_all = len(group) == 1 or session.is_for_all(error)
    for job in group:
        if not is_for_all and not session.is_open:
            error = run_group(session, (job,))
        if error is not None:
            job.fail(failure(error))
    return not session.is_open


def run_group(session: WriterSession, group: Sequence[Job]) -> Exception | None:
    """Run works in one commit; return why nothing of it was kept, if so."""
    try:
        if not _run_together(session, group):
            _run_apart(session, group)
    except session.fault as error:
        if session.is_open:
            with contextlib.suppress(session.fault):
                session.run("ROLLBACK")
        return error
    return None


def _run_together(session: WriterSession, group: Sequence[Job]) -> bool:
    """Run works one after the other and commit; when one raises, undo them all and say False."""
    session.begin()
    transaction = session.transaction()
    for job in group:
        _run_job(session, transaction, job)
        if job.error is not None:
            session.run("ROLLBACK")
            return len(group) == 1
    session.commit()
    return True


def _run_apart(session: WriterSession, group: Sequence[Job]) -> None:
    """Run works and commit; those that raise are undone alone."""
    session.begin()
    for job in group:
        session.run("SAVEPOINT work")
        _run_job(session, session.transaction(), job)
        if job.error is not None:
            session.run("ROLLBACK TO work")
        session.run("RELEASE work")
    session.commit()


def _run_job(session: WriterSession, transaction: Transaction, job: Job) -> None:
    job.result, job.error, job.is_lost = None, None, False
    try:
        job.result = drive(job.work(transaction))
    except session.refusal as error:
        job.error = StoreFailed(error.args[0])
    except session.fault:
        raise  # the medium: the whole group is undone
    except BaseException as error:
        job.error = error
