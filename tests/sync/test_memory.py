"""When what sync knows of an account is written down."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bridge.simulator import SEQUENCE_READING
from bridge.sync.memory import KEEP_EVERY, AccountMemory, Doubt
from bridge.sync.paging import Layout
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


NEWEST_FIRST = Layout(base=1, size=25, newest_first=True, descending=True, single=False)


def test_pages_of_what_is_in_doubt_follow_what_comes_before_them() -> None:
    doubt = Doubt()
    doubt.keep_up(NEWEST_FIRST, 100)
    doubt.pages = {1: frozenset("a"), 2: frozenset("b")}
    doubt.keep_up(NEWEST_FIRST, 120)
    assert doubt.pages == {1: frozenset("a"), 2: frozenset("b")}
    doubt.keep_up(NEWEST_FIRST, 160)
    assert doubt.pages == {3: frozenset("a"), 4: frozenset("b")}
    doubt.keep_up(NEWEST_FIRST, None)
    doubt.keep_up(NEWEST_FIRST, 165)
    assert doubt.pages == {3: frozenset("a"), 4: frozenset("b")}
    doubt.keep_up(NEWEST_FIRST, 80)
    assert doubt.pages == {1: frozenset("a"), 2: frozenset("b")}
    doubt.keep_up(NEWEST_FIRST, 60)
    assert doubt.pages == {1: frozenset("ab")}


def test_pages_that_begin_with_the_oldest_row_stay() -> None:
    doubt, oldest_first = Doubt(), replace(NEWEST_FIRST, newest_first=False)
    doubt.keep_up(oldest_first, 100)
    doubt.pages = {4: frozenset("a")}
    doubt.keep_up(oldest_first, 400)
    assert doubt.pages == {4: frozenset("a")}
