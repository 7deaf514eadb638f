"""What the API's inbox brought, made into messages where people look.

``judge`` sees to what the rows of receipts prove by themselves (``listed``), as soon as they are
listed; ``file`` to rows whose text was fetched. Where texts that only confirm are not wanted
(``[receipts] text = "never"``), the message is made of the row, and it stays so: a text that is
fetched later is kept and judged, and shown nowhere.

For each of these: what kind it is, whose receipt it is, the message composed from it; then, in one
commit for the whole batch: body and message kept, shown in INBOX (or where receipts are wanted),
the receipt tied to its sent message, keywords and alarms. A row that has its message already is
passed over, so the same batch may be filed again.

Two rows that are the same in everything get two messages: each is numbered until its bytes are
nobody else's. Filing is done one batch at a time per account for that reason.

Failure: the store's own errors pass and nothing was filed. Whatever a row holds, composing and
classifying it raise nothing, unless its body is so large that a process of its own composes it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.alarms import Alarm, AlarmKind, raise_alarm
from bridge.apart.process import Apart, ApartCrashed, ApartFailed
from bridge.clock import Clock
from bridge.language import say
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.mime.ingest import Ingested
from bridge.mime.write.compose import Source, compose
from bridge.model import (
    INBOX,
    AccountId,
    ContentId,
    Flag,
    HeldText,
    Mailbox,
    QueueId,
    RowText,
    body_digest,
)
from bridge.receipts import notice
from bridge.receipts.arrival import Arrival, source_of
from bridge.receipts.claim import release_doubtful
from bridge.receipts.composing import compose_apart
from bridge.receipts.destination import Destination
from bridge.receipts.kind import Kind
from bridge.receipts.listed import conclude, judge, resting_on_rows, tell_fallen
from bridge.receipts.owner import Owner, find_owner, find_owners
from bridge.receipts.receipt import Receipt, read_receipt
from bridge.receipts.record import record, refresh, tell_shared_code
from bridge.store.base import ReadTransaction, Store, StoreFailed
from bridge.store.remote import RemoteId, Worth

OFF_LOOP_CHARS = 32 * 1024
"""A longer body is read and composed on a thread."""

JUDGED_AT_ONCE = 100
"""Rows that are judged in one commit."""

ANOMALY_NEWS = timedelta(days=2)
"""An older anomaly came with the first import: it is shown, without an alarm."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """An arrival on its way: what it is, what it is composed from, and the message."""

    arrival: Arrival
    receipt: Receipt
    source: Source
    message: Ingested


class Filing:
    """See the module.

    Args:
        store: for what is known already.
        mailboxes: the single writer.
        clock: stamps.
        destination: where receipts of messages sent from here go; made if it is missing.
        waits_for_texts: whether a receipt is shown when its text is here; else at once, made of
            its row, if that says all that counts.
        apart: where large ones are composed; None for one of its own.
    """

    def __init__(
        self,
        store: Store,
        mailboxes: Mailboxes,
        clock: Clock,
        *,
        destination: Destination | None = None,
        waits_for_texts: bool = True,
        apart: Apart | None = None,
    ) -> None:
        self._apart = apart or Apart()
        self._store = store
        self._mailboxes = mailboxes
        self._clock = clock
        self._destination = destination or Destination()
        self._waits_for_texts = waits_for_texts
        self._locks: defaultdict[AccountId, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def file(self, account: AccountId, arrivals: Sequence[Arrival]) -> int:
        """File rows, in the order given, in one commit; returns how many had no message before.

        Raises:
            StoreFailed: nothing was filed.
            TooCostly, ApartCrashed: one of them cannot be composed, so nothing was filed.
        """
        async with self._locks[account]:
            wanted = await self._unfiled(arrivals)
            receipts = [await _read(one) for one in wanted]
            answers = await self._answers(account, receipts)
            drafts = []
            for arrival, receipt in zip(wanted, receipts, strict=True):
                answer = answers.get(arrival.remote, "")
                drafts.append(await self._draft(account, arrival, receipt, answer))
                await self._clock.sleep(0)  # a batch is long: sessions get their turn
            drafts = await self._told_apart(account, drafts)
            return await self._commit(account, drafts) if drafts else 0

    async def judge(self, account: AccountId) -> bool:
        """Judge a batch of rows by the listing alone; True if there may be more of them.

        Raises:
            StoreFailed: nothing was judged.
        """
        if not await self._store.read(lambda tx: tx.remote_unjudged(account, 1)):
            return False
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> int:
            rows = await mtx.tx.remote_unjudged(account, JUDGED_AT_ONCE)
            await judge(mtx, rows, now)
            return len(rows)

        return await self._mailboxes.write(work) == JUDGED_AT_ONCE

    async def show_rows(self, account: AccountId) -> int:
        """Make messages of a batch of rows that say all that counts; returns how many.

        Raises:
            StoreFailed: none was made.
        """
        if self._waits_for_texts:
            return 0
        async with self._locks[account]:
            rows = await self._store.read(lambda tx: tx.remote_to_show(account, JUDGED_AT_ONCE))
            arrivals = [Arrival.of(row, "", unfetched=True) for row in rows]
            receipts = [await _read(one) for one in arrivals]
            answers = await self._answers(account, receipts)
            drafts = []
            for arrival, receipt in zip(arrivals, receipts, strict=True):
                answer = answers.get(arrival.remote, "")
                drafts.append(await self._draft(account, arrival, receipt, answer))
                await self._clock.sleep(0)
            drafts = await self._told_apart(account, drafts)

            async def work(mtx: MailboxTransaction) -> int:
                return sum([await self._show(mtx, account, draft) for draft in drafts])

            return await self._mailboxes.write(work) if drafts else 0

    async def _show(self, mtx: MailboxTransaction, account: AccountId, draft: _Draft) -> bool:
        """Show the message made of a row, unless the row lacks something now or has one."""
        row = await mtx.tx.remote_row(draft.arrival.remote)
        if row is None or row.worth is not Worth.CONFIRMATION or row.content is not None:
            return False
        content = await mtx.tx.add_content(account, draft.message)
        await mtx.tx.show_remote(row.id, content)
        owner = await find_owner(mtx.tx, account, draft.receipt)
        await self._put(mtx, account, draft, content, owner)
        return True

    async def _unfiled(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        distinct = {one.remote: one for one in arrivals}

        async def work(tx: ReadTransaction) -> list[Arrival]:
            rows = await tx.remotes_of(list(distinct))
            return [
                one
                for remote, one in distinct.items()
                if (row := rows.get(remote)) is not None
                and (row.content is None or row.body_sha256 is None)
            ]

        return await self._store.read(work)

    async def _answers(
        self, account: AccountId, receipts: Sequence[Receipt]
    ) -> dict[RemoteId, str]:
        """Return the Message-ID of the sent message behind each receipt that has one."""

        async def work(tx: ReadTransaction) -> dict[RemoteId, str]:
            found = {}
            for one in receipts:
                owner = await find_owner(tx, account, one)
                if owner is not None:
                    found[one.remote] = owner.submission.message_id
            return found

        return await self._store.read(work)

    async def _draft(
        self, account: AccountId, arrival: Arrival, receipt: Receipt, answers: str
    ) -> _Draft:
        source = source_of(arrival, receipt, answers)
        message = await self._message(account, source, arrival.body)
        return _Draft(arrival, receipt, source, message)

    async def _message(self, account: AccountId, source: Source, body: RowText) -> Ingested:
        if not isinstance(body, str):
            return await self._large_message(account, source, body)
        if len(source.body) <= OFF_LOOP_CHARS:
            raw = compose(source)
        else:
            raw = await asyncio.to_thread(compose, source)
        return await self._mailboxes.prepare(raw)

    async def _large_message(self, account: AccountId, source: Source, body: HeldText) -> Ingested:
        try:
            return await compose_apart(self._apart.of(account), source, body)
        except ApartCrashed:
            raise
        except (ApartFailed, OSError) as fault:
            raise StoreFailed(
                say("a message cannot be composed now: {fault}", fault=fault)
            ) from fault

    async def _told_apart(self, account: AccountId, drafts: Sequence[_Draft]) -> list[_Draft]:
        """Number drafts until the bytes of each are no other row's."""
        done: list[_Draft] = []
        digests: set[bytes] = set()
        taken = await self._taken(account, drafts)
        for draft in drafts:
            while draft.message.sha256 in digests or draft.message.sha256 in taken:
                source = replace(draft.source, occurrence=draft.source.occurrence + 1)
                message = await self._message(account, source, draft.arrival.body)
                draft = replace(draft, source=source, message=message)
                taken |= await self._taken(account, (draft,))
            digests.add(draft.message.sha256)
            done.append(draft)
        return done

    async def _taken(self, account: AccountId, drafts: Sequence[_Draft]) -> set[bytes]:
        """Return which drafts' bytes another row at the API has."""

        async def work(tx: ReadTransaction) -> set[bytes]:
            taken = set()
            for draft in drafts:
                digest = draft.message.sha256
                content = await tx.content_by_digest(account, digest)
                if content is not None and await tx.remote_of_content(account, content):
                    taken.add(digest)
            return taken

        return await self._store.read(work)

    async def _commit(self, account: AccountId, drafts: Sequence[_Draft]) -> int:
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> int:
            touched: dict[QueueId, None] = {}
            rows = await mtx.tx.remotes_of([draft.arrival.remote for draft in drafts])
            shown = sum(row.content is not None for row in rows.values())
            before = await resting_on_rows(mtx.tx, await _concerned(mtx.tx, account, drafts))
            for draft in drafts:
                touched |= dict.fromkeys(await self._keep(mtx, account, draft, now))
                await _tell_anomaly(mtx, account, draft, now)
            for code in dict.fromkeys(filter(None, (draft.receipt.code for draft in drafts))):
                await conclude(mtx, account, code, now)
            for id in touched:
                await refresh(mtx, id, now)
            await tell_fallen(mtx, before, now)
            return len(drafts) - shown

        return await self._mailboxes.write(work)

    async def _keep(
        self, mtx: MailboxTransaction, account: AccountId, draft: _Draft, now: datetime
    ) -> list[QueueId]:
        """Keep a draft; returns the sends about which something changed by it."""
        arrival, receipt, message = draft.arrival, draft.receipt, draft.message
        owners = await find_owners(mtx.tx, account, receipt)
        owner = owners[0] if len(owners) == 1 else None
        touched = [] if owner is None else [owner.submission.id]
        row = await mtx.tx.remote_row(arrival.remote)
        if row is not None and row.submission is not None and row.submission not in touched:
            await mtx.tx.release_remote(row.id)
            touched.append(row.submission)
        for old in await mtx.tx.unread_likes(arrival.remote):  # it is that one, back again
            if old.submission is not None:
                await mtx.tx.release_remote(old.id)
                touched.append(old.submission)
        content = None if row is None else row.content
        is_new = content is None
        if content is None:
            content = await mtx.tx.add_content(account, message)
        digest = body_digest(arrival.body)
        await mtx.tx.keep_remote_body(arrival.remote, arrival.body, digest, content)
        kind = receipt.kind_for(owner.submission if owner else None)
        await mtx.tx.classify_remote(
            arrival.remote,
            kind.value,
            receipt.code,
            receipt.subject,
            receipt.addresses,
            readable=receipt.readable,
        )
        if is_new:
            await self._put(mtx, account, draft, content, owner)
        if owner is not None:
            await record(mtx, owner, receipt)
        elif receipt.code is not None and owners:
            await tell_shared_code(mtx, receipt.code, owners, now)
        else:
            await release_doubtful(mtx, account, receipt, now)
        return touched

    async def _put(
        self,
        mtx: MailboxTransaction,
        account: AccountId,
        draft: _Draft,
        content: ContentId,
        owner: Owner | None,
    ) -> None:
        """Put a draft's message where it belongs."""
        kind = draft.receipt.kind_for(owner.submission if owner else None)
        flags = frozenset[Flag]() if owner is None else self._destination.flags(kind)
        for mailbox in await self._targets(mtx, account, kind, owner, draft.arrival.at):
            await mtx.append_content(
                mailbox.id, content, draft.message.size_bytes, flags, draft.arrival.at
            )

    async def _targets(
        self,
        mtx: MailboxTransaction,
        account: AccountId,
        kind: Kind,
        owner: Owner | None,
        at: datetime,
    ) -> list[Mailbox]:
        """Return where a message goes; what belongs to no sent message goes to INBOX."""
        boxes = {box.name: box for box in await mtx.tx.mailboxes(account)}
        names = (INBOX,) if owner is None else self._destination.mailboxes(kind, at)
        for name in names:
            if name not in boxes:
                boxes[name] = await mtx.create(account, name)
                await mtx.subscribe(account, name)
        return [boxes[name] for name in names]


