"""Every change to a mailbox goes through here: commit, bring the index up to date, publish.

Reads come from memory where they can: the list of mailboxes, and each opened mailbox's index.
``write`` lets the sync, the outbox and the receipts join mailbox changes and changes of their
own to one commit.

Invariants: a change is published only after its commit is synced; changes are published in
commit order; an index has taken a change in before anybody is told of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bridge.apart.process import Apart
from bridge.clock import Clock
from bridge.imap.mailboxname import canonical
from bridge.language import Voice
from bridge.mailbox.flagchange import FlagChange, FlagsOutcome
from bridge.mailbox.following import announce
from bridge.mailbox.index import MailboxIndex
from bridge.mailbox.indexes import Indexes
from bridge.mailbox.names import MailboxNames
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
    MailboxDeleted,
    MailboxId,
    MessageRow,
    ModSeq,
    SpecialUse,
    Uid,
)
from bridge.naming import name_account
from bridge.store.base import ReadTransaction, ReadWork, Store, StoreFailed, Transaction

T = TypeVar("T")

LOOK_MOST_S = 2.0
"""How long a client waits for what other bridges committed; then what is known here will do."""

WATCHED_ELSEWHERE_S = 10.0
"""After so long another bridge's word that a client has a mailbox open is over."""

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
        has_company: tells whether another bridge may write to the same store now.

    Attributes:
        voice: how the bridge's own messages are written.
        has_company: that.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        apart: Apart | None = None,
        has_company: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(store, clock, apart)
        self.has_company = has_company
        self.voice = Voice()
        self._subscribers = Subscribers()
        self._watched_elsewhere: dict[AccountId, float] = {}
        self._names = MailboxNames(store, self._subscribers.publish)
        self._indexes = Indexes(store, self._subscribers.publish)

    # -- reading -----------------------------------------------------------------------------

    async def mailboxes(self, account: AccountId) -> tuple[Mailbox, ...]:
        """Return the account's mailboxes by name; numbers that move are in ``index``."""
        return tuple(box for _, box in sorted((await self._names.of(account)).items()))

    async def find(self, account: AccountId, name: str) -> Mailbox | None:
        """Return the mailbox of that name, however it is spelled (RFC 9051 §5.1)."""
        return (await self._names.of(account)).get(canonical(name))

    async def special(self, account: AccountId, use: SpecialUse) -> Mailbox | None:
        """Return the account's mailbox for that use."""
        boxes = (await self._names.of(account)).values()
        return next((box for box in boxes if box.special_use is use), None)

    async def index(self, mailbox: MailboxId) -> MailboxIndex:
        """Return a mailbox's live index, loading it at its first use.

        Raises:
            NoSuchMailbox: it is gone.
        """
        return await self._indexes.open(mailbox)

    async def read(self, work: ReadWork[T]) -> T:
        """Run a short read; see ``store.base``."""
        return await self._store.read(work)

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
        """Return how many sessions have a mailbox of the account open, as one those elsewhere."""
        since_s = self._clock.monotonic() - self._watched_elsewhere.get(account, float("-inf"))
        return self._subscribers.watchers(account) + (since_s < WATCHED_ELSEWHERE_S)

    def watched(self) -> frozenset[AccountId]:
        """Return the accounts of which a session of this bridge has a mailbox selected."""
        return self._subscribers.watched()

    def watched_elsewhere(self, accounts: Collection[AccountId]) -> None:
        """Take note that sessions of another bridge have mailboxes of these accounts selected."""
        self._watched_elsewhere.update(dict.fromkeys(accounts, self._clock.monotonic()))

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
            result = await work(transaction)
            await announce(tx, transaction.changes)
            return result

        def committed(_: T) -> None:
            for change in done[0].changes:
                if self._take_in(change):
                    self._subscribers.publish(change)
            for tell in done[0].told:
                tell()
            self._subscribers.publish_commit()

        result = await self._store.write(run, committed)
        if self._indexes.behind:
            with contextlib.suppress(StoreFailed):  # what was written stands: it is told later
                await self._indexes.catch_up(self._indexes.behind)
        return result

    async def catch_up(
        self,
        mailboxes: Collection[MailboxId] | None = None,
        accounts: Collection[AccountId] | None = None,
    ) -> None:
        """Take in and tell what others changed who write to the same store.

        Args:
            mailboxes: whose messages may have changed; None: any's. Those that are open are read.
            accounts: whose mailboxes may have others, or other names; None: anybody's.

        Raises:
            StoreFailed: it is told the next time.
        """
        await self._follow(mailboxes, accounts)
        self._subscribers.publish_commit()

    async def look(
        self, mailboxes: Collection[MailboxId] = (), accounts: Collection[AccountId] = ()
    ) -> None:
        """Take in what others committed until now: a client may know of it from another bridge.

        That takes a read or two, and nothing where there are no others. While the store fails or
        hangs, what is known here will do.
        """
        if self.has_company():
            with contextlib.suppress(StoreFailed, TimeoutError):
                async with asyncio.timeout(LOOK_MOST_S):
                    await self._follow(mailboxes, accounts)

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

    async def claim_recent(self, mailbox: MailboxId, below: Uid) -> Uid:
        r"""Write down that all below ``below`` were told of as ``\\Recent``.

        Returns:
            The first UID that no session on any bridge was told of before.
        """

        async def work(tx: Transaction) -> Uid:
            first = await tx.recent_from(mailbox)
            if first < below:
                await tx.set_recent_from(mailbox, below)
            return first

        return await self._store.write(work)

    # -- inside ------------------------------------------------------------------------------

    async def _follow(
        self, mailboxes: Collection[MailboxId] | None, accounts: Collection[AccountId] | None
    ) -> None:
        if accounts is None or accounts:
            for box in await self._names.catch_up(accounts):
                self._indexes.forget(box.id)
        await self._indexes.catch_up(mailboxes)

    def _take_in(self, change: Change) -> bool:
        """Take in what was changed here; tells whether it is to be told now."""
        if isinstance(change, Added | FlagsChanged | Expunged):
            return self._indexes.take_in(change)
        is_new = self._names.take_in(change)
        if is_new and isinstance(change, MailboxDeleted):
            self._indexes.forget(change.mailbox.id)
        return is_new
