"""Bytes in memory are given in turn."""

from __future__ import annotations

import asyncio

from bridge.allowance import Allowance


class Holder:
    """Takes so many bytes until it is told to go."""

    def __init__(self, allowance: Allowance, size_bytes: int) -> None:
        self.has = False
        self._go = asyncio.Event()
        self.task = asyncio.create_task(self._hold(allowance, size_bytes))

    async def _hold(self, allowance: Allowance, size_bytes: int) -> None:
        async with allowance.taken(size_bytes):
            self.has = True
            await self._go.wait()

    async def go(self) -> None:
        self._go.set()
        await self.task


async def rest() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_is_given_than_there_is_and_nobody_is_overtaken() -> None:
    allowance = Allowance(100)
    first, second, third = (Holder(allowance, size) for size in (60, 60, 10))
    await rest()
    assert (first.has, second.has, third.has) == (True, False, False)
    await first.go()
    await rest()
    assert (second.has, third.has, allowance.used_bytes) == (True, True, 70)
    await second.go()
    await third.go()
    assert allowance.used_bytes == 0


async def test_too_much_is_given_to_one_who_is_alone() -> None:
    allowance = Allowance(100)
    large, small = Holder(allowance, 1000), Holder(allowance, 1)
    await rest()
    assert (large.has, small.has) == (True, False)
    await large.go()
    await rest()
    assert small.has
    await small.go()


async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    allowance = Allowance(100)
    first, second, third = (Holder(allowance, size) for size in (60, 60, 40))
    await rest()
    second.task.cancel()
    await rest()
    assert third.has
    await first.go()
    await third.go()
    assert allowance.used_bytes == 0


async def test_who_is_cancelled_as_its_turn_comes_takes_nothing() -> None:
    allowance = Allowance(100)
    first, second = Holder(allowance, 60), Holder(allowance, 60)
    await rest()
    first._go.set()
    await asyncio.sleep(0)
    second.task.cancel()
    await asyncio.gather(first.task, second.task, return_exceptions=True)
    assert allowance.used_bytes == 0
