"""What enters and leaves INBOX as rows come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bridge.model import AccountId
from bridge.receipts.arrival import Arrival
from bridge.simulator import SEQUENCE_READING
from bridge.store.base import Transaction
from tests.sync.world import ADDRESS, world

ROUNDS = 20


async def nothing(tx: Transaction) -> None:
    """Wait for the turn of the one who writes."""


async def test_no_message_stays_whose_row_went_while_it_was_filed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.inject(ADDRESS, subject="Uno", body="(uno)", at=here.clock.now())
        parts = here.parts()
        await parts.memory.load()
        await parts.listing.look()
        await parts.filer.judge()
        (row,) = await parts.texts.missing(2)
        is_composed, goes_on, file = asyncio.Event(), asyncio.Event(), here.filing.file

        async def late(account: AccountId, arrivals: Sequence[Arrival]) -> int:
            is_composed.set()
            await goes_on.wait()
            return await file(account, arrivals)

        monkeypatch.setattr(here.filing, "file", late)
        filing = asyncio.ensure_future(parts.filer.file([Arrival.of(row, "(uno)")]))
        await is_composed.wait()
        going = asyncio.ensure_future(parts.filer.withdraw([row.id]))
        for _ in range(ROUNDS):  # it may go as far as it can
            await here.store.write(nothing)
        goes_on.set()
        await asyncio.gather(filing, going)
        assert await here.messages() == {}
        assert (parts.memory.live, parts.memory.filed) == (0, 0)


async def test_what_leaves_before_its_text_came_is_not_counted_as_here(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        for text in ("uno", "due"):
            here.simulator.inject(ADDRESS, subject=text, body=f"({text})", at=here.clock.now())
        parts = here.parts()
        await parts.memory.load()
        await parts.listing.look()
        await parts.filer.judge()
        rows = await parts.texts.missing(2)
        await parts.filer.file([Arrival.of(rows[0], "(uno)")])
        await parts.filer.withdraw([rows[1].id])
        assert (parts.memory.live, parts.memory.filed) == (1, 1)
        await parts.filer.withdraw([rows[0].id])
        assert (parts.memory.live, parts.memory.filed) == (0, 0)


async def test_what_left_before_leaves_no_second_time(tmp_path: Path) -> None:
    """It is counted once, and its retention runs from when it left."""
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.inject(ADDRESS, subject="Uno", body="(uno)", at=here.clock.now())
        await here.sync_now()
        parts = here.parts()
        await parts.memory.load()
        (place,) = await parts.rows.between(None, None)
        await parts.filer.withdraw([place.remote, place.remote])
        left_at = here.clock.now()
        await here.clock.advance(3_600)
        await parts.filer.withdraw([place.remote])
        row = await parts.rows.row(place.remote)
        assert row is not None
        assert row.gone_at == left_at
        assert (parts.memory.live, parts.memory.filed) == (0, 0)
