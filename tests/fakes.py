"""Stand-ins for what enters through parameters: time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from bridge.clock import JumpAware


class FakeClock(JumpAware):
    """A clock that stands still until ``advance``; sleepers wake in order of their deadlines.

    ``wrong_by`` is how far the time of day is off; no sleeper notices when it changes. ``rest`` is
    what is waited for before time goes on: that what the sleepers woke for is done.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)) -> None:
        self._start = start
        self.rest: Callable[[], Awaitable[None]] = settle
        self._elapsed_s = 0.0
        self.wrong_by = timedelta(0)
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s) + self.wrong_by

    def monotonic(self) -> float:
        return self._elapsed_s

    async def sleep(self, duration_s: float) -> None:
        if duration_s <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        entry = (self._elapsed_s + duration_s, next(self._order), future)
        heapq.heappush(self._sleepers, entry)
        await future

    @property
    def next_wake_s(self) -> float | None:
        """Seconds until the first sleeper is due; None when nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] - self._elapsed_s if self._sleepers else None

    async def advance(self, duration_s: float) -> None:
        """Let ``duration_s`` pass, waking sleepers one deadline at a time."""
        end_s = self._elapsed_s + duration_s
        while True:
            await self.rest()
            wake_s = self.next_wake_s
            if wake_s is None or self._elapsed_s + wake_s > end_s:
                break
            self._elapsed_s += wake_s
            heapq.heappop(self._sleepers)[2].set_result(None)
        self._elapsed_s = end_s
        await self.rest()


class Skewed(JumpAware):
    """The clock of somebody else: the same seconds, another time of day, ``by`` ahead of ours."""

    def __init__(self, clock: FakeClock, by: timedelta) -> None:
        self._clock = clock
        self._by = by

    def now(self) -> datetime:
        return self._clock.now() + self._by

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, duration_s: float) -> None:
        await self._clock.sleep(duration_s)


async def settle(turns: int = 20) -> None:
    """Give every task that is ready the turns it needs to reach its next wait."""
    for _ in range(turns):
        await asyncio.sleep(0)
