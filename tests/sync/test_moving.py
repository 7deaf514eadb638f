"""Rows that come and go between the pages of a first look, and what is made up for afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from bridge.simulator import SEQUENCE_READING, Ids, ListingOrder
from tests.selected import some
from tests.sync.world import ADDRESS, World, world

CHANGES = 20
"""Changes at the API within the first 200 requests."""


def fill(here: World, rows: int, random: Random) -> None:
    """Put rows into the inbox, every tenth like the one before it in all that is listed."""
    first = here.clock.now() - timedelta(days=3)
    for number in range(rows):
        twin = number - 1 if number % 10 == 3 else number
        text = random.choice([number, twin])
        here.simulator.inject(
            ADDRESS,
            subject=f"POSTA CERTIFICATA: Row {twin}",
            body=f"Text {text}.",
            at=first + timedelta(minutes=twin),
        )


def changes(here: World, random: Random) -> Callable[[], None]:
    """Return what lets one row come or go."""
    numbers = iter(range(1000, 2000))

    def change() -> None:
        if random.random() < 0.5:
            number = next(numbers)
            here.simulator.inject(
                ADDRESS, subject=f"POSTA CERTIFICATA: New {number}", body=f"Text {number}."
            )
        else:
            row = random.choice(here.simulator.inbox(ADDRESS)).row
            here.simulator.delete(ADDRESS, row)

    return change


def texts(messages: list[str]) -> Counter[str]:
    return Counter(text[text.index("Text ") :].split(".")[0] for text in messages)


@pytest.mark.parametrize("order", ListingOrder)
@pytest.mark.parametrize("ids", Ids)
@pytest.mark.parametrize("seed", some([10, 1, 9], 1))
async def test_rows_that_move_under_a_pass_are_made_up_for(
    tmp_path: Path, ids: Ids, order: ListingOrder, seed: int
) -> None:
    random = Random(seed)
    size = random.choice([5, 25])
    reading = SEQUENCE_READING.replace(ids=ids, order=order, page_size=size)
    async with world(tmp_path, reading) as here:
        fill(here, random.choice([60, 130]), random)
        change = changes(here, random)
        here.surprises.update(dict.fromkeys(random.sample(range(1, 200), CHANGES), change))
        while here.surprises:
            await here.sync_now()
        for _ in range(3):
            await here.clock.advance(timedelta(minutes=2).total_seconds())
            await here.sync_now()
        there = texts([one.row.text for one in here.simulator.inbox(ADDRESS)])
        assert texts(list((await here.messages()).values())) == there
