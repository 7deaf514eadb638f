"""Which texts of one account's rows are still to be fetched, and which are being fetched.

What is being fetched is written down before, and crossed out when that has ended: what a kill left
there may have been the cause.

Failure: the store's own errors pass; nothing of the method then happened.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bridge.receipts.filed import read_row
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.remote import RemoteId, RemoteRow, Worth
from bridge.sync.memory import AccountMemory


class RowTexts:
    """See the module."""

    def __init__(self, store: Store, memory: AccountMemory) -> None:
        self._store = store
        self._memory = memory

    async def missing(
        self,
        limit: int,
        *,
        below: Worth = Worth.CONFIRMATION,
        confirming: bool = False,
        besides: Collection[RemoteId] = (),
    ) -> list[RemoteRow]:
        """Return live rows whose body is still to be fetched, by worth, then the newest first.

        Args:
            limit: the most rows.
            below: those that are worth more than these.
            confirming: those whose body only confirms what their row said, else all others.
            besides: rows that are left out.
        """

        async def work(tx: ReadTransaction) -> list[RemoteRow]:
            return await tx.remote_without_body(
                self._memory.account, limit, below=below, confirming=confirming, besides=besides
            )

        return await self._store.read(work)

    async def oldest_missing(self, limit: int) -> list[RemoteRow]:
        """Return rows whose body is missed, see ``store.remote``; the first seen come first."""

        async def work(tx: ReadTransaction) -> list[RemoteRow]:
            return await tx.oldest_bodiless(self._memory.account, limit)

        return await self._store.read(work)

    async def want(self, remote: RemoteId) -> None:
        """Let a row's text be fetched that nobody waited for."""
        row = await self._store.read(lambda tx: tx.remote_row(remote))
        if row is None or row.worth not in (Worth.CONFIRMATION, Worth.SHOWN):
            return

        async def work(tx: Transaction) -> None:
            await tx.judge_remote(remote, Worth.FAILURE, (await read_row(tx, row)).code)

        await self._store.write(work)

    async def cut_off(self, rows: Sequence[RemoteRow]) -> dict[RemoteId, int]:
        """Return which rows were being read when the bridge was ended, and how often."""
        remotes = [row.id for row in rows]

        async def work(tx: ReadTransaction) -> dict[RemoteId, int]:
            return await tx.readings(remotes)

        return await self._store.read(work)

    async def reading(self, begun: Sequence[RemoteId], ended: Sequence[RemoteId]) -> None:
        """Remember, over a kill, which texts are being read; forget those that no longer are."""

        async def work(tx: Transaction) -> None:
            await tx.end_reading(ended)
            await tx.begin_reading(begun)

        await self._store.write(work)
