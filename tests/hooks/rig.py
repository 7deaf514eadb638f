"""Hooks on a real store, by a virtual clock, with receivers that do as a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from bridge.app.housekeeping import EVENTS_KEPT
from bridge.hooks.dealing import Dealer
from bridge.hooks.hook import Hook
from bridge.hooks.runner import HookRunner
from bridge.hooks.schedule import TryReport
from bridge.hooks.states import TryOutcome
from bridge.hooks.taking_up import take_up
from bridge.model import AccountId, EventKind, QueueId
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.events import EventRow, NewEvent
from bridge.store.hooks import DeliveryRow, HookBacklog, HookRow
from tests.fakes import FakeClock, settle
from tests.stores import open_store

LIFE = "life"
TAKEN = TryReport(TryOutcome.TAKEN)
REFUSED = TryReport(TryOutcome.REFUSED, "no")
DOWN = TryReport(TryOutcome.DOWN, "nobody there")


@dataclass
class Receiver:
    """What is told; ``respond`` says what comes of it, ``hold`` keeps tries from ending."""

    respond: Callable[[int, str], TryReport] = lambda _number, _lane: TAKEN
    tries: list[tuple[int, str]] = field(default_factory=list)
    taken: list[tuple[int, str]] = field(default_factory=list)
    names: dict[int, set[str]] = field(default_factory=dict)
    under_way: int = 0
    most_under_way: int = 0
    hold: asyncio.Event | None = None
    held: Callable[[str], bool] = lambda _lane: True

    async def tell(self, name: str, body: bytes) -> TryReport:
        event = json.loads(body)
        told = event["number"], event["lane"]
        self.tries.append(told)
        self.names.setdefault(told[0], set()).add(name)
        self.under_way += 1
        self.most_under_way = max(self.under_way, self.most_under_way)
        try:
            if self.hold is not None and self.held(told[1]):
                await self.hold.wait()
        finally:
            self.under_way -= 1
        report = self.respond(*told)
        if report.outcome is TryOutcome.TAKEN:
            self.taken.append(told)
        return report

    async def aclose(self) -> None:
        """Nothing is held."""

    def of(self, lane: str) -> list[int]:
        """Return the events of a lane that were taken, in that order."""
        return [number for number, whose in self.taken if whose == lane]


class Rig:
    """See the module. Build it with ``open``; ``start`` begins telling, ``stop`` is a crash."""

    def __init__(self, store: Store, clock: FakeClock, account: AccountId) -> None:
        self.store = store
        self.clock = clock
        self.account = account
        self.hooks: list[Hook] = []
        self.runners: list[HookRunner] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.dealer: Dealer | None = None

    @classmethod
    async def open(cls, folder: Path, clock: FakeClock) -> Rig:
        store = await open_store(folder)

        async def work(tx: Transaction) -> AccountId:
            known = await tx.account("a@pec.example")
            return await tx.add_account("a@pec.example") if known is None else known

        return cls(store, clock, await store.write(work))

    async def close(self) -> None:
        await self.stop()
        await self.store.close()

    async def take_up(
        self,
        receivers: Mapping[str, Receiver],
        *,
        kinds: Sequence[EventKind] = tuple(EventKind),
        account: AccountId | None = None,
    ) -> None:
        """Take up hooks as a start does."""
        now = self.clock.now()

        async def work(tx: Transaction) -> list[HookRow]:
            return await take_up(tx, [(account, name) for name in receivers], now, EVENTS_KEPT)

        rows = await self.store.write(work)
        self.hooks = [
            Hook(row.id, account, name, name, frozenset(kinds), receiver)
            for row, (name, receiver) in zip(rows, receivers.items(), strict=True)
        ]
        self.runners = [
            HookRunner(hook, self.store, self.clock, Random(1), _facts) for hook in self.hooks
        ]
        self.dealer = Dealer(self.store, self.clock, self.hooks, LIFE, self.wake)

    def wake(self) -> None:
        for one in self.runners:
            one.wake.call()

    async def start(self, receivers: Mapping[str, Receiver], **options: Any) -> None:
        await self.take_up(receivers, **options)
        assert self.dealer is not None
        works = [self.dealer.run, *(one.run for one in self.runners)]
        self._tasks = [asyncio.create_task(work()) for work in works]
        await self.quiet()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def happen(self, *lanes: str, kind: EventKind = EventKind.QUEUED) -> None:
        """Let events of messages happen, in one commit."""

        async def work(tx: Transaction) -> None:
            for lane in lanes:
                await tx.add_event(
                    NewEvent(self.clock.now(), self.account, kind, QueueId(lane) if lane else None)
                )

        await self.store.write(work)
        if self.dealer is not None:
            self.dealer.wake.call()

    async def quiet(self) -> None:
        """Let what can go on without time go on; what commits is on another thread."""
        for _ in range(6):
            await settle()
            await self.store.write(_nothing)

    async def pass_time(self, duration_s: float) -> None:
        """Let time pass, deadline by deadline, with room for commits between."""
        end_s = self.clock.monotonic() + duration_s
        await self.quiet()
        while self.clock.monotonic() < end_s:
            left_s = end_s - self.clock.monotonic()
            wake_s = self.clock.next_wake_s
            await self.clock.advance(min(left_s, left_s if wake_s is None else max(wake_s, 0.001)))
            await self.quiet()
            for task in self._tasks:
                if task.done():
                    task.result()

    async def until(self, holds: Callable[[], bool], step_s: float = 0.2) -> None:
        """Let time pass until something holds."""
        for _ in range(2000):
            if holds():
                return
            await self.pass_time(step_s)
        raise AssertionError("it never holds")

    async def row(self, name: str = "erp") -> HookRow:
        async def work(tx: ReadTransaction) -> HookRow:
            return next(one for one in await tx.hooks() if one.name == name)

        return await self.store.read(work)

    async def backlog(self, name: str = "erp") -> HookBacklog:
        id = (await self.row(name)).id

        async def work(tx: ReadTransaction) -> HookBacklog:
            return await tx.hook_backlog(id)

        return await self.store.read(work)

    async def dead(self) -> list[tuple[DeliveryRow, EventRow]]:
        async def work(tx: ReadTransaction) -> list[tuple[DeliveryRow, EventRow]]:
            return list(await tx.dead_deliveries(None, 1000))

        return await self.store.read(work)


async def _facts(_tx: ReadTransaction, event: EventRow) -> dict[str, Any]:
    return {"number": event.number, "lane": event.event.submission or ""}


async def _nothing(tx: Transaction) -> None:
    await tx.accounts()
