from __future__ import annotations

import asyncio

from bridge.imapserver.background import LIMIT, Background


async def test_what_is_over_the_limit_is_left_undone() -> None:
    background = Background()
    go = asyncio.Event()
    done: list[int] = []

    async def work(number: int) -> None:
        await go.wait()
        done.append(number)

    for number in range(LIMIT + 3):
        background.start(work(number))
    go.set()
    await background.finish()
    assert done == list(range(LIMIT))
    background.start(work(LIMIT))
    await background.finish()
    assert done[-1] == LIMIT
