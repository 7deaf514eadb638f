"""A store that takes what is written only while the term of the bridge that writes lasts.

A bridge that does not lead writes what its users do, which needs no term.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bridge.language import say
from bridge.store.base import ReadWork, Store, StoreFailed, Transaction, Work

T = TypeVar("T")


OVER = say("another bridge has taken the database over")


class TermOver(StoreFailed):
    """Another bridge has taken over; nothing of the transaction was kept."""


class FencedStore:
    """See the module.

    Args:
        store: which is fenced.
        term: of the bridge that writes; None while it does not lead.

    Attributes:
        term: what is begun from here on is written in it.
    """

    def __init__(self, store: Store, term: int | None) -> None:
        self._store = store
        self.term = term

    @property
    def failing(self) -> str | None:
        """See ``store.base.Store.failing``."""
        return self._store.failing

    async def write(self, work: Work[T], committed: Callable[[T], None] | None = None) -> T:
        """See ``store.base.Store.write``.

        Raises:
            TermOver: the term is over.
        """
        term = self.term

        async def fenced(tx: Transaction) -> T:
            if (await tx.lead()).term != term:
                raise TermOver(OVER)
            return await work(tx)

        return await self._store.write(work if term is None else fenced, committed)

    async def read(self, work: ReadWork[T]) -> T:
        """See ``store.base.Store.read``."""
        return await self._store.read(work)

    async def scan(self, work: ReadWork[T]) -> T:
        """See ``store.base.Store.scan``."""
        return await self._store.scan(work)

    async def close(self) -> None:
        """See ``store.base.Store.close``."""
        await self._store.close()
