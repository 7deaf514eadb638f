"""What is to be cleared at the API and what went, of one account, in the store: its log.

Failure: the store's own errors pass; nothing of the method then happened.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from bridge.clock import Clock
from bridge.model import AccountId
from bridge.receipts.clearable import why_kept
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.deletions import DeletionRow, DeletionState
from bridge.store.remote import RemoteId, RemoteRow
from bridge.sync.deletions import Doubting

log = structlog.get_logger()

CHOSEN = 200
"""Rows looked at for one batch: of most sends one is as good as the other."""


class Clearings:
    """See the module: ``deleting.Wishes``. Nobody is told of a doubt, for nobody asked for it."""

    def __init__(self, store: Store, clock: Clock, account: AccountId) -> None:
        self._store = store
        self._clock = clock
        self._account = account
        self._after = RemoteId(0)

    @property
    def account(self) -> AccountId:
        """Whose they are."""
        return self._account

    async def wanted(self) -> list[DeletionRow]:
        """Return what is to be cleared, oldest first."""
        return await self._in(DeletionState.WANTED)

    async def doubted(self) -> list[DeletionRow]:
        """Return what a doubt has stopped, oldest first."""
        return await self._in(DeletionState.DOUBTED)

    async def _in(self, state: DeletionState) -> list[DeletionRow]:
        return await self._store.read(lambda tx: tx.clearings(self._account, state))

    async def want_again(self, row: RemoteRow) -> None:
        """Take up what a doubt had stopped."""
        await self._settle(row.id, DeletionState.WANTED, "")

    async def why_kept(self, row: RemoteRow) -> str:
        """Return why a row is not to be cleared any more, "" if it is."""
        return await self._store.read(lambda tx: why_kept(tx, row.id))

    async def keep(self, remote: RemoteId, reason: str) -> None:
        """Write down that a row stays at the API, and why."""
        await self._settle(remote, DeletionState.KEPT, reason)

    async def doubt(self, row: RemoteRow, doubt: Doubting) -> None:
        """Write down that it is not proven which message would go."""
        await self._settle(row.id, DeletionState.DOUBTED, doubt.reason)

    async def _settle(self, remote: RemoteId, state: DeletionState, reason: str) -> None:
        now = self._clock.now()

        async def work(tx: Transaction) -> None:
            await tx.settle_clearing(remote, state, reason, now)

        await self._store.write(work)

    async def ask(self, remote: RemoteId, alike: int) -> RemoteId:
        """Write down that the API is about to be asked for a deletion; returns the last row."""

        async def work(tx: Transaction) -> RemoteId:
            return await tx.ask_clearing(remote, alike)

        return await self._store.write(work)

    async def unask(self, remote: RemoteId) -> None:
        """Write down that asking for a deletion had no effect."""

        async def work(tx: Transaction) -> None:
            await tx.unask_clearing(remote)

        await self._store.write(work)

    async def choose(self, before: datetime, most: int) -> None:
        """Write down which receipts go next; who was passed over is looked at again later.

        Args:
            before: the latest time at which what goes was first seen.
            most: how many at the most.
        """

        async def look(tx: ReadTransaction) -> tuple[list[RemoteId], RemoteId, bool]:
            rows = await tx.clearable(self._account, before, self._after, CHOSEN)
            chosen: list[RemoteId] = []
            last = self._after
            for row in rows:
                last = row.id
                if not await why_kept(tx, row.id):
                    chosen.append(row.id)
                if len(chosen) == most:
                    return chosen, last, False
            return chosen, last, len(rows) < CHOSEN

        chosen, self._after, is_end = await self._store.scan(look)
        if is_end:
            self._after = RemoteId(0)
        now = self._clock.now()

        async def work(tx: Transaction) -> None:
            await tx.want_clearing(chosen, now)

        if chosen:
            await self._store.write(work)
            log.info("receipts_clearing", account=self._account, rows=len(chosen))

    async def counts(self, lately: datetime, month: datetime) -> tuple[int, int]:
        """Return how many receipts went since either time."""

        async def look(tx: ReadTransaction) -> tuple[int, int]:
            return (
                await tx.cleared_count(self._account, lately),
                await tx.cleared_count(self._account, month),
            )

        return await self._store.read(look)
