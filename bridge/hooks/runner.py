"""Telling one hook what waits for it: a task of its own, so that no hook waits for another.

Up to ``AT_ONCE`` deliveries are under way at a time, never two of a lane. What came of tries is
written down in one commit for as many as there are; a delivery that was told and not written down
is told again after a crash, and nothing of its lane before that.

Failure: ``StoreFailed`` ends ``run``; who runs it begins again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any

import structlog

from bridge.clock import Clock
from bridge.hooks.hook import EventFacts, Hook, body_of
from bridge.hooks.schedule import LONGEST_WAIT, TryReport, resumes_at, settle
from bridge.hooks.states import TryOutcome
from bridge.language import say
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.hooks import DeliveryRow, DeliveryState, HookRow
from bridge.wake import Wake

log = structlog.get_logger()

AT_ONCE = 4
GIVEN_UP_AT_ONCE = 500
LOOK_EVERY_S = 600.0
"""Without a call; calls only save time."""

Tried = tuple[DeliveryRow, TryReport]


class HookRunner:
    """See the module.

    Args:
        hook: who is told.
        store: what waits.
        clock: time.
        random: spreads waits.
        facts: what an event is as JSON.
    """

    def __init__(
        self, hook: Hook, store: Store, clock: Clock, random: Random, facts: EventFacts
    ) -> None:
        self.hook = hook
        self._store = store
        self._clock = clock
        self._random = random
        self._facts = facts
        self._under_way: dict[int, asyncio.Task[Tried]] = {}
        self.wake = Wake()

    async def run(self) -> None:
        """Tell what waits, for ever."""
        try:
            while True:
                await self._step()
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)
            self._under_way.clear()

    async def _step(self) -> None:
        """Begin what may begin, wait until something has happened, and write it down."""
        begun, next_s = await self._begin()
        if not begun:
            await self._wait(next_s)
        done = [task for task in self._under_way.values() if task.done()]
        if done:
            tried = [task.result() for task in done]
            await self._write_down(tried)
            for delivery, _ in tried:
                del self._under_way[delivery.id]

    async def _begin(self) -> tuple[bool, float]:
        """Begin tries; return whether any began, and in how many seconds to look again."""
        now = self._clock.now()
        room = AT_ONCE - len(self._under_way)
        if room <= 0:
            return False, LOOK_EVERY_S

        async def work(
            tx: ReadTransaction,
        ) -> tuple[HookRow | None, Sequence[DeliveryRow], datetime | None]:
            row = await tx.hook(self.hook.id)
            if row is None:
                return None, (), None
            if row.failures:
                return row, *await self._probe(tx, row, now)
            limit = AT_ONCE + room
            heads = await tx.heads(self.hook.id, now, now + LONGEST_WAIT, limit)
            return row, heads, await tx.next_head(self.hook.id)

        row, heads, next_at = await self._store.read(work)
        heads = [one for one in heads if one.id not in self._under_way][:room]
        for one in heads:
            task = asyncio.create_task(self._try(one, row.failures if row else 0))
            self._under_way[one.id] = task
        next_s = LOOK_EVERY_S if next_at is None else (next_at - now).total_seconds()
        # What is due and under way is no reason to look at once.
        return bool(heads), next_s if 0 < next_s < LOOK_EVERY_S else LOOK_EVERY_S

    async def _probe(
        self, tx: ReadTransaction, row: HookRow, now: datetime
    ) -> tuple[Sequence[DeliveryRow], datetime | None]:
        """Return what asks a receiver that is down, one at a time, or when something may."""
        if self._under_way:
            return (), None
        fresh = await tx.fresh_head(row.id)
        if fresh is not None:
            at = resumes_at(row, now, fresh=True)
            return ((fresh,), None) if at <= now else ((), at)
        at = resumes_at(row, now, fresh=False)
        if at > now:
            return (), at
        heads = await tx.heads(row.id, now, now + LONGEST_WAIT, 1)
        return heads, await tx.next_head(row.id)

    async def _wait(self, next_s: float) -> None:
        """Wait for the end of a try, for a call, or for the time to look again."""
        waits: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(self.wake.wait()),
            asyncio.ensure_future(self._clock.sleep(next_s)),
        ]
        try:
            await asyncio.wait(
                [*waits, *self._under_way.values()], return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for one in waits:
                one.cancel()
            await asyncio.wait(waits)

    async def _try(self, delivery: DeliveryRow, failures: int) -> Tried:
        async def work(tx: ReadTransaction) -> bytes | None:
            event = await tx.event(delivery.event)
            return None if event is None else body_of(await self._facts(tx, event))

        body = await self._store.read(work)
        if body is None:  # it is kept no longer, and neither is the delivery
            return delivery, TryReport(TryOutcome.TAKEN)
        try:
            report = await self.hook.target.tell(delivery.name, body)
        except Exception as error:  # a way out that is faulty must not stop the others' telling
            log.exception("hook_try_failed", hook=self.hook.name)
            report = TryReport(
                TryOutcome.DOWN, say("it could not be tried ({name})", name=type(error).__name__)
            )
        return delivery, replace(report, failures=failures)

    async def _write_down(self, tried: Sequence[Tried]) -> None:
        now = self._clock.now()
        chances = [self._random.random() for _ in tried]
        before: list[HookRow] = []

        async def work(tx: Transaction) -> HookRow | None:
            hook = await tx.hook(self.hook.id)
            if hook is None:
                return None
            before[:] = [hook]
            for one, chance in zip(tried, chances, strict=True):
                hook = await _settle(tx, hook, one, now, chance)
            if hook.failures:
                await tx.keep_hook(hook)  # those that die now say why
                given_up = await tx.give_up_deliveries(
                    hook.id, hook.waited_s, now, GIVEN_UP_AT_ONCE
                )
                hook = replace(hook, died=hook.died + given_up)
            await tx.keep_hook(hook)
            return hook

        after = await self._store.write(work)
        if after is not None:
            self._tell(before[0], after)

    def _tell(self, before: HookRow, after: HookRow) -> None:
        """Log what has changed: once for each change, not for each try."""
        name = self.hook.name
        if after.error and not before.error:
            log.warning("hook_failing", hook=name, reason=after.error)
        if before.error and not after.error:
            log.info("hook_well_again", hook=name)
        if after.died > before.died:
            log.error("hook_gave_up", hook=name, count=after.died - before.died)


async def _settle(
    tx: Transaction, hook: HookRow, tried: Tried, now: datetime, chance: float
) -> HookRow:
    """Write down what a try came to, unless the delivery was given up or forgotten meanwhile."""
    delivery = await tx.delivery(tried[0].id)
    if delivery is None or delivery.state is not DeliveryState.WAITING:
        return hook
    hook, after = settle(hook, delivery, tried[1], now, chance)
    if after is None:
        await tx.drop_delivery(delivery.id)
    else:
        await tx.keep_delivery(after)
    return hook
