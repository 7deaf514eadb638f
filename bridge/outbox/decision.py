"""What a person can decide about an entry: retry, cancel, resolve.

Each is one commit and works without a dispatcher; a wake-up tells one that runs. What the state
table does not allow is refused with a sentence that says what would be.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

import structlog

from bridge.alarms import AlarmKind, clear_alarm
from bridge.clock import Clock
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import PEC_UNCERTAIN, QueueId, SubmissionState
from bridge.outbox.states import Event, allows, following
from bridge.outbox.step import take_step
from bridge.outbox.wake import Wake
from bridge.receipts import claim
from bridge.store.outbox import Step, SubmissionRow

log = structlog.get_logger()

CODE_LIMIT_CHARS = 100

_ADVICE = {
    SubmissionState.QUEUED: "it will be sent in its turn; `queue cancel` takes it back",
    SubmissionState.DISPATCHING: "it is being sent right now; look again in a minute",
    SubmissionState.SUBMITTED: "it has been sent, and a PEC cannot be taken back",
    SubmissionState.REFUSED: "it was refused and nothing was sent; send it again from your mail",
    SubmissionState.HELD: "it waits; `queue retry` sends it now, `queue cancel` takes it back",
    SubmissionState.CANCELLED: "it was cancelled; send it again from your mail",
    SubmissionState.DROPPED: "it was given up; send it again from your mail",
    SubmissionState.UNCERTAIN: (
        "nobody knows whether it was sent; `queue resolve` with --sent CODE, --resend or --drop "
        "ends that"
    ),
    SubmissionState.RESTORED: (
        "it waited in a backup that was put back and may have been sent since; `queue resolve` "
        "with --sent CODE, --resend or --drop ends that"
    ),
}


_UNKNOWN = frozenset({SubmissionState.UNCERTAIN, SubmissionState.RESTORED})


class DecisionRefused(Exception):
    """The decision does not apply; the text is a sentence for the person."""


class Decisions:
    """Carries out decisions.

    Args:
        mailboxes: the single writer.
        clock: stamps.
        wake: is called after each change; None where no dispatcher runs.
    """

    def __init__(self, mailboxes: Mailboxes, clock: Clock, wake: Wake | None = None) -> None:
        self._mailboxes = mailboxes
        self._clock = clock
        self._wake = wake

    async def retry(self, id: QueueId) -> SubmissionRow:
        """Send a held entry now, or one that waits for its next try, whatever holds it.

        Raises:
            DecisionRefused: unknown, or in another state.
        """

        async def work(mtx: MailboxTransaction, row: SubmissionRow, now: datetime) -> None:
            waiting = row.state is SubmissionState.QUEUED and row.not_before is not None
            if not waiting and row.state is not SubmissionState.HELD:
                raise _refusal("retried", row)
            step = Step(
                row.state,
                following(row.state, Event.RELEASE),
                now,
                reason="retried by a person",
                retrying_since=row.retrying_since if waiting else None,
                forced=True,
            )
            await take_step(mtx, row, step)

        return await self._decide(id, "retry", work)

    async def cancel(self, id: QueueId) -> SubmissionRow:
        """Take back an entry that has not been sent.

        Raises:
            DecisionRefused: unknown, or in another state.
        """

        async def work(mtx: MailboxTransaction, row: SubmissionRow, now: datetime) -> None:
            step = _step(row, Event.CANCEL, "cancelled", now, reason="cancelled by a person")
            await take_step(mtx, row, step)

        return await self._decide(id, "cancel", work)

    async def resolve_sent(self, id: QueueId, code: str) -> SubmissionRow:
        """Believe a person that an uncertain entry was sent and got ``code``.

        Raises:
            DecisionRefused: unknown, in another state, or the code is another entry's.
        """
        code = code.strip()
        if not code or len(code) > CODE_LIMIT_CHARS or not code.isprintable():
            raise DecisionRefused("Say the API's code, as it stands at the end of the receipt.")

        async def work(mtx: MailboxTransaction, row: SubmissionRow, now: datetime) -> None:
            step = _step(row, Event.RESOLVE_SENT, "resolved", now, reason="resolved by a person")
            owner = await mtx.tx.submission_by_code(row.account, code)
            if owner is not None and owner.id != row.id:
                raise DecisionRefused(
                    f"The code {code} belongs to {owner.id} ({owner.subject!r}) already."
                )
            await take_step(mtx, row, replace(step, code=code, sent_at=row.updated_at))
            await end_uncertainty(mtx, row, now)
            await claim(mtx, row.account, row.id, code)

        return await self._decide(id, "resolve --sent", work)

    async def resolve_resend(self, id: QueueId) -> SubmissionRow:
        """Believe a person that an uncertain entry was not sent, and send it.

        Raises:
            DecisionRefused: unknown, or in another state.
        """

        async def work(mtx: MailboxTransaction, row: SubmissionRow, now: datetime) -> None:
            step = _step(row, Event.RESOLVE_RESEND, "resolved", now, reason="resent by a person")
            await take_step(mtx, row, step)
            await mtx.tx.count_submission(row.id, None, 0, 0)
            await end_uncertainty(mtx, row, now)

        return await self._decide(id, "resolve --resend", work)

    async def resolve_drop(self, id: QueueId) -> SubmissionRow:
        """Give an uncertain entry up; what it counted stays counted, for it may have left.

        Raises:
            DecisionRefused: unknown, or in another state.
        """

        async def work(mtx: MailboxTransaction, row: SubmissionRow, now: datetime) -> None:
            step = _step(row, Event.RESOLVE_DROP, "resolved", now, reason="given up by a person")
            await take_step(mtx, row, step)
            await end_uncertainty(mtx, row, now)

        return await self._decide(id, "resolve --drop", work)

    async def _decide(
        self,
        id: QueueId,
        what: str,
        work: Callable[[MailboxTransaction, SubmissionRow, datetime], Awaitable[None]],
    ) -> SubmissionRow:
        now = self._clock.now()

        async def whole(mtx: MailboxTransaction) -> SubmissionRow:
            row = await mtx.tx.submission(id)
            if row is None:
                raise DecisionRefused(f"No entry is called {id}; `queue list` shows all.")
            await work(mtx, row, now)
            return await mtx.tx.submission(id) or row

        row = await self._mailboxes.write(whole)
        log.info("decided", id=id, decision=what, state=row.state.value)
        if self._wake is not None:
            self._wake.call()
        return row


async def end_uncertainty(mtx: MailboxTransaction, row: SubmissionRow, now: datetime) -> None:
    """Take back the keyword and the alarm of an entry that is uncertain no longer."""
    others = await mtx.tx.submissions_of_content(row.account, row.content)
    if not any(one.state in _UNKNOWN for one in others):
        await mtx.flag_sent(
            row.account, row.content, row.message_id, frozenset(), frozenset({PEC_UNCERTAIN})
        )
    await clear_alarm(mtx, row.account, AlarmKind.UNCERTAIN, row.id, now)


def _step(row: SubmissionRow, event: Event, done: str, now: datetime, *, reason: str) -> Step:
    if not allows(row.state, event):
        raise _refusal(done, row)
    return Step(row.state, following(row.state, event), now, reason=reason)


def _refusal(done: str, row: SubmissionRow) -> DecisionRefused:
    advice = _ADVICE[row.state]
    return DecisionRefused(f"{row.id} is {row.state.value} and cannot be {done}: {advice}.")
