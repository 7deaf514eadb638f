"""However many have long work, the loop does a piece of it each time round."""

from __future__ import annotations

import asyncio

from bridge.net.turnstile import Turnstile
from tests.costs.measure import others


async def test_one_passes_each_turn_of_the_loop_in_the_order_they_came() -> None:
    turnstile = Turnstile()
    passed: list[tuple[int, int]] = []

    async def work(name: int) -> None:
        for _ in range(3):
            await turnstile.passed()
            passed.append((turns.count, name))

    async with others() as turns:
        await asyncio.gather(*(work(name) for name in range(50)))
    assert len({turn for turn, _ in passed}) == len(passed) == 150
    assert [name for _, name in passed] == [*range(50)] * 3


async def test_who_goes_holds_up_nobody() -> None:
    turnstile = Turnstile()
    tasks = [asyncio.create_task(turnstile.passed()) for _ in range(4)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[2].cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks, return_exceptions=True)
        await turnstile.passed()
    assert [task.cancelled() for task in tasks] == [True, False, True, False]
