"""Receipts that should have come by now: an alarm for each, once, at its time.

A sent message is looked at when it is half an hour old (is there an acceptance?), and at 12 and 26
hours (is every recipient's outcome known?). So a look costs what became due since the last one,
however much was sent before; the first look after a start goes back a week for what came due
while nobody looked. Before an alarm is raised the API is asked for the send's own messages
(``GET /send/{code}``), where somebody gave a client: a receipt may be missing from the inbox.

What nobody could see is not called missing: the time up to which the inbox was seen whole is what
counts as now, and a send that could not be asked about is asked about later.

If that was not possible for an hour, it is one alarm for the account, with figures; it ends by
itself when the inbox is seen again.

What is known of a send by the rows of its receipts alone (``listed``) is not called missing either:
their texts are fetched first, for an ordinary recipient, say, gives no delivery receipt, and only
the acceptance's text tells.

Alarms about what cannot change any more, failures, anomalies, codes given twice and what a text
took back, leave ``status`` after a month.

Failure: an API that does not answer does not stop an alarm; a store that fails is tried again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Protocol

import structlog

from bridge.alarms import Alarm, AlarmKind, Notice, clear_alarm, raise_alarm, update_alarm
from bridge.api.errors import ApiError, NotFound, is_left_for_later
from bridge.api.schema import StatusRow
from bridge.clock import Clock
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import AccountId, QueueId
from bridge.receipts import notice
from bridge.receipts.listed import confirming_rows
from bridge.receipts.record import standing_of
from bridge.receipts.second_source import keep_status
from bridge.receipts.states import FINAL_STATES, DeliveryStatus
from bridge.store.base import ReadTransaction, Store, StoreFailed, Transaction
from bridge.store.outbox import SubmissionRow
from bridge.store.remote import Worth

log = structlog.get_logger()

LOOK_EVERY_S = 30.0
ASK_LIMIT = 20
"""Questions to the API in one look: each counts against the day's requests."""

CATCH_UP = timedelta(days=7)
UNSEEN_FOR = timedelta(hours=1)
"""How long what comes in may not be seen before a person is told of the sends that wait for it."""

COUNTED_EVERY = timedelta(minutes=10)
"""How often those sends are counted."""

UNSEEN_KEY = ""
FADE_AFTER = timedelta(days=30)
_FADING = frozenset(
    {
        AlarmKind.FAILURE.value,
        AlarmKind.ANOMALY.value,
        AlarmKind.NOT_CERTIFIED.value,
        AlarmKind.CODE_TWICE.value,
        AlarmKind.CONTRADICTED.value,
    }
)


class StatusClient(Protocol):
    """Who asks the API about one account's sends; see ``api.client.PecClient``."""

    async def send_status(self, code: str) -> tuple[StatusRow, ...]:
        """Return the messages that the API ties to a send."""


class Asked(Enum):
    """Whether the API was asked about a send; NOT_NOW if the day's requests do not allow it."""

    YES = "yes"
    NO = "no"
    NOT_NOW = "not now"


@dataclass(frozen=True, slots=True)
class Stage:
    """One time to look: the alarm raised if nothing has come by then."""

    after: timedelta
    kind: AlarmKind
    is_met: Callable[[DeliveryStatus], bool]
    words: Callable[[SubmissionRow, DeliveryStatus], Notice]


def _waiting(where: DeliveryStatus) -> list[str]:
    return [one.address for one in where.recipients if one.state not in FINAL_STATES]


STAGES: tuple[Stage, ...] = (
    Stage(
        timedelta(minutes=30),
        AlarmKind.NOT_ACCEPTED,
        lambda where: where.is_answered,
        lambda row, _where: notice.not_accepted(row),
    ),
    Stage(
        timedelta(hours=12),
        AlarmKind.OPEN_12H,
        lambda where: where.is_final,
        lambda row, where: notice.still_open(row, 12, _waiting(where)),
    ),
    Stage(
        timedelta(hours=26),
        AlarmKind.OPEN_26H,
        lambda where: where.is_final,
        lambda row, where: notice.still_open(row, 26, _waiting(where)),
    ),
)
"""The table. The network's own final notice comes by 24 hours (RFC 6109 §3.1.6); 26 leaves two
for it to be seen."""


_Met = tuple[QueueId, AlarmKind]
"""A send that had at a stage what that wants. What is taken back of it has an alarm of its own."""


