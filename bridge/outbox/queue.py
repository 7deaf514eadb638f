"""Into the queue: the one step after which a message is safe.

``enqueue`` puts the submitted bytes, the copy in ``Sent`` and the outbox entry into one commit
and returns once it is synced; before that nothing of the message exists, and after it a crash
loses nothing. It never waits for the API. The wake-up it then gives to the dispatcher only saves
time: if it is lost, the dispatcher's next look finds the entry.

A message submitted again (same account, bytes, Message-ID and recipients) is not queued again
within the window, which does not end while the first one is still on its way or in doubt: what
comes again after a day of waiting is the same message all the same. Where a Message-ID is
missing, a Date says as much: it is the moment at which the message was made, so the same bytes
with the same Date are a repetition. Without either nothing tells a repetition from a second
message, so both are queued.

A program that builds its message anew for each try repeats Message-ID, recipients and subject,
and no byte of the rest need be the same. Within ``KIN_WINDOW`` that is refused for the time
being, with the first one's id; later it is another message, for some programs have one
Message-ID for all they send.

Failure: ``PlanUsedUp``, ``SameMessageId``; ``StoreFull`` and ``StoreFailed`` pass. Nothing is
half-queued.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Literal

import structlog

from bridge.alarms.notices import show
from bridge.clock import Clock
from bridge.language import Sentence, say
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.mailbox.own_copy import clients_copy
from bridge.mime.ingest import Ingested
from bridge.mime.strict.submission import Submission
from bridge.model import (
    SEEN,
    SENT,
    AccountId,
    ContentId,
    MailboxId,
    QueueId,
    SpecialUse,
)
from bridge.outbox.plan import PLANS, Plan
from bridge.store.dsn import NOTHING_ASKED, DsnRequest
from bridge.store.events import EventKind, NewEvent
from bridge.store.outbox import NewSubmission, SubmissionRow
from bridge.wake import Wake

log = structlog.get_logger()


KIN_WINDOW = timedelta(hours=1)
"""How long the same Message-ID, recipients and subject are the same message's, built anew."""


class PlanUsedUp(Exception):
    """The plan has no room for the message in this period, and the settings say to refuse."""


class SameMessageId(Exception):
    """``first`` has the same Message-ID, recipients and subject, is young, and has other bytes."""

    def __init__(self, first: SubmissionRow) -> None:
        super().__init__(first.id)
        self.first = first


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """What the settings say about queueing.

    ``dedup_window_s`` 0 queues every repetition of the same bytes; ``same_message_id`` says what
    becomes of other bytes with the Message-ID, recipients and subject of an entry.
    """

    plan: Plan = PLANS["standard"]
    over_plan: Literal["hold", "refuse"] = "hold"
    dedup_window_s: float = 24 * 3600.0
    same_message_id: Literal["refuse", "send"] = "refuse"
    subject_reference: Literal["off", "suffix"] = "off"


@dataclass(frozen=True, slots=True)
class Enqueued:
    """``id`` names the (first) entry; ``repeated`` if no new entry was made at all."""

    id: QueueId
    repeated: bool


