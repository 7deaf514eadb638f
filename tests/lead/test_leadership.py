"""Two or three bridges on one store: one leads, and another soon after it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridge.lead.fenced import TERM, FencedStore, TermOver
from bridge.lead.leadership import BEAT_S, LAPSES_S, STEPS_DOWN_S, Leadership
from bridge.store.base import ReadTransaction, Store, StoreFailed, Transaction, Work
from bridge.store.lead import Lead
from bridge.store.sqlite import SqliteStore
from tests.fakes import FakeClock, settle

SOON_S = 30.0
"""Within which another leads, whatever became of the one that did."""


class Reached:
    """A store that can be out of reach."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_reached = True

    async def read(self, work: Work[object]) -> object:
        self._see()
        return await self._store.read(work)  # type: ignore[arg-type]

    async def write(self, work: Work[object], committed: object = None) -> object:
        self._see()
        return await self._store.write(work)

    def _see(self) -> None:
        if not self.is_reached:
            raise StoreFailed("out of reach")


@dataclass
class OneBridge:
    """What leads while it is its turn."""

    leadership: Leadership
    store: Reached
    terms: list[int] = field(default_factory=list)
    leads: bool = False
    task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.task = asyncio.ensure_future(self._run())

    async def kill(self) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.leads = False

    async def _run(self) -> None:
        while True:
            term = await self.leadership.take()
            self.terms.append(term)
            self.leads = True
            await self.leadership.keep(term)
            self.leads = False


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await SqliteStore.open(tmp_path)
    yield store
    await store.close()


@pytest.fixture
async def bridges(store: Store, clock: FakeClock) -> AsyncIterator[list[OneBridge]]:
    made = []
    for name in ("a", "b", "c"):
        reached = Reached(store)
        made.append(OneBridge(Leadership(reached, clock, name), reached))  # type: ignore[arg-type]
    for one in made:
        one.start()
    await pass_by(clock, store, BEAT_S)
    yield made
    for one in made:
        await one.kill()


async def nothing(tx: Transaction) -> None:
    """Wait for the turn of the one who writes."""


async def pass_by(clock: FakeClock, store: Store, seconds: float) -> None:
    """Let seconds go by one by one, and what is to be written be written in each."""
    for _ in range(int(seconds)):
        await clock.advance(1)
        for _ in range(4):
            await store.write(nothing)
            await settle()


def leading(bridges: list[OneBridge]) -> list[OneBridge]:
    return [one for one in bridges if one.leads]


async def test_one_leads_as_long_as_it_is_well(
    bridges: list[OneBridge], clock: FakeClock, store: Store
) -> None:
    (first,) = leading(bridges)
    await pass_by(clock, store, 5 * LAPSES_S)
    assert leading(bridges) == [first]
    assert [one.terms for one in bridges if one is not first] == [[], []]


async def test_another_leads_soon_after_one_was_killed(
    bridges: list[OneBridge], clock: FakeClock, store: Store
) -> None:
    (first,) = leading(bridges)
    await first.kill()
    await pass_by(clock, store, SOON_S)
    (second,) = leading(bridges)
    assert (first.terms, second.terms) == ([1], [2])


async def test_one_that_is_cut_off_has_ended_before_another_leads(
    bridges: list[OneBridge], clock: FakeClock, store: Store
) -> None:
    (first,) = leading(bridges)
    first.store.is_reached = False
    for _ in range(int(SOON_S)):
        await pass_by(clock, store, 1)
        assert len(leading(bridges)) <= 1
    (second,) = leading(bridges)
    assert second is not first
    first.store.is_reached = True
    await pass_by(clock, store, SOON_S)
    assert leading(bridges) == [second]


async def test_it_steps_down_seconds_before_anybody_else_can_begin() -> None:
    assert STEPS_DOWN_S + BEAT_S < LAPSES_S
    assert LAPSES_S + 2 * BEAT_S < SOON_S


async def test_one_that_ends_lets_another_lead_at_once(
    bridges: list[OneBridge], clock: FakeClock, store: Store
) -> None:
    (first,) = leading(bridges)
    await first.kill()
    await first.leadership.leave(first.terms[-1])
    await pass_by(clock, store, 2 * BEAT_S)
    (second,) = leading(bridges)
    await first.leadership.leave(first.terms[-1])  # its term is over: nothing happens
    await pass_by(clock, store, 2 * BEAT_S)
    assert leading(bridges) == [second]


async def test_nobody_begins_while_the_store_cannot_be_reached(
    bridges: list[OneBridge], clock: FakeClock, store: Store
) -> None:
    for one in bridges:
        one.store.is_reached = False
    await pass_by(clock, store, 2 * SOON_S)
    assert leading(bridges) == []
    for one in bridges:
        one.store.is_reached = True
    await pass_by(clock, store, SOON_S)
    assert len(leading(bridges)) == 1


# -- what is written for a term ----------------------------------------------------------------


async def test_what_is_written_for_a_term_that_is_over_is_not_kept(store: Store) -> None:
    fenced = FencedStore(store)

    async def take(tx: Transaction) -> int:
        return await tx.take_lead("a")

    async def account(tx: Transaction) -> object:
        return await tx.add_account("a@pec.example")

    term = await store.write(take)
    TERM.set(term)
    await fenced.write(nothing)
    await store.write(take)
    with pytest.raises(TermOver):
        await fenced.write(account)
    assert await asyncio.create_task(fenced.read(_accounts)) == []
    TERM.set(None)
    await fenced.write(account)  # what serves mail programs is any bridge's
    assert len(await fenced.scan(_accounts)) == 1


async def test_tasks_are_done_for_the_term_of_whoever_began_them(store: Store) -> None:
    fenced = FencedStore(store)
    TERM.set(7)
    with pytest.raises(TermOver):
        await asyncio.create_task(fenced.write(nothing))
    TERM.set(None)


async def test_who_leads_is_kept(store: Store) -> None:
    async def work(tx: Transaction) -> list[object]:
        seen: list[object] = [await tx.lead(), await tx.take_lead("a"), await tx.beat_lead(1)]
        seen += [await tx.lead(), await tx.beat_lead(0), await tx.take_lead("b")]
        await tx.leave_lead(1)
        seen.append(await tx.lead())
        await tx.leave_lead(2)
        return [*seen, await tx.lead()]

    assert await store.write(work) == [
        *(Lead("", 0, 0), 1, True),
        *(Lead("a", 1, 1), False, 2),
        *(Lead("b", 2, 0), Lead("", 2, 0)),
    ]


async def _accounts(tx: ReadTransaction) -> list[object]:
    return list(await tx.accounts())
