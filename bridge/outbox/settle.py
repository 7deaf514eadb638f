"""What came of a request, written down: one commit for each way it can end.

A commit holds the end of the attempt, the entry's step, the plan's count, the keywords on the
copy in ``Sent``, and what a person is told. So after a crash either all of it is known or the
entry is still ``dispatching``, which ``recover`` turns into ``uncertain``.

Nothing here asks the API. Failure: the store's own errors pass; the entry then stays
``dispatching``, and its caller tries to settle again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import structlog

from bridge.alarms import AlarmKind, clear_alarm
from bridge.api.errors import ApiError, NotSent, OutcomeUnknown, Refused
from bridge.api.schema import SendAnswer
from bridge.clock import Clock
from bridge.language import say
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import PEC_FAILED, PEC_UNCERTAIN, AccountId, SubmissionState
from bridge.outbox import notice
from bridge.outbox.attempt import Attempt, Overtaken, end_attempt, failed_end, step_of
from bridge.outbox.backoff import GIVE_UP_AFTER, retry_delay_s
from bridge.outbox.bounce import Verdict, bounce, refused_by_api, unreachable
from bridge.outbox.hold import hold_account, probe_later, release_account
from bridge.outbox.lineage import Lineage, note
from bridge.outbox.plan import Plan, rome_day
from bridge.outbox.states import Event, following
from bridge.outbox.step import take_step
from bridge.receipts import claim
from bridge.store.base import StoreFailed
from bridge.store.outbox import AttemptEnd, HoldCause, Step, SubmissionRow

log = structlog.get_logger()

UNWITNESSED = say("The start could not be written down beside the store.")
INTERRUPTED = say("The bridge stopped before the answer was known.")
_CAUSES = {"credentials": HoldCause.CREDENTIALS, "payment": HoldCause.PAYMENT}
_UNCERTAIN = frozenset({PEC_UNCERTAIN})
_FAILED = frozenset({PEC_FAILED})


@dataclass(frozen=True, slots=True)
class _Outage:
    """An account cannot be reached since ``began_at``: ``age_s`` when seen first, at ``seen_s``."""

    began_at: datetime
    age_s: float
    seen_s: float


class Settler:
    """Writes down what came of requests.

    Args:
        mailboxes: the single writer.
        clock: stamps.
        random: for the jitter of retries.
        plan: no answer is believed that counts more than it allows.
        addresses: each account's address, for what people are told.
        api_host: the API's host, for bounces.
        lineage: witnesses that a request begins.
    """

    def __init__(
        self,
        mailboxes: Mailboxes,
        clock: Clock,
        random: Random,
        plan: Plan,
        addresses: Mapping[AccountId, str],
        api_host: str,
        lineage: Lineage,
    ) -> None:
        self._mailboxes = mailboxes
        self._clock = clock
        self._random = random
        self._plan = plan
        self._addresses = addresses
        self._api_host = api_host
        self._lineage = lineage
        self._outages: dict[AccountId, _Outage] = {}

    async def begin(self, row: SubmissionRow) -> Attempt | None:
        """Commit that a request for ``row`` is about to start; None if it may not any more.

        It may not when, after the entry was picked, a person took it back or paused its account,
        that came to be held, or one that goes before it came back to the queue.

        Raises:
            StoreFailed: it could not be written down, so nothing may start.
        """
        now = self._clock.now()
        new = following(row.state, Event.CLAIM)
        mark = self._lineage.mark

        async def work(mtx: MailboxTransaction) -> Attempt:
            if not _goes_past_holds(row) and await mtx.tx.hold(row.account) is not None:
                raise Overtaken(row.id)
            if not row.forced and await mtx.tx.paused_since(row.account) is not None:
                raise Overtaken(row.id)
            if row.state is SubmissionState.QUEUED:
                head = await mtx.tx.first_submission(row.account, frozenset({row.state}))
                if head is None or head.id != row.id:
                    raise Overtaken(row.id)
            number = await mtx.tx.begin_attempt(row.id, now)
            step = Step(row.state, new, now, attempt=number, retrying_since=row.retrying_since)
            if not await take_step(mtx, row, step):
                raise Overtaken(row.id)
            await mtx.tx.count_submission(row.id, rome_day(now), len(row.recipients))
            if not _goes_past_holds(row):
                await clear_alarm(mtx, row.account, AlarmKind.PLAN, "", now)
            dispatches = await note(mtx, mark, now)
            return Attempt(row, number, row.state is SubmissionState.HELD, dispatches)

        try:
            attempt = await self._mailboxes.write(work)
        except Overtaken:
            return None
        try:
            await self._lineage.witness(attempt.dispatches)
        except StoreFailed:
            await self.give_back(attempt, UNWITNESSED)
            raise
        return attempt

    async def submitted(self, attempt: Attempt, answer: SendAnswer) -> None:
        """The API named a code; ``sent`` may raise the count, never lower it.

        The vendor counts recipients, and ``sent`` may count requests (Q20): a hundred recipients
        are a hundred, whatever it says.
        """
        row = attempt.row
        now = self._clock.now()
        end = AttemptEnd(now, answer.status, answer.text, "")
        ending = self._ending(attempt, end, step_of(attempt, Event.CODE, now, answer))

        async def work(mtx: MailboxTransaction) -> None:
            await ending(mtx)
            if answer.sent is not None and len(row.recipients) < answer.sent <= self._plan.limit:
                await mtx.tx.count_submission(row.id, rome_day(now), answer.sent)
            await _forget_refusal(mtx, row)
            await claim(mtx, row.account, row.id, answer.code)
            await release_account(mtx, row.account, now)

        await self._mailboxes.write(work)
        self._outages.pop(row.account, None)
        log.info(
            "message_submitted",
            id=row.id,
            account=row.account,
            code=answer.code,
            recipients=len(row.recipients),
        )

    async def failed(self, attempt: Attempt, error: ApiError) -> None:
        """The request did not end well."""
        if not isinstance(error, NotSent) or error.kind in _CAUSES:
            self._outages.pop(attempt.row.account, None)
        match error:
            case NotSent() if error.kind in _CAUSES:
                await self._held(attempt, error, _CAUSES[error.kind])
            case NotSent():
                await self._not_sent(attempt, error)
            case Refused():
                await self._refused(attempt, error)
            case _:
                await self._unknown(attempt, error)

    async def give_back(self, attempt: Attempt, reason: str) -> None:
        """The request never started: the entry goes back to where it was, at once."""
        row = attempt.row
        now = self._clock.now()
        end = AttemptEnd(now, None, "", reason)
        event = Event.STOP if attempt.probe else Event.NOT_SENT
        step = step_of(
            attempt,
            event,
            now,
            reason=row.reason,
            retrying_since=row.retrying_since,
            forced=row.forced,
        )
        ending = self._ending(attempt, end, step)

        async def work(mtx: MailboxTransaction) -> None:
            await ending(mtx)
            await mtx.tx.count_submission(row.id, None, 0)

        await self._mailboxes.write(work)

    async def unsendable(self, row: SubmissionRow, verdict: Verdict) -> None:
        """End an entry that cannot be put into a request at all."""
        now = self._clock.now()
        new = following(row.state, Event.REFUSAL)
        step = Step(row.state, new, now, reason=verdict.diagnostic)

        async def work(mtx: MailboxTransaction) -> None:
            if await take_step(mtx, row, step):
                await self._tell(mtx, row, verdict, now)

        await self._mailboxes.write(work)
        log.warning("message_unsendable", id=row.id, account=row.account, reason=verdict.diagnostic)

    # -- the ways a request can fail --------------------------------------------------------------

    async def _unknown(self, attempt: Attempt, error: ApiError) -> None:
        """Nobody knows; the count stands, for the message may have left."""
        row = attempt.row
        now = self._clock.now()
        step = step_of(
            attempt,
            Event.LOSS,
            now,
            reason=error.reason,
            named_code=error.code if isinstance(error, OutcomeUnknown) else None,
        )
        ending = self._ending(attempt, failed_end(error, now), step)

        async def work(mtx: MailboxTransaction) -> None:
            await ending(mtx)
            await mtx.flag_sent(row.account, row.content, row.message_id, _UNCERTAIN, frozenset())
            if attempt.probe:
                await probe_later(mtx, row.account, now)

        await self._mailboxes.write(work)
        log.warning("send_uncertain", id=row.id, account=row.account, reason=error.reason)

    async def _refused(self, attempt: Attempt, error: Refused) -> None:
        row = attempt.row
        now = self._clock.now()
        verdict = refused_by_api(error.status, error.message, self._api_host)
        step = step_of(attempt, Event.REFUSAL, now, reason=error.reason)
        ending = self._ending(attempt, failed_end(error, now), step)

        async def work(mtx: MailboxTransaction) -> None:
            await ending(mtx)
            await mtx.tx.count_submission(row.id, None, 0)
            await self._tell(mtx, row, verdict, now)
            await release_account(mtx, row.account, now)

        await self._mailboxes.write(work)
        log.warning("message_refused", id=row.id, account=row.account, reason=error.reason)

    async def _not_sent(self, attempt: Attempt, error: NotSent) -> None:
        row = attempt.row
        now = self._clock.now()
        since = self._not_sent_since(row, now)
        trying_for_s = self._trying_for_s(row.account, since, now)
        delay_s = retry_delay_s(trying_for_s, error.retry_after_s, self._random.random())
        again_at = now + timedelta(seconds=delay_s)
        if attempt.probe:
            step = step_of(attempt, Event.STOP, now, reason=row.reason)
        elif trying_for_s + delay_s > GIVE_UP_AFTER.total_seconds():
            step = step_of(attempt, Event.EXPIRY, now, reason=error.reason)
        else:
            step = step_of(
                attempt,
                Event.NOT_SENT,
                now,
                reason=error.reason,
                not_before=again_at,
                retrying_since=since,
            )
        ending = self._ending(attempt, failed_end(error, now), step)

        async def work(mtx: MailboxTransaction) -> None:
            await ending(mtx)
            await mtx.tx.count_submission(row.id, None, 0)
            if attempt.probe:
                await probe_later(mtx, row.account, now)
            if step.new is SubmissionState.REFUSED:
                verdict = unreachable(since, error.reason, self._api_host)
                await self._tell(mtx, row, verdict, now)

        await self._mailboxes.write(work)
        log.info(
            "message_not_sent",
            id=row.id,
            account=row.account,
            reason=error.reason,
            then=step.new.value,
        )

    def _not_sent_since(self, row: SubmissionRow, now: datetime) -> datetime:
        """Return since when the entry could not be sent.

        It may have waited behind another that could not: the five days are the outage's, not
        each entry's own in turn, or the tenth in a row would bounce after fifty. A time that a
        clock wrote down when it ran ahead is not believed.
        """
        retrying_since = min(row.retrying_since, now) if row.retrying_since else None
        outage = self._outages.get(row.account)
        began = min(outage.began_at if outage else retrying_since or now, now)
        if outage is None or outage.began_at != began:
            age_s = (now - began).total_seconds()
            outage = _Outage(began, age_s, self._clock.monotonic())
        self._outages[row.account] = outage
        if retrying_since is not None or row.created_at > now:
            return retrying_since or began
        return max(began, row.created_at)

    def _trying_for_s(self, account: AccountId, since: datetime, now: datetime) -> float:
        """Return how long it was tried: a clock that jumped ahead meanwhile is not believed."""
        outage = self._outages[account]
        lasted_s = outage.age_s + self._clock.monotonic() - outage.seen_s
        return min((now - since).total_seconds(), lasted_s)

    async def _held(self, attempt: Attempt, error: NotSent, cause: HoldCause) -> None:
        row = attempt.row
        now = self._clock.now()
        words = notice.held(cause, error.reason, self._addresses.get(row.account, ""))
        step = step_of(attempt, Event.STOP, now, reason=error.reason)
        ending = self._ending(attempt, failed_end(error, now), step)

        async def work(mtx: MailboxTransaction) -> None:
            await ending(mtx)
            await mtx.tx.count_submission(row.id, None, 0)
            await hold_account(mtx, row.account, cause, error.reason, words, now)

        await self._mailboxes.write(work)
        log.error("sending_held", account=row.account, id=row.id, reason=error.reason)

    def _ending(
        self, attempt: Attempt, end: AttemptEnd, step: Step
    ) -> Callable[[MailboxTransaction], Awaitable[None]]:
        """Return the part that every settlement has: see ``_end``, and note the mark."""
        mark = self._lineage.mark

        async def part(mtx: MailboxTransaction) -> None:
            await end_attempt(mtx, attempt, end, step)
            await note(mtx, mark, step.at)

        return part

    async def _tell(
        self, mtx: MailboxTransaction, row: SubmissionRow, verdict: Verdict, now: datetime
    ) -> None:
        await bounce(mtx, row, verdict, now)
        await mtx.flag_sent(row.account, row.content, row.message_id, _FAILED, frozenset())


async def recover(mailboxes: Mailboxes, clock: Clock) -> int:
    """Turn every ``dispatching`` entry into ``uncertain``; only before anything is dispatched.

    Such an entry was cut off by a crash: its request may or may not have left.
    """
    now = clock.now()

    async def work(mtx: MailboxTransaction) -> int:
        rows = await mtx.tx.submissions(state=SubmissionState.DISPATCHING)
        for row in rows:
            attempt = Attempt(row, row.attempts, probe=False)
            end = AttemptEnd(now, None, "", INTERRUPTED)
            await end_attempt(
                mtx, attempt, end, step_of(attempt, Event.LOSS, now, reason=INTERRUPTED)
            )
            await mtx.flag_sent(row.account, row.content, row.message_id, _UNCERTAIN, frozenset())
        return len(rows)

    recovered = await mailboxes.write(work)
    if recovered:
        log.warning("interrupted_sends_uncertain", count=recovered)
    return recovered


def _goes_past_holds(row: SubmissionRow) -> bool:
    """Tell whether the entry may go though its account waits: forced, or a probe."""
    return row.forced or row.state is SubmissionState.HELD


async def _forget_refusal(mtx: MailboxTransaction, row: SubmissionRow) -> None:
    """Take ``$PecFailed`` back if it only says that this same message was refused before."""
    entries = await mtx.tx.submissions_of_content(row.account, row.content)
    others = [one for one in entries if one.id != row.id]
    if others and all(
        one.state is SubmissionState.REFUSED and one.recipients == row.recipients for one in others
    ):
        await mtx.flag_sent(row.account, row.content, row.message_id, frozenset(), _FAILED)
