"""What passes over the whole listing prove about what they lack, where the API tells no total."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.simulator import SEQUENCE_READING, Ids, ListingOrder
from bridge.sync.absence import Absence, Span
from bridge.sync.paging import Snapshot
from bridge.sync.rows import Taken
from tests.sync.world import ADDRESS, world

STABLE = SEQUENCE_READING.replace(ids=Ids.STABLE)


@pytest.mark.parametrize(
    ("lacking", "counted"),
    [
        pytest.param((1, 1), 3, id="as many"),
        pytest.param((1, 2), None, id="more"),
        pytest.param((2, 1), None, id="fewer"),
        pytest.param((1, 2, 2), 2, id="as many as the one before"),
        pytest.param((2, 0, 2), None, id="all of them between"),
    ],
)
async def test_of_twins_as_many_have_to_be_lacking_in_two_passes(
    tmp_path: Path, lacking: tuple[int, ...], counted: int | None
) -> None:
    async with world(tmp_path, STABLE) as here:
        for text in "abcd":
            at = here.clock.now()
            here.simulator.inject(ADDRESS, subject="CONSEGNA: uguale", body=text, at=at)
        await here.sync_now()
        parts = here.parts()
        await parts.memory.load()
        layout = parts.memory.state.layout
        assert layout is not None
        page = await parts.asked.snapshot(layout.base, layout)
        absence = Absence(parts.asked, parts.rows, parts.filer, parts.memory, here.clock)
        for missing in lacking:
            shown = Snapshot(page.number, page.rows[missing:], None)
            alignment = replace(await parts.rows.align(shown), twins=frozenset(page.indexes))
            absence.forget()
            await absence.remember(alignment, shown)
            await absence.judge_all(None)
        doubt = parts.memory.doubts.get(page.rows[0].fingerprint)
        assert (None if doubt is None else doubt.listed) == counted


async def test_what_a_pass_has_listed_is_not_missing_though_it_is_in_doubt_which_it_is(
    tmp_path: Path,
) -> None:
    """Others deleted three: the oldest, so that each id is another's, and the two newest."""
    newest = SEQUENCE_READING.replace(page_size=2, order=ListingOrder.NEWEST)
    async with world(tmp_path, newest) as here:
        for number in range(12):
            at = here.clock.now() - timedelta(minutes=12 - number)
            here.simulator.inject(ADDRESS, subject=f"N. {number}", body=f"({number})", at=at)
        await here.sync_now()
        listed = [one.row for one in here.simulator.inbox(ADDRESS)]
        for row in (listed[0], *listed[-2:]):
            here.simulator.delete(ADDRESS, row)
        parts = here.parts()
        await parts.memory.load()
        layout = parts.memory.state.layout
        assert layout is not None
        absence = Absence(parts.asked, parts.rows, parts.filer, parts.memory, here.clock)
        for number in range(layout.base, layout.base + 4):
            page = await parts.asked.snapshot(number, layout)
            await absence.remember(await parts.rows.align(page), page)
        last = await parts.asked.snapshot(layout.base + 4, layout)
        alignment = await parts.rows.align(last)
        above = sorted(one.rank for one in await parts.rows.between(None, None))[6]
        taken = Taken(alignment, 0, None, None, frozenset())
        assert await absence.look_for(last, taken, Span(above, True, layout.base + 3))
        assert len(await here.messages()) == 11, "only the oldest is known to be gone"
