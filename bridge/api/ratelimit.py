"""How often the API may be asked: the pace of sends, and the day's budget of reads.

``SendPacer`` spaces the *starts* of ``POST /send`` at least ``interval_s`` apart over all
accounts that share a token, whoever sends and however long an answer takes. Making ready (a
commit, a connection) happens a little ahead of the slot, so the pace loses nothing to it.

``RequestBudget`` counts reads per account and day (Europe/Rome), over restarts. It writes its
count ahead in steps, so that a crash can only make it count too much, never too little.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Protocol

from bridge.api.errors import NotSent
from bridge.clock import ROME, Clock

Start = Callable[[], Awaitable[None]]
"""Waits for the slot itself, then marks it as used; later calls do nothing."""

LEAD_S = 0.05
"""How long before its slot a turn is given, for the commit and the connection."""

LEDGER_STEP = 10
"""Requests written down ahead: one commit for ten reads; a crash loses at most these."""


class SendPacer:
    """Gives turns to send, one at a time, in the order they were asked for.

    Usage::

        async with pacer.turn() as start:
            ...commit that the send begins...
            answer = await client.send(request, start=start)

    ``client.send`` awaits ``start`` just before the first byte of the request. The next turn is
    given ``interval_s`` (less the lead) after that, or at once when the block ends without it:
    a request that never started needs no distance.

    Args:
        clock: for waiting.
        interval_s: least distance between two starts.
        last_start: the newest start before this process, from the store's attempts.
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


class RequestLedger(Protocol):
    """Where the day's count of an account survives a restart."""

    async def load(self, day: date) -> int:
        """Return the count written down for ``day``, 0 if there is none."""

    async def save(self, day: date, count: int) -> None:
        """Write down ``count`` for ``day``; older days may be forgotten."""


class RequestBudget:
    """The reads one account may make today.

    Args:
        clock: tells the day, in Europe/Rome.
        per_day: reads per day.
        ledger: keeps the count; None counts in memory only.
    """

    def __init__(self, clock: Clock, per_day: int, ledger: RequestLedger | None = None) -> None:
        if per_day < 1:
            raise ValueError("a budget allows at least one request a day")
        self.per_day = per_day
        self._clock = clock
        self._ledger = ledger
        self._day: date | None = None
        self._used = 0
        self._written = 0
        self._lock = asyncio.Lock()

    async def spend(self) -> None:
        """Take one read from today's budget.

        Raises:
            NotSent: kind "budget", with the seconds until the next day begins.
        """
        async with self._lock:
            await self._open_day()
            if self._used >= self.per_day:
                raise NotSent(
                    f"Today's budget of {self.per_day} requests is used up.",
                    kind="budget",
                    retry_after_s=self.day_left_s(),
                )
            self._used += 1
            if self._ledger is not None and self._used > self._written and self._day is not None:
                ahead = min(self._used + LEDGER_STEP - 1, self.per_day)
                await self._ledger.save(self._day, ahead)
                self._written = ahead

    async def remaining(self) -> int:
        """Return how many reads are left today."""
        async with self._lock:
            await self._open_day()
            return self.per_day - self._used

    def day_left_s(self) -> float:
        """Return the seconds until the budget is whole again: the next midnight in Rome."""
        now = self._clock.now()
        tomorrow = now.astimezone(ROME).date() + timedelta(days=1)
        midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=ROME)
        return max((midnight - now).total_seconds(), 0.0)

    async def _open_day(self) -> None:
        today = self._clock.now().astimezone(ROME).date()
        if today == self._day:
            return
        written = await self._ledger.load(today) if self._ledger is not None else 0
        self._day, self._used, self._written = today, min(written, self.per_day), written
