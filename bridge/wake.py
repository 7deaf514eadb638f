"""Waiting: for a call, which saves time and on which nothing depends, or for the first to end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from bridge.clock import Clock


class Wake:
    """A wake-up call for whoever waits; a call too many or too few does no harm."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def call(self) -> None:
        """Wake the waiter, now or when it next waits."""
        self._event.set()

    async def wait(self) -> None:
        """Wait for a call, then forget it."""
        await self._event.wait()
        self._event.clear()


async def rest(wake: Wake, clock: Clock, duration_s: float) -> None:
    """Wait for a call, at most ``duration_s``."""
    tasks = (asyncio.ensure_future(wake.wait()), asyncio.ensure_future(clock.sleep(duration_s)))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)  # not the tasks: their end must not pass for the waiter's own


async def first_of(*awaitables: Coroutine[Any, Any, Any]) -> None:
    """Wait for the first to end, and raise what it raised; the others are cancelled."""
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
