"""One request for an entry, and the step that its end is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bridge.api.errors import ApiError
from bridge.api.schema import SendAnswer
from bridge.mailbox import MailboxTransaction
from bridge.model import SubmissionState
from bridge.outbox.states import Event, following
from bridge.outbox.step import take_step
from bridge.store.outbox import AttemptEnd, Step, SubmissionRow


class Overtaken(Exception):
    """The entry is not where its caller saw it; nothing was done."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request under way for ``row`` (as it was when claimed); ``probe`` if its queue is held.

    ``dispatches`` counts the requests of all entries, with this one.
    """

    row: SubmissionRow
    number: int
    probe: bool
    dispatches: int = 0


async def end_attempt(
    mtx: MailboxTransaction, attempt: Attempt, end: AttemptEnd, step: Step
) -> None:
    """End the attempt and take the step.

    Args:
        mtx: the commit to join.
        attempt: the request that ended.
        end: how it did.
        step: where its entry goes.

    Raises:
        Overtaken: somebody else took the entry out of ``dispatching``.
    """
    await mtx.tx.end_attempt(attempt.row.id, attempt.number, end)
    if not await take_step(mtx, attempt.row, step):
        raise Overtaken(attempt.row.id)


def step_of(
    attempt: Attempt,
    event: Event,
    now: datetime,
    answer: SendAnswer | None = None,
    *,
    reason: str = "",
    named_code: str | None = None,
    not_before: datetime | None = None,
    retrying_since: datetime | None = None,
    forced: bool = False,
) -> Step:
    """Return the step out of ``dispatching`` that an attempt ends with.

    Args:
        attempt: the request that ended.
        event: what that was.
        now: when.
        answer: the API's, if it took the message.
        reason: what is told of it.
        named_code: a code in an answer that proves nothing.
        not_before: when it may be tried again.
        retrying_since: since when it is.
        forced: whether it goes past holds.
    """
    old = SubmissionState.DISPATCHING
    return Step(
        old,
        following(old, event),
        now,
        reason=reason,
        attempt=attempt.number,
        code=answer.code if answer else None,
        named_code=named_code,
        sent_at=now if answer else None,
        not_before=not_before,
        retrying_since=retrying_since,
        forced=forced,
    )


def failed_end(error: ApiError, now: datetime) -> AttemptEnd:
    """Return the end of an attempt that failed."""
    return AttemptEnd(now, error.status, error.answer, error.reason)
