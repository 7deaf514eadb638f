"""Two bridges on one store: one works, and the other begins when that one is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.lead.fenced import FencedStore, TermOver
from bridge.lead.leadership import BEAT_S, LAPSES_S, AnotherLeads, Leadership
from bridge.store.base import ReadTransaction, ReadWork, Store, StoreFailed, Transaction, Work
from bridge.store.lead import Lead
from bridge.store.sqlite import SqliteStore
from tests.fakes import FakeClock, settle

SOON_S = 30.0
"""Within which another leads, whatever became of the one that did."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await SqliteStore.open(tmp_path)
    yield store
    await store.close()


@pytest.fixture
def first(store: Store, clock: FakeClock) -> Leadership:
    return Leadership(store, clock, "first")


@pytest.fixture
def second(store: Store, clock: FakeClock) -> Leadership:
    return Leadership(store, clock, "second")


async def nothing(tx: Transaction) -> None:
    """Wait for the turn of the one who writes."""


async def pass_by(clock: FakeClock, store: Store, seconds: float) -> None:
    """Let seconds go by one by one, and what is to be written be written in each."""
    for _ in range(int(seconds)):
        await clock.advance(1)
        for _ in range(4):
            await store.write(nothing)
            await settle()


async def test_the_second_does_not_begin_while_the_first_is_well(
    first: Leadership, second: Leadership, clock: FakeClock, store: Store
) -> None:
    keeping = asyncio.ensure_future(first.keep(await first.take()))
    for _ in range(3):
        taking = asyncio.ensure_future(second.take())
        await pass_by(clock, store, SOON_S)
        with pytest.raises(AnotherLeads, match="first"):
            await taking
    assert not keeping.done()
    keeping.cancel()


async def test_the_second_says_so_at_the_first_beat_that_it_hears(
    first: Leadership, second: Leadership, clock: FakeClock, store: Store
) -> None:
    keeping = asyncio.ensure_future(first.keep(await first.take()))
    taking = asyncio.ensure_future(second.take())
    await pass_by(clock, store, 2 * BEAT_S)
    assert taking.done()
    assert isinstance(taking.exception(), AnotherLeads)
    keeping.cancel()


async def test_another_begins_soon_after_one_was_killed(
    first: Leadership, second: Leadership, clock: FakeClock, store: Store
) -> None:
    term = await first.take()
    taking = asyncio.ensure_future(second.take())
    await pass_by(clock, store, LAPSES_S - BEAT_S)
    assert not taking.done()
    await pass_by(clock, store, SOON_S - LAPSES_S + BEAT_S)
    assert taking.result() == term + 1


async def test_one_that_goes_on_later_notices(
    first: Leadership, second: Leadership, clock: FakeClock, store: Store
) -> None:
    term = await first.take()
    taking = asyncio.ensure_future(second.take())
    await pass_by(clock, store, SOON_S)
    await taking
    keeping = asyncio.ensure_future(first.keep(term))
    await pass_by(clock, store, 2 * BEAT_S)
    assert keeping.done()


async def test_one_that_ended_as_it_should_is_not_waited_for(
    first: Leadership, second: Leadership, store: Store
) -> None:
    term = await first.take()
    await first.leave(term)
    assert await second.take() == term + 1
    await first.leave(term)  # its term is over: nothing happens
    assert (await store.read(_lead)).bridge == "second"


async def test_a_bridge_that_was_killed_begins_again_at_once(
    first: Leadership, store: Store, clock: FakeClock
) -> None:
    term = await first.take()
    assert await Leadership(store, clock, "first").take() == term + 1


