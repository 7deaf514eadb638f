"""Whose turn it is: small ones beside large ones, and owners one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bridge.apart.turns import OwnersTurns

SMALL, LARGE = 10, 11


class Here:
    """Work that is waiting or has its turn, by name, each until it is ended."""

    def __init__(self) -> None:
        self._turns = OwnersTurns(SMALL)
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.working: list[str] = []

    async def begin(self, name: str, size_bytes: int) -> None:
        self._ends[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._work(name, size_bytes))
        await settled()

    async def _work(self, name: str, size_bytes: int) -> None:
        async with self._turns.taken(name.partition(" ")[0], size_bytes):
            self.working.append(name)
            try:
                await self._ends[name].wait()
            finally:
                self.working.remove(name)

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await settled()

    async def cancel(self, name: str) -> None:
        self._tasks[name].cancel()
        await settled()

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    made = Here()
    yield made
    await made.close()


async def test_small_ones_do_not_wait_for_large_ones(here: Here) -> None:
    await here.begin("a 1", LARGE)
    await here.begin("a 2", LARGE)
    await here.begin("a 3", SMALL)
    assert here.working == ["a 1", "a 3"]
    await here.begin("a 4", SMALL)
    assert here.working == ["a 1", "a 3"]
    await here.end("a 3")
    assert here.working == ["a 1", "a 4"]
    await here.end("a 1")
    assert here.working == ["a 4", "a 2"]


async def test_owners_take_turns(here: Here) -> None:
    for name in ("a 1", "a 2", "a 3", "b 1", "c 1", "b 2"):
        await here.begin(name, LARGE)
    order = []
    while here.working:
        (name,) = here.working
        order.append(name)
        await here.end(name)
    assert order == ["a 1", "a 2", "b 1", "c 1", "a 3", "b 2"]


async def test_who_goes_leaves_no_turn_taken(here: Here) -> None:
    await here.begin("a 1", LARGE)
    await here.begin("b 1", LARGE)
    await here.begin("c 1", LARGE)
    await here.cancel("b 1")  # while waiting
    assert here.working == ["a 1"]
    await here.cancel("a 1")  # while working
    assert here.working == ["c 1"]


async def test_who_goes_as_his_turn_comes_leaves_it_to_the_next() -> None:
    turns = OwnersTurns(SMALL)
    first = turns.taken("a", LARGE)
    await first.__aenter__()
    tasks = [asyncio.create_task(turns.taken(name, LARGE).__aenter__()) for name in "bc"]
    await settled()
    await first.__aexit__(None, None, None)
    tasks[0].cancel()
    await asyncio.wait(tasks[1:], timeout=5)
    assert tasks[0].cancelled()
    assert tasks[1].done()
