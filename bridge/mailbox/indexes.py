"""The indexes of the mailboxes that are open here, each as the store has it.

Others may write to the same store (docs/postgres.md). The MODSEQs of a mailbox rise by one with
each change, in the order of the commits (RFC 7162 §3.1): one that is missing before another was
made elsewhere. Then the index takes in nothing until what it lacks was read from the store, where
each message has its flags and MODSEQ, and those that left are remembered. So what is told here has
one order, whoever made it.

Failure: ``NoSuchMailbox``; the store's errors pass, and what is lacking is read the next time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from bridge.mailbox.following import changes_since
from bridge.mailbox.index import MailboxIndex
from bridge.mailbox.naming import NoSuchMailbox
from bridge.model import Mailbox, MailboxId, MessageChange, ModSeq, Uid
from bridge.store.base import ReadTransaction, Store
from bridge.store.messages import IndexRow

LOAD_BATCH = 1000
"""Rows of a mailbox held at once while it is loaded: as Python's values they take much memory."""


LITTLE = 50
"""Changes that a short read brings in."""


@dataclass(frozen=True, slots=True)
class _News:
    """What a mailbox's index lacks: its numbers now, rows that changed, UIDs that left."""

    mailbox: Mailbox
    rows: list[IndexRow]
    gone: tuple[Uid, ...]


class Indexes:
    """See the module.

    Args:
        store: where the messages are.
        tell: is told of each change that somebody else made, once its index has it.
    """

    def __init__(self, store: Store, tell: Callable[[MessageChange], None]) -> None:
        self._store = store
        self._tell = tell
        self._open: dict[MailboxId, MailboxIndex] = {}
        self._loading: dict[MailboxId, asyncio.Task[MailboxIndex]] = {}
        self._missed: dict[MailboxId, list[MessageChange]] = {}
        self._deleted: set[MailboxId] = set()
        self._told: dict[MailboxId, ModSeq] = {}
        self._behind: set[MailboxId] = set()
        self._late: set[MailboxId] = set()
        self._catching_up = asyncio.Lock()
        self._waiting: dict[object, Collection[MailboxId] | None] = {}

    def get(self, mailbox: MailboxId) -> MailboxIndex | None:
        """Return the index of a mailbox that is open."""
        return self._open.get(mailbox)

    @property
    def behind(self) -> frozenset[MailboxId]:
        """The mailboxes whose index lacks what somebody else changed."""
        return frozenset(self._behind)

    async def open(self, mailbox: MailboxId) -> MailboxIndex:
        """Return a mailbox's live index, loading it at its first use.

        Raises:
            NoSuchMailbox: it is gone.
        """
        index = self._open.get(mailbox)
        if index is not None:
            return index
        task = self._loading.get(mailbox)
        if task is None:
            self._missed[mailbox] = []
            task = asyncio.ensure_future(self._load(mailbox))
            self._loading[mailbox] = task
        return await asyncio.shield(task)

    def take_in(self, change: MessageChange) -> bool:
        """Take in a change that was made here.

        Returns:
            Whether it is to be told now; if not it was, or will be by ``catch_up``.
        """
        index = self._open.get(change.mailbox)
        if index is None:
            if change.mailbox in self._missed:
                self._missed[change.mailbox].append(change)
            return True
        if change.modseq > index.highest_modseq + 1:
            self._behind.add(change.mailbox)
            return False
        index.apply(change)
        return change.modseq > self._told.get(change.mailbox, 0)

    def forget(self, mailbox: MailboxId) -> None:
        """Drop the index of a mailbox that was deleted."""
        self._open.pop(mailbox, None)
        self._told.pop(mailbox, None)
        self._behind.discard(mailbox)
        if mailbox in self._loading:
            self._deleted.add(mailbox)

    async def catch_up(self, mailboxes: Collection[MailboxId] | None = None) -> None:
        """Take in and tell what others changed in these mailboxes, as far as they are open.

        What the store has is read after this was called: who waits while another reads has one read
        with all who wait, and none has a read that was begun before it came.

        Args:
            mailboxes: which may have changed; None: any.
        """
        self._late.update(one for one in self._loading if mailboxes is None or one in mailboxes)
        call = object()
        self._waiting[call] = mailboxes
        try:
            async with self._catching_up:
                if call in self._waiting:
                    calls = dict(self._waiting)
                    await self._catch_up(list(calls.values()))
                    for one in calls:
                        self._waiting.pop(one, None)
        finally:
            self._waiting.pop(call, None)

    # -- inside ------------------------------------------------------------------------------

    async def _catch_up(self, wanted: Sequence[Collection[MailboxId] | None]) -> None:
        is_any = None in wanted
        some = frozenset(one for each in wanted if each is not None for one in each)
        meant = [one for one in self._open if is_any or one in some]
        for mailbox, highest in (await self._stored(meant)).items():
            index = self._open.get(mailbox)
            if index is not None and highest != index.highest_modseq:
                self._follow(index, await self._news(index, highest))

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
            if mailbox in self._deleted:
                raise NoSuchMailbox(str(mailbox))
            self._open[mailbox] = index
            for change in self._missed[mailbox]:
                self.take_in(change)  # was told when it came
        finally:
            self._deleted.discard(mailbox)
            del self._loading[mailbox], self._missed[mailbox]
        if mailbox in self._late:  # somebody else changed it while it was read
            self._late.discard(mailbox)
            await self.catch_up({mailbox})
        return index

    async def _stored(self, mailboxes: Collection[MailboxId]) -> dict[MailboxId, ModSeq]:
        """Return how far these mailboxes have come in the store."""

        async def work(tx: ReadTransaction) -> dict[MailboxId, ModSeq]:
            return await tx.highest_modseqs(mailboxes)

        return await self._store.read(work) if mailboxes else {}

    async def _news(self, index: MailboxIndex, highest: ModSeq) -> _News | None:
        mailbox, since = index.mailbox, index.highest_modseq

        async def work(tx: ReadTransaction) -> _News | None:
            box = await tx.mailbox(mailbox)
            if box is None or box.highest_modseq == since:
                return None
            rows = await tx.rows_changed_since(mailbox, since)
            return _News(box, rows, await tx.expunged_since(mailbox, since))

        # A search that takes long has the one thread of scans meanwhile.
        is_little = highest - since <= LITTLE
        return await (self._store.read(work) if is_little else self._store.scan(work))

    def _follow(self, index: MailboxIndex, news: _News | None) -> None:
        """Take in what was read, unless that has come here meanwhile."""
        self._behind.discard(index.mailbox)
        if news is None or news.mailbox.highest_modseq <= index.highest_modseq:
            return
        changes = changes_since(index, news.rows, news.gone)
        index.follow(changes, news.mailbox)
        self._told[index.mailbox] = news.mailbox.highest_modseq
        for change in changes:
            self._tell(change)