class Outbox:
    """Where submissions are queued.

    Args:
        mailboxes: the single writer, whose commit holds everything.
        clock: stamps entries.
        random: makes queue ids.
        settings: see ``QueueSettings``.
        wake: is called after each commit that queued something.
    """

    def __init__(
        self,
        mailboxes: Mailboxes,
        clock: Clock,
        random: Random,
        settings: QueueSettings,
        wake: Wake,
    ) -> None:
        self._mailboxes = mailboxes
        self._clock = clock
        self._random = random
        self._settings = settings
        self._wake = wake

    async def enqueue(
        self,
        account: AccountId,
        submission: Submission,
        digest: bytes,
        message: Ingested | None = None,
        dsn: DsnRequest = NOTHING_ASKED,
    ) -> Enqueued:
        """Queue a submission and return once that is on disk.

        Args:
            account: whose mailbox sends.
            submission: what ``mime.strict.submission`` let through.
            digest: SHA-256 of the bytes exactly as submitted.
            message: the submission's bytes taken apart, if they have been.
            dsn: what of it the submitter wants to be notified of.

        Raises:
            PlanUsedUp, SameMessageId: see the classes.
            StoreFull, StoreFailed: nothing was queued.
        """
        now = self._clock.now()
        if message is None:
            assert isinstance(submission.raw, bytes)  # noqa: S101 - what is held elsewhere was
            message = await self._mailboxes.prepare(submission.raw)
        fresh = [
            replace(
                self._new_entry(account, submission, digest, entry, now), dsn=_about(dsn, entry)
            )
            for entry in submission.entries
        ]
        sent = await self._mailboxes.special(account, SpecialUse.SENT)

        async def work(mtx: MailboxTransaction) -> Enqueued:
            return await self._write(mtx, account, sent.id if sent else None, message, fresh, now)

        enqueued = await self._mailboxes.write(work)
        if enqueued.repeated:
            log.info(
                "submission_repeated",
                id=enqueued.id,
                account=account,
                message_id=submission.message_id,
            )
        else:
            log.info(
                "submission_queued",
                id=enqueued.id,
                account=account,
                message_id=submission.message_id,
                size_bytes=message.size_bytes,
                recipients=sum(map(len, submission.entries)),
            )
            self._wake.call()
        return enqueued

    async def file_bounce(self, account: AccountId, raw: bytes) -> None:
        """Put a message that another server returned into the account's INBOX, unseen.

        Raises:
            StoreFull, StoreFailed: nothing was filed.
        """
        now = self._clock.now()
        message = await self._mailboxes.prepare(raw)

        async def work(mtx: MailboxTransaction) -> None:
            await show(mtx, account, message, now)

        await self._mailboxes.write(work)
        log.info("bounce_filed", account=account, size_bytes=len(raw))

    async def _write(
        self,
        mtx: MailboxTransaction,
        account: AccountId,
        sent: MailboxId | None,
        message: Ingested,
        entries: list[NewSubmission],
        now: datetime,
    ) -> Enqueued:
        ids, fresh = await self._without_twins(mtx, entries, now)
        if fresh:
            await self._check_kin(mtx, fresh, now)
            await self._check_plan(mtx, account, fresh, now)
            content = await _keep(mtx, account, sent, message, now)
            for entry in fresh:
                await mtx.tx.add_submission(replace(entry, content=content))
                await mtx.tx.add_event(NewEvent(now, account, EventKind.QUEUED, entry.id))
        return Enqueued(ids[0], repeated=not fresh)

    async def _without_twins(
        self, mtx: MailboxTransaction, entries: list[NewSubmission], now: datetime
    ) -> tuple[list[QueueId], list[NewSubmission]]:
        """Return each entry's id, its twin's if it was queued before, and those that were not."""
        if self._settings.dedup_window_s <= 0:
            return [entry.id for entry in entries], entries
        since = self._earliest(now) - timedelta(seconds=self._settings.dedup_window_s)
        ids, fresh = [], []
        for entry in entries:
            twin = await mtx.tx.submission_twin(entry.account, entry.fingerprint, since)
            if twin is None:
                fresh.append(entry)
            ids.append(twin.id if twin else entry.id)
        return ids, fresh

    def _earliest(self, now: datetime) -> datetime:
        """Return the time by which a window ends: never sooner for a clock that ran ahead."""
        return min(now, self._clock.earliest())

    async def _check_kin(
        self, mtx: MailboxTransaction, fresh: list[NewSubmission], now: datetime
    ) -> None:
        """Refuse the whole if any of it would reach the same recipients as a young kin.

        With an entry for each hidden recipient it takes one that is reached twice, whoever the
        others are.
        """
        if self._settings.same_message_id == "send":
            return
        for entry in fresh:
            first = await mtx.tx.submission_kin(
                entry.account, entry.kinship, entry.fingerprint, self._earliest(now) - KIN_WINDOW
            )
            if first is not None:
                raise SameMessageId(first)

    async def _check_plan(
        self, mtx: MailboxTransaction, account: AccountId, fresh: list[NewSubmission], now: datetime
    ) -> None:
        if self._settings.over_plan == "hold":
            return
        plan = self._settings.plan
        used = await mtx.tx.counted(account, *plan.bounds(now))
        waiting = await mtx.tx.queued_recipients(account)
        if used + waiting + sum(len(entry.recipients) for entry in fresh) > plan.limit:
            again = plan.next_period(now)
            raise PlanUsedUp(_used_up(plan, again))

    def _new_entry(
        self,
        account: AccountId,
        submission: Submission,
        digest: bytes,
        recipients: tuple[str, ...],
        now: datetime,
    ) -> NewSubmission:
        id = self._new_id(now)
        subject = submission.subject
        if self._settings.subject_reference == "suffix":
            subject = f"{subject} [{id}]".lstrip()
        fingerprint = kinship = b""
        if submission.identity:
            fingerprint = _name(submission.identity, recipients, digest)
        if submission.identity and submission.has_message_id:
            kinship = _name(
                submission.identity, recipients, submission.subject.encode("utf-8", "surrogatepass")
            )
        return NewSubmission(
            id=id,
            account=account,
            message_id=submission.message_id,
            subject=subject,
            recipients=recipients,
            content=ContentId(0),
            fingerprint=fingerprint,
            kinship=kinship,
            created_at=now,
            urgent=submission.urgent,
            reference=submission.reference,
        )

    def _new_id(self, now: datetime) -> QueueId:
        moment = int(now.timestamp() * 1_000_000)
        return QueueId(f"{moment:X}{self._random.getrandbits(20):05X}")


