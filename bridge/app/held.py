"""The store of a bridge that leads it, or follows the one that does.

A file in ``data_dir`` is the bridge's alone by the folder's lock. On a database one leads (see
``bridge.lead``): it sends, reads and raises alarms for every account. Another may follow: it serves
its users, and leads when the first has gone.

Failure: see ``Leadership`` and ``database.open_store``; nothing is held then.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self

from bridge.app.database import DataPlace, open_shared, open_store
from bridge.clock import Clock
from bridge.language import say
from bridge.lead.fenced import OVER, FencedStore, TermOver
from bridge.lead.leadership import Leadership
from bridge.model import AccountId
from bridge.outbox.lineage import BEYOND, fault_of
from bridge.store.base import Store, StoreFailed
from bridge.store.news import Heard


@dataclass(frozen=True, slots=True)
class Shared:
    """A database's store, this bridge's part in who leads it; others are heard and told, if any."""

    store: FencedStore
    leadership: Leadership
    listen: Callable[[Heard, str], None]
    tell_watched: Callable[[frozenset[AccountId]], None]
    has_company: Callable[[], bool]


class HeldStore:
    """See the module; build it with ``open``.

    Args:
        store: what the bridge works on.
        on_database: what there is beside it where several bridges may be; None for a file.
    """

    def __init__(self, store: Store, on_database: Shared | None = None) -> None:
        self.store: Store = store
        self._shared = on_database
        self._keeping: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        self._is_leading = on_database is None or on_database.store.term is not None
        self._keep()

    @classmethod
    async def open(cls, place: DataPlace, clock: Clock, *, follows: bool = False) -> Self:
        """Open a store, and see that nobody else leads it.

        Args:
            place: where it is.
            clock: seconds.
            follows: be content with another that does.

        Raises:
            AnotherLeads: another bridge does.
            StoreFailed: it cannot be used, or a single command would hold what waits in it.
        """
        if place.url is None:
            return cls(await open_store(place))
        store = await open_shared(place.url, place.data_dir)
        leadership = Leadership(store, clock, f"{socket.gethostname()}:{place.data_dir.resolve()}")
        try:
            fault = await fault_of(store, place.data_dir)
            if follows:
                term = await leadership.find(at_once=fault is None)
            else:
                _see_last(fault)
                term = await leadership.take()
        except BaseException:
            await store.close()
            raise
        fenced = FencedStore(store, term)
        return cls(
            fenced, Shared(fenced, leadership, store.listen, store.tell_watched, store.has_company)
        )

    @property
    def leads(self) -> bool:
        """Whether this bridge does what one bridge does for all."""
        return self._is_leading

    def is_sure(self) -> bool:
        """Tell whether this bridge leads, and nobody else can meanwhile."""
        return self._shared is None or (self.leads and self._shared.leadership.is_sure)

    @property
    def is_shared(self) -> bool:
        """Whether there may be other bridges."""
        return self._shared is not None

    def has_company(self) -> bool:
        """Tell whether another bridge may be connected now."""
        return self._shared is not None and self._shared.has_company()

    def listen(self, heard: Heard) -> None:
        """Call ``heard`` on the loop with what other bridges change, if there may be any."""
        if self._shared is not None:
            self._shared.listen(heard, self._shared.leadership.name)

    def tell_watched(self, accounts: frozenset[AccountId]) -> None:
        """Let other bridges know whose mailboxes clients have open here."""
        if self._shared is not None:
            self._shared.tell_watched(accounts)

    async def succeed(self, may_lead: Callable[[], Awaitable[None]]) -> None:
        """Return when this bridge leads, which followed until now; for a file never.

        Args:
            may_lead: finds out in its own term whether it may; what it raises passes.
        """
        if self._shared is None:
            await asyncio.get_running_loop().create_future()
            return
        self._shared.store.term = await self._shared.leadership.succeed()
        self._keep()
        await may_lead()
        self._is_leading = True

    async def seize(self) -> None:
        """Lead, whoever does."""
        if self._shared is not None:
            self._shared.store.term = await self._shared.leadership.seize()
            self._is_leading = True
            self._keep()

    async def leave(self) -> None:
        """Follow from here on, and let another lead; what leads has ended before."""
        if self._shared is None or self._shared.store.term is None:
            return
        term, self._shared.store.term = self._shared.store.term, None
        self._is_leading = False
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        with contextlib.suppress(StoreFailed):  # another will hear no beat
            await self._shared.leadership.leave(term)

    async def lost(self) -> None:
        """Wait until another takes over from this one; for a file for ever.

        Raises:
            TermOver: one has.
        """
        await self._over.wait()
        raise TermOver(OVER)

    async def close(self) -> None:
        """Let another begin at once, and close the store."""
        await self.leave()
        await self.store.close()

    def _keep(self) -> None:
        if self._shared is not None and self._shared.store.term is not None:
            self._keeping = asyncio.ensure_future(
                self._beat(self._shared.leadership, self._shared.store.term)
            )

    async def _beat(self, leadership: Leadership, term: int) -> None:
        await leadership.keep(term)
        self._over.set()


def _see_last(fault: str | None) -> None:
    """See that a single command, which cannot wait for another bridge, does no harm."""
    if fault == BEYOND:
        raise StoreFailed(
            say(
                "{reason} Use the command there, or start a bridge first.",
                reason=BEYOND,
            )
        )
