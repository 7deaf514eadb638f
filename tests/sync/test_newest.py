"""Where the newest page is expected, what a look costs by that, and that it misses nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bridge.simulator import SEQUENCE_READING, Ids, ListingOrder, Operation, PastEnd
from bridge.simulator.options import PageCounts
from bridge.sync.listing import Listing
from bridge.sync.newest import Growth, Newest
from bridge.sync.pages import Pages
from bridge.sync.state import SyncState
from tests.selected import some
from tests.sync.world import ADDRESS, World, world

FULL = 5
"""Rows on a page."""

OLDEST = SEQUENCE_READING.replace(page_size=FULL, order=ListingOrder.OLDEST)


def arrive(here: World, first: int, count: int) -> None:
    for number in range(first, first + count):
        at = here.clock.now() - timedelta(days=1) + timedelta(seconds=number)
        here.simulator.inject(ADDRESS, subject=f"N. {number}", body=f"({number})", at=at)


async def listing_of(here: World) -> Listing:
    parts = here.parts()
    await parts.memory.load()
    return parts.listing


async def first_look(here: World, rows: int) -> Listing:
    arrive(here, 0, rows)
    listing = await listing_of(here)
    await listing.look()
    while listing.sweeping:
        await listing.step()
    return listing


@pytest.mark.parametrize("came", [0, 2, 7])
async def test_news_at_an_even_pace_cost_each_page_once(tmp_path: Path, came: int) -> None:
    looks = 40
    async with world(tmp_path, OLDEST) as here:
        listing, known = await first_look(here, 23), 23
        for _ in range(10):  # learn how much comes
            arrive(here, known, came)
            known += came
            await here.clock.advance(60)
            await listing.look()
        made = here.made(Operation.INBOX_LIST)
        for _ in range(looks):
            arrive(here, known, came)
            known += came
            await here.clock.advance(60)
            await listing.look()
            assert not listing.sweeping
        assert await here.by_rank() == here.listed()
        pages = looks + came * looks / FULL
        assert here.made(Operation.INBOX_LIST) - made <= pages + 2


@pytest.mark.parametrize("past_end", PastEnd)
@pytest.mark.parametrize("ids", some(Ids, 1))
@pytest.mark.parametrize("counts", [PageCounts.NUMBERS, PageCounts.ABSENT])
@pytest.mark.parametrize("came", [[7] * 6 + [0, 0, 1, 0], [0, 0, 33, 0, 2], [3, 0, 19, 4, 0, 6]])
async def test_a_wrong_guess_costs_requests_and_no_row(
    tmp_path: Path, past_end: PastEnd, ids: Ids, counts: PageCounts, came: list[int]
) -> None:
    reading = OLDEST.replace(past_end=past_end, ids=ids, counts=counts)
    async with world(tmp_path, reading) as here:
        listing, known = await first_look(here, 23), 23
        for count in came:
            arrive(here, known, count)
            known += count
            await here.clock.advance(60)
            made = here.made(Operation.INBOX_LIST)
            await listing.look()
            while listing.sweeping and counts is PageCounts.NUMBERS:
                await listing.step()
            if counts is PageCounts.NUMBERS:
                assert await here.by_rank() == here.listed()
                assert here.made(Operation.INBOX_LIST) - made <= count / FULL + 5
        await here.clock.advance(90_000)
        await here.sync_now()
        assert await here.by_rank() == here.listed()


@pytest.mark.parametrize("after", range(4))
@pytest.mark.parametrize("ids", Ids)
async def test_a_row_that_moves_to_an_older_page_between_two_requests_is_seen(
    tmp_path: Path, after: int, ids: Ids
) -> None:
    """One is deleted and one comes: the total is as it was, and all that is newer has moved."""
    async with world(tmp_path, OLDEST.replace(ids=ids)) as here:
        listing = await first_look(here, 23)
        arrive(here, 23, 4)
        await here.clock.advance(60)

        def moves() -> None:
            here.simulator.delete(ADDRESS, here.simulator.inbox(ADDRESS)[0].row)
            arrive(here, 27, 1)

        here.surprises[after] = moves
        for _ in range(3):
            await listing.look()
            while listing.sweeping:
                await listing.step()
        assert set(here.listed()) <= set(await here.by_rank())


async def test_the_cut_of_the_listing_is_not_found_out_anew_at_each_look(tmp_path: Path) -> None:
    """The day's pass waits as long as each look brings news; looks are not dearer for that."""
    async with world(tmp_path, OLDEST) as here:
        listing, known = await first_look(here, 23), 23
        await here.clock.advance(90_000)
        made = here.made(Operation.INBOX_LIST)
        for _ in range(10):
            arrive(here, known, 2)
            known += 2
            await here.clock.advance(60)
            await listing.look()
        assert here.made(Operation.INBOX_LIST) - made <= 10 + 20 / FULL + 3 + 2


@pytest.mark.parametrize(("after_s", "is_anew"), [(3_599, False), (3_600, True)])
async def test_how_the_listing_is_cut_is_found_out_anew_after_an_hour(
    tmp_path: Path, after_s: int, is_anew: bool
) -> None:
    async with world(tmp_path, OLDEST) as here:
        arrive(here, 0, 23)
        pages = Pages(here.accounts[0].client)
        newest = Newest(here.clock, here.account)
        found = await newest.read(pages, SyncState(), 0, is_anew=True)
        known = SyncState(layout=found.layout, total=23)
        await here.clock.advance(after_s)
        made = here.made(Operation.INBOX_LIST)
        assert (await newest.read(pages, known, 23, is_anew=True)).page.rows
        assert (here.made(Operation.INBOX_LIST) - made > 1) is is_anew


@pytest.mark.parametrize("order", [ListingOrder.NEWEST_PAGES, ListingOrder.OLDEST])
@pytest.mark.parametrize("after", [1, 2, 3])
async def test_what_comes_while_a_gap_is_read_makes_no_pass_over_all_that_is_known(
    tmp_path: Path, order: ListingOrder, after: int
) -> None:
    async with world(tmp_path, OLDEST.replace(order=order)) as here:
        listing = await first_look(here, 200)
        await here.clock.advance(60)
        arrive(here, 200, 13)
        here.surprises[after] = lambda: arrive(here, 213, 1)
        made = here.made(Operation.INBOX_LIST)
        for _ in range(2):
            await listing.look()
            while listing.sweeping:
                await listing.step()
        assert await here.by_rank() == here.listed()
        assert here.made(Operation.INBOX_LIST) - made <= 10


def test_what_is_expected_is_what_came_of_late_and_no_more_than_is_asked_for() -> None:
    growth = Growth()
    assert growth.expected(0, most=100) == 0
    for minute in range(30):
        growth.noted(60.0 * minute, 1_000 + 12 * minute)
    assert growth.expected(29 * 60 + 60, most=100) == 12
    assert growth.expected(29 * 60 + 3_600, most=100) == 100
    growth.noted(29 * 60 + 3_600, None)
    assert growth.expected(29 * 60 + 7_200, most=100) == 0
    growth.noted(29 * 60 + 7_200, 5_000)  # how much came meanwhile nobody knows
    assert growth.expected(29 * 60 + 7_260, most=100) == 0


def test_a_list_that_grew_shorter_promises_nothing() -> None:
    growth = Growth()
    growth.noted(0, 1_000)
    growth.noted(60, 10)
    assert growth.expected(120, most=100) == 0
