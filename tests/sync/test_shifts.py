"""Where ids are positions, what is known of a page's rows may be of different times."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.model import ARCHIVE
from bridge.simulator import SEQUENCE_READING
from bridge.store.remote import RemoteId
from bridge.sync.memory import AccountMemory
from bridge.sync.rows import Rows
from tests.sync.test_deletion import arrive, expunge
from tests.sync.world import ADDRESS, World, world

PAGE = 25


async def move_away(here: World, text: str) -> None:
    uid = next(uid for uid, raw in (await here.messages()).items() if f"({text})" in raw)
    archive = await here.mailboxes.find(here.account, ARCHIVE)
    assert archive is not None
    await here.mailboxes.move(here.inbox_id, [uid], archive)


@pytest.mark.parametrize("deletions", [1, 2])
async def test_a_row_between_two_noted_after_a_deletion_is_the_one_it_was(
    tmp_path: Path, deletions: int
) -> None:
    """The older page is not read after one of its rows was deleted, and the newer one is."""
    async with world(tmp_path, SEQUENCE_READING) as here:
        lowest, last = "0", str(deletions + 1)
        arrive(here, PAGE + int(last) + 1)
        await here.sync_now()
        await move_away(here, last)
        for number in range(1, deletions + 1):
            await expunge(here, str(number))
            await here.sync_now()
        before = await here.messages()
        assert any(f"({lowest})" in raw for raw in before.values())
        here.simulator.inject(ADDRESS, subject="nuovo", body="(nuovo)", at=here.clock.now())
        await here.clock.advance(25 * 3600.0)
        await here.sync_now()
        after = await here.messages()
        assert before.items() <= after.items()
        assert len(after) == len(before) + 1


async def rows_of(here: World) -> Rows:
    """Return what knows the rows, as after a restart."""
    memory = AccountMemory(here.store, here.account)
    await memory.load()
    return Rows(here.store, memory, here.clock)


async def turns(rows: Rows) -> list[int]:
    """Return the rows' turns, those of the newest first."""
    return [place.turn for place in await rows.between(None, None)]


async def test_what_moves_alone_is_noted_at_a_turn_of_its_own(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        arrive(here, 3)
        await here.sync_now()
        rows = await rows_of(here)
        newest, middle, oldest = [place.remote for place in await rows.between(None, None)]

        async def move(remote: RemoteId) -> None:
            await rows.move([(remote, "90")])

        await move(newest)
        assert await turns(rows) == [2, 1, 1]
        await move(middle)
        assert await turns(rows) == [2, 3, 1]
        rows = await rows_of(here)
        await move(oldest)
        assert await turns(rows) == [2, 3, 4]


async def test_all_rows_of_a_page_are_noted_at_one_turn_if_one_has_moved(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        arrive(here, 4)
        await here.sync_now()
        gone = here.simulator.inbox(ADDRESS)[1].row
        here.simulator.delete(ADDRESS, gone)
        await here.sync_now()
        rows = await rows_of(here)
        assert await turns(rows) == [2, 2, 2]