def _stage_of(row: SubmissionRow, now: datetime) -> Stage | None:
    """Return the last stage that a send has come to, None before the first."""
    if row.sent_at is None:
        return None
    age = now - row.sent_at
    return next((stage for stage in reversed(STAGES) if stage.after <= age), None)


class Overdue:
    """See the module.

    Args:
        store: what was sent, and its receipts.
        mailboxes: the single writer.
        clock: time.
        accounts: whose sends are looked at.
        clients: asks the API before an alarm is raised; accounts without one are not asked about.
        seen_until: tells up to when what an account's inbox listed is known here, None if it was
            never looked at; without it all is.
    """

    def __init__(
        self,
        store: Store,
        mailboxes: Mailboxes,
        clock: Clock,
        accounts: Sequence[AccountId],
        *,
        clients: Mapping[AccountId, StatusClient] | None = None,
        seen_until: Callable[[AccountId], Awaitable[datetime | None]] | None = None,
    ) -> None:
        self._store = store
        self._mailboxes = mailboxes
        self._clock = clock
        self._accounts = tuple(accounts)
        self._clients = dict(clients or {})
        self._seen_until = seen_until
        self._looked_at: dict[AccountId, datetime] = {}
        self._caught_up_on: dict[AccountId, date] = {}
        self._postponed: dict[AccountId, tuple[QueueId, ...]] = {}
        self._counted_at: dict[AccountId, datetime] = {}
        self._met: defaultdict[AccountId, set[_Met]] = defaultdict(set)
        self._blind_since: dict[AccountId, datetime] = {}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            for account in self._accounts:
                try:
                    await self.look(account)
                except StoreFailed as error:
                    log.error("overdue_look_failed", reason=str(error))
            await self._clock.sleep(LOOK_EVERY_S)

    async def look(self, account: AccountId) -> None:
        """Raise the alarms of one account that are due now.

        Once a day it goes back as at a start: the outcome of an uncertain send may have been
        settled with a time long past.
        """
        now = self._clock.now()
        seen = await self._seen(account, now)
        is_caught_up = self._caught_up_on.get(account) == now.date()
        last, again = self._looked_at.get(account, now), self._postponed.get(account, ())
        if not is_caught_up:
            await self._fade(account, now)
            last, again = now - CATCH_UP, ()
        await self._tell_unseen(account, seen, now)
        if seen is None or seen <= last:
            return
        asked = 0
        postponed = []
        for stage, row in await self._lacking(account, last, seen, again):
            if await self._is_still_to_read(row):
                postponed.append(row.id)
                continue
            if asked < ASK_LIMIT:
                answer = await self._ask(account, row)
                if answer is Asked.NOT_NOW:
                    postponed.append(row.id)
                    continue
                asked += answer is Asked.YES
            await self._tell(row.id, stage, now)
        self._looked_at[account], self._postponed[account] = seen, tuple(postponed)
        self._caught_up_on[account] = now.date()

    async def _seen(self, account: AccountId, now: datetime) -> datetime | None:
        if self._seen_until is None:
            return now
        seen = await self._seen_until(account)
        return None if seen is None else min(seen, now)

    async def _tell_unseen(self, account: AccountId, seen: datetime | None, now: datetime) -> None:
        """Say how many sends nobody could look at, or that they are looked at again."""
        if seen is None:
            blind_since = self._blind_since.setdefault(account, now)
        else:
            blind_since = seen
            self._blind_since.pop(account, None)
        if now - blind_since <= UNSEEN_FOR:
            self._counted_at.pop(account, None)
            self._met.pop(account, None)
            await self._end_unseen(account, now)
            return
        counted_at = self._counted_at.get(account)
        if counted_at is not None and now - counted_at < COUNTED_EVERY:
            return
        self._counted_at[account] = now
        since = max(seen or now - CATCH_UP, now - CATCH_UP)
        met = self._met[account]
        waiting = {row.id for _, row in await self._lacking(account, since, now, met=met)}
        if not waiting:
            await self._end_unseen(account, now)
            return

        async def work(mtx: MailboxTransaction) -> None:
            words = notice.unseen(await mtx.tx.address(account) or "", len(waiting), seen)
            alarm = await mtx.tx.alarm(account, AlarmKind.UNSEEN.value, UNSEEN_KEY)
            is_raised = alarm is not None and alarm.cleared_at is None
            await (update_alarm if is_raised else raise_alarm)(
                mtx, Alarm(account, AlarmKind.UNSEEN, UNSEEN_KEY, words), now
            )

        await self._mailboxes.write(work)

    async def _end_unseen(self, account: AccountId, now: datetime) -> None:
        alarm = await self._store.read(
            lambda tx: tx.alarm(account, AlarmKind.UNSEEN.value, UNSEEN_KEY)
        )
        if alarm is not None and alarm.cleared_at is None:
            await self._mailboxes.write(
                lambda mtx: clear_alarm(mtx, account, AlarmKind.UNSEEN, UNSEEN_KEY, now)
            )

    async def _lacking(
        self,
        account: AccountId,
        last: datetime,
        now: datetime,
        again: Sequence[QueueId] = (),
        *,
        met: set[_Met] | None = None,
    ) -> list[tuple[Stage, SubmissionRow]]:
        """Return the sends that lack what their stage wants.

        Args:
            account: whose.
            last: those that came to a stage since then.
            now: until when.
            again: sends to look at in any case.
            met: sends that lacked nothing are put here, and are not looked at again.
        """
        known = set[_Met]() if met is None else met

        async def work(tx: ReadTransaction) -> list[tuple[Stage, SubmissionRow]]:
            found = [row for id in again if (row := await tx.submission(id)) is not None]
            due = {row.id: (stage, row) for row in found if (stage := _stage_of(row, now))}
            for stage, following in zip(STAGES, (*STAGES[1:], None), strict=True):
                oldest = last - stage.after
                if following is not None:  # who is past the next stage is told of there
                    oldest = max(oldest, now - following.after)
                for row in await tx.submissions_sent(account, oldest, now - stage.after):
                    due[row.id] = (stage, row)
            lacking = []
            for stage, row in due.values():
                if (row.id, stage.kind) in known:
                    continue
                if stage.is_met(await standing_of(tx, row)):
                    known.add((row.id, stage.kind))
                else:
                    lacking.append((stage, row))
            return lacking

        return await self._store.scan(work)

    async def _is_still_to_read(self, row: SubmissionRow) -> bool:
        """Tell whether the texts of a send's receipts were not wanted before; they are from now on.

        Until they are here they count as not seen (``seen_until``), and if they cannot be had, the
        next look does without.
        """
        unread = await self._store.read(lambda tx: confirming_rows(tx, row.id))
        if not unread:
            return False

        async def work(tx: Transaction) -> None:
            for one in await confirming_rows(tx, row.id):
                await tx.judge_remote(one.id, Worth.FAILURE, row.code)

        await self._store.write(work)
        return True

    async def _ask(self, account: AccountId, row: SubmissionRow) -> Asked:
        """Ask the API for a send's messages and keep what they prove."""
        client = self._clients.get(account)
        if client is None or row.code is None:
            return Asked.NO
        try:
            shown = await client.send_status(row.code)
        except NotFound:
            return Asked.YES
        except ApiError as error:
            log.info("second_source_failed", id=row.id, account=row.account, reason=error.reason)
            return Asked.NOT_NOW if is_left_for_later(error) else Asked.YES
        now = self._clock.now()
        await self._mailboxes.write(lambda mtx: keep_status(mtx, row.id, shown, now))
        return Asked.YES

    async def _tell(self, id: QueueId, stage: Stage, now: datetime) -> None:
        """Raise a stage's alarm, unless what it wants has come meanwhile."""

        async def work(mtx: MailboxTransaction) -> None:
            row = await mtx.tx.submission(id)
            if row is None:
                return
            where = await standing_of(mtx.tx, row)
            if stage.is_met(where):
                return
            if stage.kind is AlarmKind.OPEN_26H:
                await clear_alarm(mtx, row.account, AlarmKind.OPEN_12H, id, now)
            words = stage.words(row, where)
            await raise_alarm(
                mtx, Alarm(row.account, stage.kind, id, words, answers=row.message_id), now
            )

        await self._mailboxes.write(work)

    async def _fade(self, account: AccountId, now: datetime) -> None:
        async def work(mtx: MailboxTransaction) -> None:
            for alarm in await mtx.tx.alarms(account):
                if alarm.kind in _FADING and now - alarm.raised_at > FADE_AFTER:
                    await clear_alarm(mtx, account, AlarmKind(alarm.kind), alarm.key, now)

        await self._mailboxes.write(work)
