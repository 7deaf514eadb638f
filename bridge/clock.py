"""Time as a parameter: everything that waits or stamps takes a ``Clock``.

Nothing else in the package may call ``datetime.now``, ``time.monotonic`` or ``asyncio.sleep``
to decide something; tests pass a clock that they move by hand.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

ROME = ZoneInfo("Europe/Rome")
"""The zone of the plan's day, of the request budget and of dates the API gives without one."""


class Clock(Protocol):
    """What a component may ask about time."""

    def now(self) -> datetime:
        """Return the wall clock, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for intervals."""

    async def sleep(self, duration_s: float) -> None:
        """Wait ``duration_s`` seconds; zero or less only yields."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the wall clock, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for intervals."""
        return time.monotonic()

    async def sleep(self, duration_s: float) -> None:
        """Wait ``duration_s`` seconds; zero or less only yields."""
        await asyncio.sleep(max(duration_s, 0))
