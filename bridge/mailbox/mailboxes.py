"""Every change to a mailbox goes through here: commit, bring the index up to date, publish.

Reads come from memory where they can: the list of mailboxes, and each opened mailbox's index.
``write`` lets the sync, the outbox and the receipts join mailbox changes and changes of their
own to one commit.

Invariants: a change is published only after its commit is synced; changes are published in
commit order; an index has taken a change in before anybody is told of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bridge.apart.process import Apart
from bridge.clock import Clock
from bridge.imap.mailboxname import canonical
from bridge.language import Voice
from bridge.mailbox.flagchange import FlagChange, FlagsOutcome
from bridge.mailbox.index import MailboxIndex
from bridge.mailbox.naming import NoSuchMailbox
from bridge.mailbox.subscribers import Callback, Subscribers
from bridge.mailbox.texts import MessageTexts
from bridge.mailbox.transaction import MailboxTransaction
from bridge.mime.ingest import Ingested
from bridge.model import (
    ARCHIVE,
    DELETED,
    DRAFTS,
    INBOX,
    SENT,
    TRASH,
    AccountId,
    Added,
    Change,
    Expunged,
    Flags,
    FlagsChanged,
    Mailbox,
    MailboxCreated,
    MailboxDeleted,
    MailboxId,
    MailboxRenamed,
    MessageRow,
    ModSeq,
    SpecialUse,
    Uid,
)
from bridge.naming import name_account
from bridge.store.base import ReadTransaction, Store, Transaction

T = TypeVar("T")

LOAD_BATCH = 1000
"""Rows of a mailbox held at once while it is loaded: as Python's values they take much memory."""

FIRST_MAILBOXES = (
    (INBOX, None),
    (ARCHIVE, SpecialUse.ARCHIVE),
    (DRAFTS, SpecialUse.DRAFTS),
    (SENT, SpecialUse.SENT),
    (TRASH, SpecialUse.TRASH),
)


@dataclass(frozen=True, slots=True)
class CopyOutcome:
    """What COPY or MOVE did: the target and (old UID, new UID) of each message (RFC 4315 §3)."""

    target: Mailbox
    pairs: tuple[tuple[Uid, Uid], ...]


