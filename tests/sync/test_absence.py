"""What passes over the whole listing prove about what they lack, where the API tells no total."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.simulator import SEQUENCE_READING, Ids
from bridge.sync.absence import Absence
from bridge.sync.paging import Snapshot
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
            absence.remember(alignment, page.number)
            await absence.judge_all(None)
        doubt = parts.memory.doubts.get(page.rows[0].fingerprint)
        assert (None if doubt is None else doubt.listed) == counted