async def test_of_two_that_begin_at_once_one_does(
    first: Leadership, second: Leadership, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = store.read

    async def late(work: ReadWork[object]) -> object:
        found = await read(work)
        monkeypatch.setattr(store, "read", read)
        await first.take()
        return found

    monkeypatch.setattr(store, "read", late)
    with pytest.raises(AnotherLeads, match="first"):
        await second.take()


async def test_a_beat_that_cannot_be_written_ends_nothing(
    first: Leadership, store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> object:
        raise StoreFailed("out of reach")

    keeping = asyncio.ensure_future(first.keep(await first.take()))
    with monkeypatch.context() as patched:
        patched.setattr(type(store), "write", fails)
        await clock.advance(SOON_S)
    before = await store.read(_lead)
    await pass_by(clock, store, 2 * BEAT_S)
    assert (await store.read(_lead)).beat > before.beat
    assert not keeping.done()
    keeping.cancel()


# -- what is written in a term -----------------------------------------------------------------


async def test_what_is_written_in_a_term_that_is_over_is_not_kept(
    first: Leadership, second: Leadership, store: Store
) -> None:
    term = await first.take()
    fenced = FencedStore(store, term)
    await fenced.write(_account)
    await first.leave(term)
    await second.take()
    with pytest.raises(TermOver):
        await fenced.write(_account)
    assert len(await fenced.read(_accounts)) == len(await fenced.scan(_accounts)) == 1
    assert fenced.failing is None


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


async def _account(tx: Transaction) -> None:
    await tx.add_account("a@pec.example")


async def _accounts(tx: ReadTransaction) -> list[object]:
    return list(await tx.accounts())


async def _lead(tx: ReadTransaction) -> Lead:
    return await tx.lead()


# -- one that follows --------------------------------------------------------------------------


async def test_one_that_would_follow_hears_another_that_is_well(
    first: Leadership, second: Leadership, clock: FakeClock, store: Store
) -> None:
    keeping = asyncio.ensure_future(first.keep(await first.take()))
    finding = asyncio.ensure_future(second.find(at_once=False))
    await pass_by(clock, store, 2 * BEAT_S)
    assert finding.result() is None
    keeping.cancel()


@pytest.mark.parametrize("at_once", [True, False])
async def test_where_nobody_leads_one_that_does_not_know_all_waits_for_another(
    first: Leadership, second: Leadership, clock: FakeClock, store: Store, at_once: bool
) -> None:
    term = await first.take()
    await first.leave(term)
    finding = asyncio.ensure_future(second.find(at_once=at_once))
    await pass_by(clock, store, BEAT_S)
    assert finding.done() == at_once
    assert at_once or await first.take() == term + 1
    await pass_by(clock, store, BEAT_S)
    assert finding.result() == (term + 1 if at_once else None)


@pytest.mark.parametrize(("leaves", "within_s"), [(True, BEAT_S), (False, SOON_S)])
async def test_one_that_follows_leads_when_the_other_has_gone(
    first: Leadership,
    second: Leadership,
    clock: FakeClock,
    store: Store,
    leaves: bool,
    within_s: float,
) -> None:
    term = await first.take()
    keeping = asyncio.ensure_future(first.keep(term))
    succeeding = asyncio.ensure_future(second.succeed())
    await pass_by(clock, store, 2 * LAPSES_S)
    assert not succeeding.done()
    keeping.cancel()
    if leaves:
        await first.leave(term)
    await pass_by(clock, store, within_s)
    assert succeeding.result() == term + 1


async def test_a_store_out_of_reach_is_no_sign_that_the_other_has_gone(
    first: Leadership,
    second: Leadership,
    clock: FakeClock,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fails(*_: object) -> object:
        raise StoreFailed("out of reach")

    await first.take()
    succeeding = asyncio.ensure_future(second.succeed())
    await pass_by(clock, store, LAPSES_S - BEAT_S)
    with monkeypatch.context() as patched:
        patched.setattr(type(store), "read", fails)
        await clock.advance(SOON_S)
    await pass_by(clock, store, LAPSES_S - BEAT_S)
    assert not succeeding.done()
    succeeding.cancel()


async def test_who_knows_better_leads_whoever_does(
    first: Leadership, second: Leadership, store: Store
) -> None:
    term = await first.take()
    assert await second.seize() == term + 1
    with pytest.raises(TermOver):
        await FencedStore(store, term).write(_account)


async def test_what_users_do_where_nobody_leads_needs_no_term(
    first: Leadership, second: Leadership, store: Store
) -> None:
    follower = FencedStore(store, None)
    await first.take()
    await follower.write(_account)
    follower.term = await second.seize()
    await first.seize()
    with pytest.raises(TermOver):
        await follower.write(nothing)


async def test_what_was_begun_in_a_term_is_written_in_it_or_not_at_all(
    first: Leadership, second: Leadership, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fenced = FencedStore(store, await first.take())
    write = store.write

    async def late(work: Work[object], committed: None) -> object:
        monkeypatch.setattr(store, "write", write)
        fenced.term = None
        await second.seize()
        return await write(work, committed)

    monkeypatch.setattr(store, "write", late)
    with pytest.raises(TermOver):
        await fenced.write(nothing)


async def test_who_has_not_beaten_for_long_is_not_sure_to_lead(
    first: Leadership, store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> object:
        raise StoreFailed("out of reach")

    assert not first.is_sure
    keeping = asyncio.ensure_future(first.keep(await first.take()))
    await pass_by(clock, store, 2 * LAPSES_S)
    assert first.is_sure
    with monkeypatch.context() as patched:
        patched.setattr(type(store), "write", fails)
        await clock.advance(LAPSES_S - BEAT_S)
    assert not first.is_sure, "another may be about to lead"
    await pass_by(clock, store, BEAT_S)
    assert first.is_sure
    keeping.cancel()