class Mailboxes(MessageTexts):
    """See the module.

    Args:
        store: where everything is.
        clock: time.
        apart: where large messages are taken apart; None for one of its own.

    Attributes:
        voice: how the bridge's own messages are written.
    """

    def __init__(self, store: Store, clock: Clock, apart: Apart | None = None) -> None:
        super().__init__(store, clock, apart)
        self.voice = Voice()
        self._subscribers = Subscribers()
        self._boxes: dict[AccountId, dict[str, Mailbox]] = {}
        self._indexes: dict[MailboxId, MailboxIndex] = {}
        self._loading: dict[MailboxId, asyncio.Task[MailboxIndex]] = {}
        self._missed: dict[MailboxId, list[Change]] = {}

    # -- reading -----------------------------------------------------------------------------

    async def mailboxes(self, account: AccountId) -> tuple[Mailbox, ...]:
        """Return the account's mailboxes by name; numbers that move are in ``index``."""
        return tuple(box for _, box in sorted((await self._named(account)).items()))

    async def find(self, account: AccountId, name: str) -> Mailbox | None:
        """Return the mailbox of that name, however it is spelled (RFC 9051 §5.1)."""
        return (await self._named(account)).get(canonical(name))

    async def special(self, account: AccountId, use: SpecialUse) -> Mailbox | None:
        """Return the account's mailbox for that use."""
        boxes = (await self._named(account)).values()
        return next((box for box in boxes if box.special_use is use), None)

    async def index(self, mailbox: MailboxId) -> MailboxIndex:
        """Return a mailbox's live index, loading it at its first use.

        Raises:
            NoSuchMailbox: it is gone.
        """
        index = self._indexes.get(mailbox)
        if index is not None:
            return index
        task = self._loading.get(mailbox)
        if task is None:
            self._missed[mailbox] = []
            task = asyncio.ensure_future(self._load(mailbox))
            self._loading[mailbox] = task
        return await asyncio.shield(task)

    async def subscriptions(self, account: AccountId) -> tuple[str, ...]:
        """Return the names subscribed to."""

        async def work(tx: ReadTransaction) -> tuple[str, ...]:
            return await tx.subscriptions(account)

        return await self._store.read(work)

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call ``callback`` on the loop with every change from now on; returns what ends that."""
        return self._subscribers.subscribe(callback)

    def subscribe_mailbox(
        self, account: AccountId, mailbox: MailboxId, callback: Callback
    ) -> Callable[[], None]:
        """Likewise for one mailbox, which counts as watched meanwhile."""
        return self._subscribers.subscribe_mailbox(account, mailbox, callback)

    def watchers(self, account: AccountId) -> int:
        """Return how many sessions have a mailbox of the account selected."""
        return self._subscribers.watchers(account)

    # -- writing -----------------------------------------------------------------------------

    async def write(self, work: Callable[[MailboxTransaction], Awaitable[T]]) -> T:
        """Run ``work`` as one commit, then publish what it changed; return what it returned.

        The work runs where the store runs works: see ``store.base``.
        """
        now = self._clock.now()
        done: list[MailboxTransaction] = []

        async def run(tx: Transaction) -> T:
            transaction = MailboxTransaction(tx, now, self.voice)
            done[:] = [transaction]
            return await work(transaction)

        def committed(_: T) -> None:
            for change in done[0].changes:
                self._take_in(change)
                self._subscribers.publish(change)
            for tell in done[0].told:
                tell()
            self._subscribers.publish_commit()

        return await self._store.write(run, committed)

    def on_commit(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` after each commit, whatever it changed; returns what ends that."""
        return self._subscribers.subscribe_commits(callback)

    async def open_account(self, address: str) -> AccountId:
        """Return the account of this address, made with its first mailboxes if it is new."""

        async def work(transaction: MailboxTransaction) -> AccountId:
            known = await transaction.tx.account(address)
            if known is not None:
                await transaction.spell_names(known)
                return known
            account = await transaction.tx.add_account(address)
            for name, special_use in FIRST_MAILBOXES:
                await transaction.create(account, name, special_use)
                await transaction.subscribe(account, name)
            return account

        account = await self.write(work)
        name_account(account, address)
        return account

    async def append(
        self, mailbox: MailboxId, message: Ingested, flags: Flags, internal_date: datetime
    ) -> MessageRow:
        """See ``MailboxTransaction.append``."""
        (row,) = await self.append_many(mailbox, ((message, flags, internal_date),))
        return row

    async def append_many(
        self, mailbox: MailboxId, messages: Sequence[tuple[Ingested, Flags, datetime]]
    ) -> tuple[MessageRow, ...]:
        """Append all or none (RFC 3502)."""
        index = self._indexes.get(mailbox)
        if index is not None:
            index.check_room({flag for _, flags, _ in messages for flag in flags})

        async def work(transaction: MailboxTransaction) -> tuple[MessageRow, ...]:
            rows = []
            for message, flags, internal_date in messages:
                spelled = flags if index is None or not flags else index.spelled(flags)
                rows.append(await transaction.append(mailbox, message, spelled, internal_date))
            return tuple(rows)

        return await self.write(work)

    async def change_flags(
        self,
        mailbox: MailboxId,
        uids: Sequence[Uid],
        how: FlagChange,
        flags: Flags,
        unchanged_since: ModSeq | None = None,
    ) -> FlagsOutcome:
        """See ``MailboxTransaction.change_flags``."""
        index = await self.index(mailbox)
        if how is not FlagChange.REMOVE:
            index.check_room(flags)
        spelled = index.spelled(flags)

        async def work(transaction: MailboxTransaction) -> FlagsOutcome:
            return await transaction.change_flags(mailbox, uids, how, spelled, unchanged_since)

        return await self.write(work)

    async def copy(
        self,
        source: MailboxId,
        uids: Sequence[Uid],
        target: Mailbox,
        *,
        all_or_none: bool = False,
    ) -> CopyOutcome:
        """See ``MailboxTransaction.copy``."""

        async def work(transaction: MailboxTransaction) -> CopyOutcome:
            pairs = await transaction.copy(source, uids, target.id, all_or_none=all_or_none)
            return CopyOutcome(target, pairs)

        return await self.write(work)

    async def move(
        self,
        source: MailboxId,
        uids: Sequence[Uid],
        target: Mailbox,
        *,
        all_or_none: bool = False,
    ) -> CopyOutcome:
        """See ``MailboxTransaction.move``."""

        async def work(transaction: MailboxTransaction) -> CopyOutcome:
            pairs = await transaction.move(source, uids, target.id, all_or_none=all_or_none)
            return CopyOutcome(target, pairs)

        return await self.write(work)

    async def expunge(self, mailbox: MailboxId, uids: Sequence[Uid]) -> tuple[Uid, ...]:
        """See ``MailboxTransaction.expunge``."""

        async def work(transaction: MailboxTransaction) -> tuple[Uid, ...]:
            return await transaction.expunge(mailbox, uids)

        return await self.write(work)

    async def expunge_deleted(self, mailbox: MailboxId, uids: Sequence[Uid]) -> tuple[Uid, ...]:
        r"""Expunge what of ``uids`` is ``\\Deleted`` still: another may have unmarked some."""

        async def work(transaction: MailboxTransaction) -> tuple[Uid, ...]:
            known = await transaction.tx.flags_of(mailbox, uids)
            marked = [uid for uid, (_, flags) in known.items() if DELETED in flags]
            return await transaction.expunge(mailbox, marked)

        return await self.write(work) if uids else ()

    async def recent_from(self, mailbox: MailboxId) -> Uid:
        r"""Return the first UID that no session was told of as ``\\Recent``, as written down."""

        async def work(tx: ReadTransaction) -> Uid:
            return await tx.recent_from(mailbox)

        return await self._store.read(work)

    async def claim_recent(self, mailbox: MailboxId, below: Uid) -> None:
        r"""Write down that all below ``below`` were told of as ``\\Recent``."""

        async def work(tx: Transaction) -> None:
            if await tx.recent_from(mailbox) < below:
                await tx.set_recent_from(mailbox, below)

        await self._store.write(work)

    # -- inside ------------------------------------------------------------------------------

    async def _named(self, account: AccountId) -> dict[str, Mailbox]:
        boxes = self._boxes.get(account)
        if boxes is None:

            async def work(tx: ReadTransaction) -> tuple[Mailbox, ...]:
                return await tx.mailboxes(account)

            boxes = {box.name: box for box in await self._store.read(work)}
            self._boxes[account] = boxes
        return boxes

    async def _load(self, mailbox: MailboxId) -> MailboxIndex:
        async def work(tx: ReadTransaction) -> MailboxIndex:
            box = await tx.mailbox(mailbox)
            if box is None:
                raise NoSuchMailbox(str(mailbox))
            index = MailboxIndex(box)
            last = 0
            while rows := await tx.index_rows(mailbox, after=last, limit=LOAD_BATCH):
                index.load(rows)
                last = rows[-1][0]
            return index

        try:
            index = await self._store.scan(work)
            for change in self._missed[mailbox]:
                if isinstance(change, MailboxDeleted):
                    raise NoSuchMailbox(str(mailbox))
                if isinstance(change, Added | FlagsChanged | Expunged):
                    index.apply(change)
            self._indexes[mailbox] = index
            return index
        finally:
            del self._loading[mailbox], self._missed[mailbox]

    def _take_in(self, change: Change) -> None:
        match change:
            case Added() | FlagsChanged() | Expunged():
                index = self._indexes.get(change.mailbox)
                if index is not None:
                    index.apply(change)
                elif change.mailbox in self._missed:
                    self._missed[change.mailbox].append(change)
            case MailboxCreated():
                self._rename(change.mailbox, None)
            case MailboxRenamed():
                self._rename(change.mailbox, change.old_name)
            case MailboxDeleted():
                self._forget(change.mailbox)

    def _rename(self, box: Mailbox, old_name: str | None) -> None:
        boxes = self._boxes.get(box.account)
        if boxes is None:
            return
        if old_name is not None:
            boxes.pop(old_name, None)
        boxes[box.name] = box

    def _forget(self, box: Mailbox) -> None:
        self._indexes.pop(box.id, None)
        if box.id in self._missed:
            self._missed[box.id].append(MailboxDeleted(box))
        boxes = self._boxes.get(box.account, {})
        named = boxes.get(box.name)
        if named is not None and named.id == box.id:
            del boxes[box.name]
