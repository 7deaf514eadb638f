"""One account's sync: what a call for it does beside the rounds that run by themselves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.simulator import SEQUENCE_READING
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
