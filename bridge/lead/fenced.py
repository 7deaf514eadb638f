"""A store that takes the writes of a term only while that term lasts.

What runs for the bridge that leads carries its term in its context, and so do the tasks that it
begins. What serves mail programs carries none: any bridge may write for them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from bridge.language import say
from bridge.store.base import ReadWork, Store, StoreFailed, Transaction, Work

T = TypeVar("T")

TERM: ContextVar[int | None] = ContextVar("term", default=None)
"""The term for which something runs; None for what needs none."""


class TermOver(StoreFailed):
    """Another bridge leads; nothing of the transaction was kept."""


class FencedStore:
    """See the module.

    Args:
        store: which is fenced.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def failing(self) -> str | None:
        """See ``store.base.Store.failing``."""
        return self._store.failing

    async def write(self, work: Work[T], committed: Callable[[T], None] | None = None) -> T:
        """See ``store.base.Store.write``.

        Raises:
            TermOver: the term in the caller's context is over.
        """
        term = TERM.get()
        if term is None:
            return await self._store.write(work, committed)

        async def fenced(tx: Transaction) -> T:
            if (await tx.lead()).term != term:
                raise TermOver(say("another bridge leads by now"))
            return await work(tx)

        return await self._store.write(fenced, committed)

    async def read(self, work: ReadWork[T]) -> T:
        """See ``store.base.Store.read``."""
        return await self._store.read(work)

    async def scan(self, work: ReadWork[T]) -> T:
        """See ``store.base.Store.scan``."""
        return await self._store.scan(work)

    async def close(self) -> None:
        """See ``store.base.Store.close``."""
        await self._store.close()
