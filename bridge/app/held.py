"""The store of a bridge that works on it alone.

A file in ``data_dir`` is the bridge's alone by the folder's lock. A database is by the lead (see
``bridge.lead``), which is taken before anything else is done and left at the end.

Failure: see ``Leadership.take`` and ``database.open_store``; nothing is held then.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Self

from bridge.app.database import DataPlace, open_store
from bridge.clock import Clock
from bridge.lead.fenced import OVER, FencedStore, TermOver
from bridge.lead.leadership import Leadership
from bridge.store.base import Store, StoreFailed


class HeldStore:
    """See the module; build it with ``open``.

    Args:
        store: what the bridge works on.
        leadership: its lead, None for a file.
        term: the term of it.
    """

    def __init__(self, store: Store, leadership: Leadership | None = None, term: int = 0) -> None:
        self.store = store
        self._leadership = leadership
        self._term = term
        self._keeping = None if leadership is None else asyncio.ensure_future(leadership.keep(term))

    @classmethod
    async def open(cls, place: DataPlace, clock: Clock) -> Self:
        """Open a store, and see that nobody else works on it.

        Args:
            place: where it is.
            clock: seconds.

        Raises:
            AnotherLeads: another bridge does.
            StoreFailed: it cannot be used.
        """
        store = await open_store(place)
        if place.url is None:
            return cls(store)
        leadership = Leadership(store, clock, f"{socket.gethostname()}:{place.data_dir.resolve()}")
        try:
            term = await leadership.take()
        except BaseException:
            await store.close()
            raise
        return cls(FencedStore(store, term), leadership, term)

    async def lost(self) -> None:
        """Wait until another takes over; for a file for ever.

        Raises:
            TermOver: one has.
        """
        await asyncio.shield(self._keeping or asyncio.get_running_loop().create_future())
        raise TermOver(OVER)

    async def close(self) -> None:
        """Let another begin at once, and close the store."""
        if self._keeping is not None and self._leadership is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            with contextlib.suppress(StoreFailed):  # it will hear no beat
                await self._leadership.leave(self._term)
        await self.store.close()
