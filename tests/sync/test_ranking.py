"""Ranks keep the order of the listing, however many rows come between two that are known."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bridge.api.schema import InboxRow
from bridge.simulator import SEQUENCE_READING, ListingOrder, Operation
from bridge.sync.listed import Listed, listed
from bridge.sync.listing import NEWS_PAGES, Listing
from bridge.sync.memory import AccountMemory
from bridge.sync.paging import Snapshot
from bridge.sync.ranking import ROOM
from bridge.sync.rows import Rows
from tests.sync.world import ADDRESS, World, world

FULL = 5
"""Rows on a page."""

READING = SEQUENCE_READING.replace(page_size=FULL)


def arrive(here: World, first: int, count: int) -> None:
    for number in range(first, first + count):
        at = here.clock.now() - timedelta(days=1) + timedelta(minutes=number)
        here.simulator.inject(ADDRESS, subject=f"N. {number}", body=f"({number})", at=at)


def rows_of(here: World) -> Rows:
    return Rows(here.store, AccountMemory(here.store, here.account), here.clock)


async def listing_of(here: World) -> tuple[Listing, AccountMemory]:
    """Return what reads the listing, and nothing else of what follows an account."""
    parts = here.parts()
    await parts.memory.load()
    return parts.listing, parts.memory


@pytest.mark.parametrize("order", ListingOrder)
async def test_many_pages_that_came_between_two_looks_keep_their_order(
    tmp_path: Path, order: ListingOrder
) -> None:
    async with world(tmp_path, READING.replace(order=order)) as here:
        arrive(here, 0, FULL)
        await here.sync_now()
        arrive(here, FULL, 30 * FULL)
        await here.sync_now()
        assert await here.by_rank() == here.listed()


def row(name: str) -> Listed:
    return listed(
        InboxRow(
            name,
            sender="a@x.invalid",
            recipient="b@x.invalid",
            date_text="",
            subject=name,
            raw="{}",
            date=None,
        )
    )


@pytest.mark.parametrize("is_below", [False, True])
async def test_rows_that_come_one_after_another_between_two_keep_their_order(
    tmp_path: Path, is_below: bool
) -> None:
    async with world(tmp_path, READING) as here:
        rows = rows_of(here)
        page = [row("newest"), row("oldest")]
        for number in range(80):
            page.insert(len(page) - 1 if is_below else 1, row(str(number)))
            around = page[-3:] if is_below else page[:3]
            for shown in (around, page):
                await rows.take(await rows.align(Snapshot(1, tuple(shown), None)), None)
        assert await here.by_rank() == [one.api_id for one in reversed(page)]


async def test_what_was_deleted_goes_up_with_what_room_is_made_for(tmp_path: Path) -> None:
    async with world(tmp_path, READING) as here:
        parts = here.parts()
        page = [row("newest"), row("oldest")]
        taken = await parts.rows.take(await parts.rows.align(Snapshot(1, tuple(page), None)), None)
        assert taken.top is not None
        parts.memory.departures.went(10**6, taken.top + 0.5)
        for number in range(80):
            page.insert(1, row(str(number)))
            await parts.rows.take(await parts.rows.align(Snapshot(1, tuple(page), None)), None)
        newest = (await parts.rows.between(None, None))[0]
        assert newest.rank >= ROOM
        assert parts.memory.departures.below(newest) == 0


async def test_what_a_page_spans_is_told_as_it_is_once_room_was_made(tmp_path: Path) -> None:
    async with world(tmp_path, READING) as here:
        rows = rows_of(here)
        page = [row("newest"), row("oldest")]
        for number in range(40):
            page.insert(1, row(str(number)))
            taken = await rows.take(await rows.align(Snapshot(1, tuple(page), None)), None)
            ranks = [place.rank for place in await rows.between(None, None)]
            assert (taken.top, taken.bottom) == (ranks[0], ranks[-1])
            assert taken.new <= set(ranks)


async def test_a_sweep_goes_on_where_room_was_made_meanwhile(tmp_path: Path) -> None:
    async with world(tmp_path, READING.replace(order=ListingOrder.NEWEST)) as here:
        arrive(here, 0, 4 * FULL)
        listing, memory = await listing_of(here)
        await listing.look()
        assert memory.state.sweep is not None
        above = memory.state.sweep.above
        assert above is not None

        await here.store.write(lambda tx: tx.raise_remote(here.account, above, ROOM))
        while listing.sweeping:
            await listing.step()
        assert await here.by_rank() == here.listed()


async def test_a_look_reads_no_more_of_a_gap_than_a_few_pages(tmp_path: Path) -> None:
    async with world(tmp_path, READING.replace(order=ListingOrder.NEWEST)) as here:
        arrive(here, 0, 2 * FULL)
        listing, _ = await listing_of(here)
        await listing.look()
        while listing.sweeping:
            await listing.step()
        arrive(here, 2 * FULL, (NEWS_PAGES + 6) * FULL)
        made = here.made(Operation.INBOX_LIST)
        await listing.look()
        assert here.made(Operation.INBOX_LIST) - made == 1 + NEWS_PAGES
        while listing.sweeping:
            await listing.step()
        assert await here.by_rank() == here.listed()


@pytest.mark.parametrize("order", ListingOrder)
@pytest.mark.parametrize("news", [13, 15, 44])
async def test_an_import_that_news_interrupted_goes_on_where_it_was(
    tmp_path: Path, order: ListingOrder, news: int
) -> None:
    async with world(tmp_path, READING.replace(order=order)) as here:
        arrive(here, 0, 20 * FULL)
        listing, _ = await listing_of(here)
        await listing.look()
        for _ in range(9):
            await listing.step()
        arrive(here, 20 * FULL, news)
        made = here.made(Operation.INBOX_LIST)
        await listing.look()
        while listing.sweeping:
            await listing.step()
        assert await here.by_rank() == here.listed()
        assert here.made(Operation.INBOX_LIST) - made <= news // FULL + 1 + 10 + 4


async def test_a_row_ranked_where_it_is_not_listed_costs_no_request_at_each_look(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, READING) as here:
        arrive(here, 0, 2 * FULL)
        await here.sync_now()
        await here.restart()
        oldest = (await rows_of(here).between(None, None))[-1]
        await here.store.write(lambda tx: tx.rank_remote([(oldest.remote, 10 * ROOM)]))
        made = here.made(Operation.INBOX_LIST)
        await here.sync_now()
        assert here.made(Operation.INBOX_LIST) == made + 1
        await here.clock.advance(90_000)
        await here.sync_now()
        assert await here.by_rank() == here.listed()
