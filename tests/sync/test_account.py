"""One account's sync: what a call for it does beside the rounds that run by themselves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.api.budget import Use
from bridge.api.purpose import Purpose
from bridge.simulator import SEQUENCE_READING
from bridge.sync.demand import Arrivals, Came
from tests.sync.world import ADDRESS, world


@pytest.mark.parametrize("rows", [0, 1, 60])
async def test_a_sync_asked_for_ends_whether_or_not_there_is_anything_to_read(
    tmp_path: Path, rows: int
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here, asyncio.timeout(20):
        here.simulator.seed(ADDRESS, rows)
        assert await here.sync_now() == rows
        assert await here.sync_now() == 0
        assert len(await here.messages()) == rows


async def test_texts_that_tell_rows_alike_apart_count_as_needed(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        account = here.sync._accounts[here.account]
        memory, today = account._parts.memory, here.clock.now().date()
        memory.remember(replace(memory.state, arrivals=Arrivals({today: Came(rows=(9,) * 24)})))
        made = {Purpose.ARRIVAL: 3, Purpose.BODY: 40, Purpose.CONFIRMATION: 90, Purpose.LOOK: 200}
        account._expect(Use(today, 1440, made, frozenset()))
        assert memory.state.arrivals.days[today].texts == 43
