"""What a look costs, and what it brings up: arrivals, departures, new ids, odd totals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.api.client import PecClient
from bridge.api.schema import InboxPage
from bridge.model import ARCHIVE
from bridge.simulator import (
    SEQUENCE_READING,
    Errors,
    Ids,
    ListingOrder,
    Operation,
    Options,
    PageCounts,
)
from tests.selected import some
from tests.sync.client import Passing
from tests.sync.world import ADDRESS, World, world

STABLE = SEQUENCE_READING.replace(ids=Ids.STABLE)
BOTH = pytest.mark.parametrize("options", [SEQUENCE_READING, STABLE], ids=["sequence", "stable"])


def cost(here: World) -> tuple[int, int]:
    return here.made(Operation.INBOX_LIST), here.made(Operation.INBOX_GET)


async def costs(here: World) -> tuple[int, int]:
    """Return the pages and bodies that one more sync reads."""
    lists, gets = cost(here)
    await here.sync_now()
    return cost(here)[0] - lists, cost(here)[1] - gets


@BOTH
@pytest.mark.parametrize("order", ListingOrder)
async def test_a_look_with_nothing_new_is_one_request(
    tmp_path: Path, options: Options, order: ListingOrder
) -> None:
    async with world(tmp_path, options.replace(order=order)) as here:
        here.simulator.seed(ADDRESS, 130)
        await here.sync_now()
        assert await costs(here) == (1, 0)


@BOTH
@pytest.mark.parametrize("order", ListingOrder)
async def test_a_mailbox_that_was_empty_is_read_in_its_order_from_the_first_rows_on(
    tmp_path: Path, options: Options, order: ListingOrder
) -> None:
    async with world(tmp_path, options.replace(order=order)) as here:
        await here.sync_now()
        for number in range(30):
            here.simulator.inject(ADDRESS, subject=f"ACCETTAZIONE: {number}")
            here.simulator.inject(ADDRESS, subject=f"CONSEGNA: {number}")
            await here.clock.advance(60)
            lists = cost(here)[0]
            await here.sync_now()
            assert await here.by_rank() == here.listed()
            if number not in (12, 25):  # where the second page comes, and the third
                assert cost(here)[0] - lists <= 2


@pytest.mark.parametrize("counts", [PageCounts.NUMBERS, PageCounts.ABSENT])
async def test_a_pass_over_what_is_as_it_was_reads_each_page_once(
    tmp_path: Path, counts: PageCounts
) -> None:
    """The last row of a page is just before the next one, and not missed there.

    Besides its five pages it takes what finds out how they are cut.
    """
    options = STABLE.replace(order=ListingOrder.NEWEST, counts=counts, page_size=5)
    async with world(tmp_path, options) as here:
        here.simulator.seed(ADDRESS, 23)
        await here.sync_now()
        found = []
        for _ in range(3):
            await here.clock.advance(25 * 3_600)
            found.append((await costs(here))[0])
        assert found == [{PageCounts.NUMBERS: 8, PageCounts.ABSENT: 10}[counts]] * 3


@BOTH
async def test_a_new_row_is_one_page_and_one_body(tmp_path: Path, options: Options) -> None:
    async with world(tmp_path, options) as here:
        here.simulator.seed(ADDRESS, 130)
        await here.sync_now()
        here.simulator.inject(ADDRESS, subject="Nuovo")
        assert await costs(here) == (1, 1)
        assert len(await here.messages()) == 131


async def test_more_new_rows_than_a_page_are_all_found(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 60)
        await here.sync_now()
        for number in range(60):
            here.simulator.inject(
                ADDRESS, subject=f"Nuovo {number}", at=here.clock.now() + timedelta(0, number)
            )
        assert await here.sync_now() == 60


@BOTH
async def test_a_restart_costs_no_more_than_a_look(tmp_path: Path, options: Options) -> None:
    async with world(tmp_path, options) as here:
        here.simulator.seed(ADDRESS, 130)
        await here.sync_now()
        before = await here.messages()
        await here.restart()
        assert await costs(here) == (1, 0)
        assert await here.messages() == before


@BOTH
@pytest.mark.parametrize("position", some([12, 129, 0, 60], 2))
async def test_a_row_deleted_elsewhere_leaves_inbox_and_no_other_is_read_again(
    tmp_path: Path, options: Options, position: int
) -> None:
    async with world(tmp_path, options) as here:
        here.simulator.seed(ADDRESS, 130)
        await here.sync_now()
        before = await here.messages()
        gone = here.simulator.inbox(ADDRESS)[position].row
        here.simulator.delete(ADDRESS, gone)
        _, gets = await costs(here)
        after = await here.messages()
        assert len(after) == 129
        assert after.items() < before.items()
        assert gets <= 1  # it is asked for once before it counts as gone
        assert await costs(here) == (1, 0)


async def test_a_renumbering_is_recognised_and_downloads_nothing(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 60)
        await here.sync_now()
        before = await here.messages()
        oldest = here.simulator.inbox(ADDRESS)[:3]
        for one in oldest:
            here.simulator.delete(ADDRESS, one.row)
        await here.sync_now()
        _, gets = await costs(here)
        assert gets == 0
        assert (await here.messages()).items() <= before.items()


async def test_copies_of_a_row_deleted_elsewhere_stay_in_local_mailboxes(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 2)
        await here.sync_now()
        archive = await here.mailboxes.find(here.account, ARCHIVE)
        assert archive is not None
        uid = min(await here.messages())
        await here.mailboxes.copy(here.inbox_id, [uid], archive)
        here.simulator.delete_where(ADDRESS, lambda row: True)
        for _ in range(3):
            await here.sync_now()
            await here.clock.advance(12.5 * 3600)
        assert await here.messages() == {}
        assert len(await here.messages(ARCHIVE)) == 1


async def test_a_moved_message_stays_moved(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 5)
        await here.sync_now()
        archive = await here.mailboxes.find(here.account, ARCHIVE)
        assert archive is not None
        uid = min(await here.messages())
        await here.mailboxes.move(here.inbox_id, [uid], archive)
        await here.clock.advance(90_000)
        await here.sync_now()
        assert (len(await here.messages()), len(await here.messages(ARCHIVE))) == (4, 1)
        assert len(here.listed()) == 5


class Miscounting(Passing):
    """A client of an API whose total is off: at first it counts two rows that it never lists."""

    def __init__(self, client: PecClient, off: list[int] | None = None) -> None:
        super().__init__(client)
        self._off = [2] if off is None else off

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        shown = await super().inbox_page(page, query)
        return replace(shown, total=(shown.total or 0) + self._off[0])


async def test_a_total_that_counts_what_is_not_listed_does_not_cost_a_pass_each_time(
    tmp_path: Path,
) -> None:
    options = STABLE.replace(order=ListingOrder.NEWEST)
    async with world(tmp_path, options, wrap=Miscounting) as here:
        here.simulator.seed(ADDRESS, 60)
        for _ in range(4):
            await here.sync_now()
        assert await costs(here) == (1, 0)
        assert len(await here.messages()) == 60


@pytest.mark.parametrize("by", [2, -2])
async def test_a_total_that_was_off_for_days_hides_no_departure_afterwards(
    tmp_path: Path, by: int
) -> None:
    off = [by]
    options = STABLE.replace(order=ListingOrder.NEWEST)
    async with world(tmp_path, options, wrap=lambda client: Miscounting(client, off)) as here:
        here.simulator.seed(ADDRESS, 60)
        for _ in range(4):
            await here.sync_now()
        off[0] = 0
        here.simulator.delete(ADDRESS, here.simulator.inbox(ADDRESS)[50].row)
        for _ in range(4):
            await here.clock.advance(90_000)
            await here.sync_now()
        assert len(await here.messages()) == 59


async def test_everything_is_looked_at_once_a_day(tmp_path: Path) -> None:
    async with world(tmp_path, STABLE) as here:
        here.simulator.seed(ADDRESS, 130)
        await here.sync_now()
        await here.clock.advance(86_000)
        assert await costs(here) == (1, 0)
        await here.clock.advance(500)
        lists, gets = await costs(here)
        assert (lists >= 6, gets) == (True, 0)


@pytest.mark.parametrize("errors", Errors)
async def test_without_a_total_departures_are_found_by_a_pass(
    tmp_path: Path, errors: Errors
) -> None:
    options = STABLE.replace(counts=PageCounts.ABSENT, errors=errors)
    async with world(tmp_path, options) as here:
        here.simulator.seed(ADDRESS, 60)
        await here.sync_now()
        here.simulator.delete(ADDRESS, here.simulator.inbox(ADDRESS)[5].row)
        for _ in range(3):
            await here.clock.advance(90_000)
            await here.sync_now()
        assert len(await here.messages()) == 59
