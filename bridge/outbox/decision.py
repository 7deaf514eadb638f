"""What a person can decide about an entry: retry, cancel, resolve.

Each is one commit and works without a dispatcher; a wake-up tells one that runs. What the state
table does not allow is refused with a sentence that says what would be. A person may be wrong: the
code they name is looked up, and so is whether a message that is to be sent again has left. What
can't be confirmed is done only if they insist, and stays marked as their word.

Who decided on what he saw some time ago, and whose word may come late or twice, says the
``version`` that he saw (``step_count``): what has taken a step since is left as it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime

import structlog

from bridge.alarms import AlarmKind, clear_alarm
from bridge.api.schema import CODE
from bridge.clock import Clock
from bridge.language import NOTHING, Sentence, say
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import PEC_UNCERTAIN, AccountId, QueueId, SubmissionState
from bridge.outbox.inquiry import Inquiry
from bridge.outbox.lookup import Searcher
from bridge.outbox.plan import rome_day
from bridge.outbox.revoke import take_back
from bridge.outbox.states import UNDECIDED, Event, allows, following
from bridge.outbox.step import take_step
from bridge.outbox.window import ALL_DAY, Window
from bridge.outbox.words import CANCELLED, REOPENED, RESOLVED, RETRIED, STATE_WORDS
from bridge.receipts import claim
from bridge.store.outbox import ClaimBasis, Step, SubmissionRow
from bridge.wake import Wake

log = structlog.get_logger()

_ADVICE = {
    SubmissionState.QUEUED: say("it will be sent in its turn; `queue cancel` takes it back"),
    SubmissionState.DISPATCHING: say("it is being sent right now; look again in a minute"),
    SubmissionState.SUBMITTED: say("it has been sent, and a PEC cannot be taken back"),
    SubmissionState.REFUSED: say(
        "it was refused and nothing was sent; send it again from your mail"
    ),
    SubmissionState.HELD: say("it waits; `queue retry` sends it now, `queue cancel` takes it back"),
    SubmissionState.CANCELLED: say("it was cancelled; send it again from your mail"),
    SubmissionState.DROPPED: say(
        "it was given up; send it again from your mail, or `queue resolve --reopen` asks again"
    ),
    SubmissionState.UNCERTAIN: say(
        "nobody knows whether it was sent; `queue resolve` with --sent CODE, --resend or --drop "
        "ends that"
    ),
    SubmissionState.RESTORED: say(
        "it waited in a backup that was put back and may have been sent since; `queue resolve` "
        "with --sent CODE, --resend or --drop ends that"
    ),
}


class DecisionRefused(Exception):
    """The decision does not apply; the text is a sentence for the person."""


class Decisions:
    """Carries out decisions.

    Args:
        mailboxes: the single writer.
        clock: stamps.
        wake: is called after each change; None where no dispatcher runs.
        clients: each account's way to look at the API; None where there are no secrets.
        window: the hours in which messages leave; outside of them all that is queued waits.
    """

    def __init__(
        self,
        mailboxes: Mailboxes,
        clock: Clock,
        wake: Wake | None = None,
        clients: Mapping[AccountId, Searcher] | None = None,
        window: Window = ALL_DAY,
    ) -> None:
        self._mailboxes = mailboxes
        self._clock = clock
        self._wake = wake
        self._window = window
        self._inquiry = Inquiry(mailboxes, clients or {})

    async def retry(self, id: QueueId, *, version: int | None = None) -> SubmissionRow:
        """Send a held entry now, or one that waits for its next try, whatever holds it.

        For an entry of a backup that was put back this is ``resolve_resend``. ``version``: see the
        module, here and below.

        Raises:
            DecisionRefused: unknown, or in another state.
        """
        if (await self._row(id, version)).state is SubmissionState.RESTORED:
            return await self.resolve_resend(id, version=version)

        async def work(mtx: MailboxTransaction, row: SubmissionRow, now: datetime) -> None:
            has_to_wait = (
                row.not_before is not None
                or not self._window.is_open(now)
                or await mtx.tx.paused_since(row.account) is not None
            )
            waiting = row.state is SubmissionState.QUEUED and has_to_wait
            if not waiting and row.state is not SubmissionState.HELD:
                raise _refusal(RETRIED, row)
            step = Step(
                row.state,
                following(row.state, Event.RELEASE),
                now,
                reason=say("retried by a person"),
                retrying_since=row.retrying_since if waiting else None,
                forced=True,
            )
            await take_step(mtx, row, step)

        return await self._decide(id, "retry", work, version)

    async def cancel(self, id: QueueId, *, version: int | None = None) -> SubmissionRow:
        """Take back an entry that has not been sent.

        Raises:
            DecisionRefused: unknown, or in another state.
        """

        async def work(mtx: MailboxTransaction, row: SubmissionRow, now: datetime) -> None:
            step = _step(row, Event.CANCEL, CANCELLED, now, reason=say("cancelled by a person"))
            await take_step(mtx, row, step)

        return await self._decide(id, "cancel", work, version)

    async def resolve_sent(
        self, id: QueueId, code: str, *, force: bool = False, version: int | None = None
    ) -> SubmissionRow:
        """Say that an entry was sent and got ``code``, which its acceptance has to show.

        Args:
            id: the entry.
            code: the whole code.
            force: take a person's word where nothing confirms it; it stays marked as that.
            version: see the module.

        Raises:
            DecisionRefused: unknown, in another state, the code is no code or another message's,
                or nothing confirms it and ``force`` is not given.
        """
        seen = await self._row(id, version)
        code = code.strip()
        if not CODE.fullmatch(code):
            raise DecisionRefused(
                say("Say the API's code, whole, as it stands at the end of the receipt's subject.")
            )
        _step(seen, Event.RESOLVE_SENT, RESOLVED, self._clock.now(), reason="")
        await self._mailboxes.write(lambda mtx: _check_free(mtx, seen, code))
        finding = await self._inquiry.code(seen, code)
        if finding.against:
            raise DecisionRefused(
                say("{against} It is not {id}'s.", against=finding.against, id=id)
            )
        if not finding.proven and not force:
            raise DecisionRefused(
                say(
                    "No receipt shows that {id} got the code {code}.{unasked} If you are sure, "
                    "--force takes your word.",
                    id=id,
                    code=code,
                    unasked=say(" {why}", why=finding.unasked) if finding.unasked else NOTHING,
                )
            )
        basis = ClaimBasis.EVIDENCE if finding.proven else ClaimBasis.WORD

        async def work(mtx: MailboxTransaction, row: SubmissionRow, now: datetime) -> None:
            step = _step(row, Event.RESOLVE_SENT, RESOLVED, now, reason=_REASONS[basis])
            await _check_free(mtx, row, code)
            attempts = await mtx.tx.attempts(row.id)
            sent_at = attempts[-1].started_at if attempts else row.updated_at
            await take_step(mtx, row, replace(step, code=code, sent_at=sent_at))
            await mtx.tx.claim_code(row.id, basis)
            await count_once(mtx, row, sent_at)
            await end_uncertainty(mtx, row, now)
            await claim(mtx, row.account, row.id, code)

        return await self._decide(id, "resolve --sent", work, version)

    async def resolve_resend(
        self, id: QueueId, *, force: bool = False, version: int | None = None
    ) -> SubmissionRow:
        """Believe a person that an uncertain entry was not sent, and send it.

        Args:
            id: the entry.
            force: do so though there is an acceptance that may be its, or the API can't be asked.
            version: see the module.

        Raises:
            DecisionRefused: unknown, in another state, or it may have been sent.
        """
        seen = await self._row(id, version)
        now = self._clock.now()
        _step(seen, Event.RESOLVE_RESEND, RESOLVED, now, reason="")
        traces = await self._inquiry.traces(seen, now)
        if traces.codes and not force:
            raise DecisionRefused(
                say(
                    "{id} may have been sent: there is an acceptance with the code {codes} "
                    "that can be its. `queue resolve {id} --sent {code}` says so; --force "
                    "with --resend sends it once more.",
                    id=id,
                    codes=", ".join(traces.codes),
                    code=traces.codes[0],
                )
            )
        if traces.unasked and self._inquiry.can_ask(seen.account) and not force:
            raise DecisionRefused(
                say(
                    "{id} may have been sent, and the API could not be asked: {unasked} Try "
                    "again later; --force with --resend sends it all the same.",
                    id=id,
                    unasked=traces.unasked,
                )
            )

        async def work(mtx: MailboxTransaction, row: SubmissionRow, now: datetime) -> None:
            step = _step(row, Event.RESOLVE_RESEND, RESOLVED, now, reason=say("resent by a person"))
            await take_step(mtx, row, step)
            await mtx.tx.count_submission(row.id, None, 0)
            await end_uncertainty(mtx, row, now)

        return await self._decide(id, "resolve --resend", work, version)

    async def resolve_reopen(self, id: QueueId, *, version: int | None = None) -> SubmissionRow:
        """Take back a person's word: a code that nothing confirmed, or that an entry was given up.

        Raises:
            DecisionRefused: unknown, in another state, or it is not only somebody's word.
        """

        async def work(mtx: MailboxTransaction, row: SubmissionRow, now: datetime) -> None:
            _step(row, Event.RESOLVE_REOPEN, REOPENED, now, reason="")
            if row.state is SubmissionState.SUBMITTED and row.claim is not ClaimBasis.WORD:
                raise _refusal(REOPENED, row)
            await take_back(mtx, row, Event.RESOLVE_REOPEN, say("reopened by a person"), now)

        return await self._decide(id, "resolve --reopen", work, version)

    async def resolve_drop(self, id: QueueId, *, version: int | None = None) -> SubmissionRow:
        """Give an uncertain entry up; what it counted stays counted, for it may have left.

        Raises:
            DecisionRefused: unknown, or in another state.
        """

        async def work(mtx: MailboxTransaction, row: SubmissionRow, now: datetime) -> None:
            step = _step(row, Event.RESOLVE_DROP, RESOLVED, now, reason=say("given up by a person"))
            await take_step(mtx, row, step)
            await end_uncertainty(mtx, row, now)

        return await self._decide(id, "resolve --drop", work, version)

    async def _row(self, id: QueueId, version: int | None) -> SubmissionRow:
        async def work(mtx: MailboxTransaction) -> SubmissionRow:
            return await _entry(mtx, id, version)

        return await self._mailboxes.write(work)

    async def _decide(
        self,
        id: QueueId,
        what: str,
        work: Callable[[MailboxTransaction, SubmissionRow, datetime], Awaitable[None]],
        version: int | None,
    ) -> SubmissionRow:
        now = self._clock.now()

        async def whole(mtx: MailboxTransaction) -> SubmissionRow:
            row = await _entry(mtx, id, version)
            await work(mtx, row, now)
            return await mtx.tx.submission(id) or row

        row = await self._mailboxes.write(whole)
        log.info("decided", id=id, account=row.account, decision=what, state=row.state.value)
        if self._wake is not None:
            self._wake.call()
        return row


_REASONS = {
    ClaimBasis.EVIDENCE: say("resolved by a person, and confirmed by its receipts"),
    ClaimBasis.WORD: say("sent on a person's word, which nothing confirms"),
}


async def _entry(mtx: MailboxTransaction, id: QueueId, version: int | None) -> SubmissionRow:
    row = await mtx.tx.submission(id)
    if row is None:
        raise DecisionRefused(say("No entry is called {id}; `queue list` shows all.", id=id))
    if version is not None and version != await mtx.tx.step_count(id):
        raise DecisionRefused(
            say(
                "{id} has gone on since and is {state}: look at it again before you decide.",
                id=id,
                state=row.state.value,
            )
        )
    return row


async def _check_free(mtx: MailboxTransaction, row: SubmissionRow, code: str) -> None:
    for owner in await mtx.tx.submissions_by_code(row.account, code):
        if owner.id != row.id:
            raise DecisionRefused(
                say(
                    "The code {code} belongs to {id} ({subject}) already.",
                    code=code,
                    id=owner.id,
                    subject=repr(owner.subject),
                )
            )


async def count_once(mtx: MailboxTransaction, row: SubmissionRow, at: datetime) -> None:
    """Count what turns out to have left at ``at``, if it counted nothing while that was unknown.

    So it is with what was restored, and with what was to be sent again.
    """
    if row.counted_on is None:
        await mtx.tx.count_submission(row.id, rome_day(at), len(row.recipients))


async def end_uncertainty(mtx: MailboxTransaction, row: SubmissionRow, now: datetime) -> None:
    """Take back the keyword and the alarm of an entry that is uncertain no longer."""
    others = await mtx.tx.submissions_of_content(row.account, row.content)
    if not any(one.state in UNDECIDED for one in others if one.id != row.id):
        await mtx.flag_sent(
            row.account, row.content, row.message_id, frozenset(), frozenset({PEC_UNCERTAIN})
        )
    for kind in (AlarmKind.UNCERTAIN, AlarmKind.REVOKED):
        await clear_alarm(mtx, row.account, kind, row.id, now)


def _step(row: SubmissionRow, event: Event, done: Sentence, now: datetime, *, reason: str) -> Step:
    if not allows(row.state, event):
        raise _refusal(done, row)
    return Step(row.state, following(row.state, event), now, reason=reason)


def _refusal(done: Sentence, row: SubmissionRow) -> DecisionRefused:
    advice = _ADVICE[row.state]
    return DecisionRefused(
        say(
            "{id} is {state} and cannot be {done}: {advice}.",
            id=row.id,
            state=STATE_WORDS[row.state],
            done=done,
            advice=advice,
        )
    )
