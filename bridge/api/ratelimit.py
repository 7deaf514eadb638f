"""How often the API may be asked to send; for reads see ``budget``.

``SendPacer`` spaces the *starts* of ``POST /send`` at least ``interval_s`` apart over all
accounts that share a token, whoever sends and however long an answer takes. Making ready (a
commit, a connection) happens a little ahead of the slot, so the pace loses nothing to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from bridge.clock import Clock

Start = Callable[[], Awaitable[None]]
"""Waits for the slot itself, then marks it as used; later calls do nothing."""

LEAD_S = 0.05
"""How long before its slot a turn is given, for the commit and the connection."""


class SendPacer:
    """Gives turns to send, one at a time, in the order they were asked for.

    Usage::

        async with pacer.turn() as start:
            ...commit that the send begins...
            answer = await client.send(request, start=start)

    ``PecClient.send`` awaits ``start`` just before the first byte of the request. The next turn is
    given ``interval_s`` (less the lead) after that, or at once when the block ends without it:
    a request that never started needs no distance.

    Args:
        clock: for waiting.
        interval_s: least distance between two starts.
        last_start: the newest start before this process, from the store's attempts.

    Raises:
        ValueError: ``interval_s`` is negative.
    """

    def __init__(self, clock: Clock, interval_s: float, last_start: datetime | None = None) -> None:
        if interval_s < 0:
            raise ValueError("an interval is not negative")
        self._clock = clock
        self._interval_s = interval_s
        self._turns = asyncio.Lock()
        self._next_start_s = clock.monotonic()
        if last_start is not None:
            # The wall clock may have been set back meanwhile: never wait more than one interval.
            passed_s = (clock.now() - last_start).total_seconds()
            self._next_start_s += min(max(interval_s - passed_s, 0.0), interval_s)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Start]:
        """Wait for a turn; hold it until the send started or the block ended."""
        await self._turns.acquire()
        holding = True

        def give_back() -> None:
            nonlocal holding
            if holding:
                holding = False
                self._turns.release()

        async def start() -> None:
            if holding:
                await self._wait_until(self._next_start_s)
                self._next_start_s = self._clock.monotonic() + self._interval_s
                give_back()

        try:
            await self._wait_until(self._next_start_s - LEAD_S)
            yield start
        finally:
            give_back()

    async def _wait_until(self, moment_s: float) -> None:
        while (wait_s := moment_s - self._clock.monotonic()) > 0:
            await self._clock.sleep(wait_s)