def _about(dsn: DsnRequest, recipients: tuple[str, ...]) -> DsnRequest:
    """Return what is asked for an entry to these recipients, who may be some of a message's."""
    return replace(dsn, wishes={one: dsn.wishes[one] for one in recipients if one in dsn.wishes})


async def _keep(
    mtx: MailboxTransaction,
    account: AccountId,
    sent: MailboxId | None,
    message: Ingested,
    now: datetime,
) -> ContentId:
    """Keep the text and show it in ``Sent``; returns the text that will be sent.

    What was refused before, and now comes again, comes back from ``Unsent``. A client's own copy
    that came first stays the only one; it is known by its Message-ID, or by its bytes apart from
    what the bridge added to them, and then is what will be sent. A copy there that is another
    submission is another message, whatever its Message-ID says.
    """
    boxes = await mtx.tx.mailboxes(account)
    box = next((one for one in boxes if one.id == sent), None)
    if box is None:
        box = await mtx.create(account, SENT, SpecialUse.SENT)
        boxes = await mtx.tx.mailboxes(account)
    sent = box.id
    if own := await clients_copy(mtx.tx, box, message):
        return own.content
    content = await mtx.tx.add_content(account, message)
    await mtx.place_sent(account, [(content, message.message_id or "")], in_sent=True, boxes=boxes)
    known = None
    if message.message_id:
        known = await mtx.tx.uid_by_message_id(sent, message.message_id)
    if known is not None:
        row = await mtx.tx.message_row(sent, known)
        same = row is not None and row.content == content
        if same or not await mtx.tx.submissions_by_message_id(account, message.message_id or ""):
            return content
    flags = frozenset({SEEN})
    await mtx.append_content(sent, content, message.size_bytes, flags, now)
    return content


def _name(identity: str, recipients: tuple[str, ...], rest: bytes) -> bytes:
    """Return a short name for all three; neither order nor case of recipients matters."""
    named = "\0".join([identity, *sorted(one.casefold() for one in recipients)])
    return hashlib.sha256(named.encode() + b"\0" + rest).digest()


def _used_up(plan: Plan, again: datetime) -> Sentence:
    at = f"{again:%Y-%m-%d %H:%M}"
    if plan.period == "day":
        return say(
            "The plan's {limit} PEC a day are used up; try again from {at} (Rome).",
            limit=plan.limit,
            at=at,
        )
    return say(
        "The plan's {limit} PEC a month are used up; try again from {at} (Rome).",
        limit=plan.limit,
        at=at,
    )
