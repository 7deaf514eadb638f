"""When what sync knows of an account is written down."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bridge.simulator import SEQUENCE_READING
from bridge.sync.memory import KEEP_EVERY, AccountMemory
from bridge.sync.state import SyncState
from tests.sync.world import World, world


async def kept(here: World) -> SyncState:
    """Return what a restart would find."""
    memory = AccountMemory(here.store, here.account)
    await memory.load()
    return memory.state


async def test_what_changes_at_every_look_alone_is_written_down_now_and_then(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        memory, now = AccountMemory(here.store, here.account), here.clock.now()
        memory.remember(SyncState(last_sync=now))
        await memory.keep()
        first = memory.state
        later = now + KEEP_EVERY - timedelta(seconds=1)
        arrivals = first.arrivals.seen([later], later)
        memory.remember(replace(first, last_sync=later, arrivals=arrivals))
        await memory.keep()
        assert await kept(here) == first
        memory.remember(replace(memory.state, last_sync=now + KEEP_EVERY))
        await memory.keep()
        assert await kept(here) == memory.state


async def test_what_else_changes_is_written_down_at_once(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        memory, now = AccountMemory(here.store, here.account), here.clock.now()
        memory.remember(SyncState(last_sync=now))
        await memory.keep()
        memory.remember(replace(memory.state, total=7))
        await memory.keep()
        assert await kept(here) == memory.state
