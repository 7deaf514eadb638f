"""Dealing out: what happened becomes a delivery for each hook that is to be told of it.

One commit holds the deliveries and how far the log was read, so that a crash leaves both or
neither. It is done after commits, once a second at most, and holds up nobody who commits.

Failure: ``StoreFailed`` ends ``run``; who runs it begins again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bridge.clock import Clock
from bridge.hooks.hook import Hook, lane
from bridge.hooks.schedule import PATIENCE_S
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.hooks import NewDelivery
from bridge.wake import Wake, rest

AT_ONCE = 200
"""Events that one commit deals out, to all hooks together; nobody is to notice the commit."""

APART_S = 0.2
"""Between two looks: many commits are dealt out together."""

LOOK_EVERY_S = 600.0
"""Without a call; calls only save time."""


class Dealer:
    """See the module.

    Args:
        store: the log.
        clock: time.
        hooks: all of them.
        life: what the store's life is called: numbers of events come again in another.
        dealt: is called after each commit that dealt out something.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        hooks: Sequence[Hook],
        life: str,
        dealt: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._hooks = hooks
        self._life = life
        self._dealt = dealt
        self.wake = Wake()

    async def run(self) -> None:
        """Deal out for ever."""
        while True:
            while await self.deal():
                self._dealt()
            await self._clock.sleep(APART_S)
            await rest(self.wake, self._clock, LOOK_EVERY_S)

    async def deal(self) -> bool:
        """Deal out some of what is new; tells whether there was anything."""

        async def news(tx: ReadTransaction) -> bool:
            _, newest = await tx.event_numbers()
            known = {row.id: row.cursor for row in await tx.hooks()}
            return any(known.get(one.id, newest) < newest for one in self._hooks)

        if not await self._store.read(news):
            return False
        now = self._clock.now()

        async def work(tx: Transaction) -> bool:
            return any([await self._deal_to(tx, hook, now) for hook in self._hooks])

        return await self._store.write(work)

    async def _deal_to(self, tx: Transaction, hook: Hook, now: datetime) -> bool:
        row = await tx.hook(hook.id)
        if row is None:
            return False
        at_once = max(AT_ONCE // len(self._hooks), 1)
        rows = await tx.events(hook.account, row.cursor, at_once)
        if len(rows) < at_once:
            _, read_to = await tx.event_numbers()
        else:
            read_to = rows[-1].number
        if read_to <= row.cursor:
            return False
        for event in rows:
            if hook.wants(event):
                await tx.add_delivery(
                    NewDelivery(
                        hook.id,
                        event.number,
                        lane(event),
                        f"evt_{self._life}_{event.number}",
                        row.waited_s + PATIENCE_S,
                        now,
                    )
                )
        await tx.keep_hook(replace(row, cursor=read_to))
        return True
