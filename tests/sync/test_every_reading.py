"""However the API reads its description, every message is read, and read once."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from bridge.simulator import (
    SEQUENCE_READING,
    Ids,
    ListingOrder,
    Operation,
    Options,
    PageCount,
    PageCounts,
)
from bridge.simulator import PastEnd as Past
from tests.selected import some
from tests.sync.world import ADDRESS, World, world

ROWS = some([0, 26, 60, 1, 25, 130], 2)


def reading(ids: Ids, base: int, order: ListingOrder, count: PageCount, rows: int) -> Options:
    """Return one reading; what the matrix leaves open changes with it."""
    past_end = list(Past)[(base + rows) % 3]
    counts = [PageCounts.NUMBERS, PageCounts.STRINGS][rows % 2]
    return SEQUENCE_READING.replace(
        ids=ids, page_base=base, order=order, page_count=count, past_end=past_end, counts=counts
    )


def bodies(here: World) -> list[str]:
    return sorted(one.row.subject for one in here.simulator.inbox(ADDRESS))


async def shown(here: World) -> list[str]:
    texts = (await here.messages()).values()
    return sorted(text.split("token ")[1].split(" end")[0] for text in texts)


def arrive(here: World, number: int) -> None:
    here.simulator.inject(
        ADDRESS, subject=f"{number:06}", body=f"token {number:06} end", at=here.clock.now()
    )


async def fill(here: World, rows: int) -> None:
    for number in range(rows):
        arrive(here, number)
        await here.clock.advance(60)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("count", PageCount)
@pytest.mark.parametrize("order", ListingOrder)
@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("ids", Ids)
async def test_every_message_is_read_exactly_once(
    tmp_path: Path, ids: Ids, base: int, order: ListingOrder, count: PageCount, rows: int
) -> None:
    async with world(tmp_path, reading(ids, base, order, count, rows)) as here:
        await fill(here, rows)
        assert await here.sync_now() == rows
        assert await shown(here) == bodies(here)
        assert here.made(Operation.INBOX_GET) == rows


@pytest.mark.parametrize(("base", "rows"), [(0, 130), (1, 26)])
@pytest.mark.parametrize("order", ListingOrder)
@pytest.mark.parametrize("ids", Ids)
async def test_rows_that_come_and_go_between_pages_are_not_missed(
    tmp_path: Path, ids: Ids, base: int, order: ListingOrder, rows: int
) -> None:
    async with world(tmp_path, reading(ids, base, order, PageCount.CEIL, rows)) as here:
        await fill(here, rows)
        for request in (2, 4, 9):
            here.surprises[request] = partial(arrive, here, 900_000 + request)
        for request in (3, 5, 6, 11):
            here.surprises[request] = partial(vanish, here, request / 12)
        for _ in range(4):
            await here.sync_now()
        assert await shown(here) == bodies(here)


def vanish(here: World, where: float) -> None:
    listed = here.simulator.inbox(ADDRESS)
    if listed:
        here.simulator.delete(ADDRESS, listed[int(where * len(listed))].row)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [0, 1, 25, 26, 130])
@pytest.mark.parametrize("past_end", Past)
@pytest.mark.parametrize("counts", PageCounts)
@pytest.mark.parametrize("order", ListingOrder)
@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("ids", Ids)
async def test_every_message_is_read_whatever_the_counts_and_the_page_past_the_end(
    tmp_path: Path,
    ids: Ids,
    base: int,
    order: ListingOrder,
    counts: PageCounts,
    past_end: Past,
    rows: int,
) -> None:
    options = reading(ids, base, order, PageCount.CEIL, rows)
    async with world(tmp_path, options.replace(counts=counts, past_end=past_end)) as here:
        await fill(here, rows)
        assert await here.sync_now() == rows
        assert await shown(here) == bodies(here)
        assert here.made(Operation.INBOX_GET) == rows


@pytest.mark.parametrize("order", ListingOrder)
@pytest.mark.parametrize("ids", Ids)
async def test_more_twins_than_a_page_has_rows_are_read_exactly_once(
    tmp_path: Path, ids: Ids, order: ListingOrder
) -> None:
    await read_twins(tmp_path, reading(ids, 1, order, PageCount.CEIL, 26), 61)


@pytest.mark.slow
@pytest.mark.parametrize("past_end", Past)
@pytest.mark.parametrize("counts", PageCounts)
@pytest.mark.parametrize("order", ListingOrder)
@pytest.mark.parametrize("ids", Ids)
async def test_more_twins_than_a_page_has_rows_whatever_counts_and_ends_the_list(
    tmp_path: Path, ids: Ids, order: ListingOrder, counts: PageCounts, past_end: Past
) -> None:
    options = reading(ids, 0, order, PageCount.CEIL, 26)
    await read_twins(tmp_path, options.replace(counts=counts, past_end=past_end), 90)


async def read_twins(tmp_path: Path, options: Options, count: int) -> None:
    """Read twins amid other rows, and then some more of them."""
    async with world(tmp_path, options) as here:
        await fill(here, 10)
        at = here.clock.now()

        def twins(first: int, last: int) -> None:
            for number in range(first, last):
                body = f"token {number:06} end"
                here.simulator.inject(ADDRESS, subject="CONSEGNA: a molti", body=body, at=at)

        twins(100, 100 + count)
        await here.sync_now()
        twins(500, 503)
        for _ in range(3):
            await here.clock.advance(90_000)
            await here.sync_now()
        texts = sorted(one.row.text for one in here.simulator.inbox(ADDRESS))
        assert [f"token {text} end" for text in await shown(here)] == texts
        assert len(texts) == count + 13