async def _concerned(
    tx: ReadTransaction, account: AccountId, drafts: Sequence[_Draft]
) -> set[QueueId]:
    """Return the sends that drafts may say something about, or were thought to."""
    ids: set[QueueId] = set()
    for draft in drafts:
        row = await tx.remote_row(draft.arrival.remote)
        if row is not None and row.submission is not None:
            ids.add(row.submission)
        if draft.receipt.code is not None:
            ids |= {one.id for one in await tx.submissions_by_code(account, draft.receipt.code)}
    return ids


async def _read(arrival: Arrival) -> Receipt:
    body = None if arrival.unreadable or arrival.unfetched else arrival.body
    row = (arrival.remote, arrival.subject, arrival.sender, body, arrival.at)
    if body is None or (isinstance(body, str) and len(body) <= OFF_LOOP_CHARS):
        return read_receipt(*row)
    return await asyncio.to_thread(read_receipt, *row)


async def _tell_anomaly(
    mtx: MailboxTransaction, account: AccountId, draft: _Draft, now: datetime
) -> None:
    arrival = draft.arrival
    if draft.receipt.classified.kind is not Kind.ANOMALY or now - arrival.at > ANOMALY_NEWS:
        return
    words = notice.anomaly(arrival.subject, arrival.sender)
    key = str(arrival.remote)
    await raise_alarm(mtx, Alarm(account, AlarmKind.ANOMALY, key, words), now)
