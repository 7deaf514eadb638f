"""Time as a parameter: everything that waits or stamps takes a ``Clock``.

Nothing else in the package may call ``datetime.now``, ``time.monotonic`` or ``asyncio.sleep``
to decide something; tests pass a clock that they move by hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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

    def earliest(self) -> datetime:
        """Return the earliest that it may be, aware: by this is judged what may be forgotten.

        It is ``now`` unless the wall clock ran ahead of the seconds that went by.
        """

    def heard(self, at: datetime) -> None:
        """Take note of what somebody else's clock says that it is, aware."""

    def ahead(self) -> timedelta | None:
        """Return by how much ``now`` is ahead of what was heard; None if nothing was."""


TOLERATED = timedelta(minutes=10)
"""Clocks differ by minutes, and are set right by minutes; nothing depends on so little."""


class JumpAware:
    """The part of a clock that notices when the time of day jumps; for clocks to inherit.

    It goes by the seconds that went by since something was known: what another clock said last, or
    else the time of day when it was first asked. While the machine sleeps no seconds go by, so
    after that ``earliest`` lags behind until somebody is heard.
    """

    _known: tuple[datetime, float] | None = None
    _was_heard = False

    def now(self) -> datetime:
        """See ``Clock``."""
        raise NotImplementedError

    def monotonic(self) -> float:
        """See ``Clock``."""
        raise NotImplementedError

    def earliest(self) -> datetime:
        """See ``Clock``."""
        now, by_seconds = self.now(), self._by_seconds()
        return by_seconds if now - by_seconds > TOLERATED else now

    def heard(self, at: datetime) -> None:
        """See ``Clock``."""
        self._known, self._was_heard = (at, self.monotonic()), True

    def ahead(self) -> timedelta | None:
        """See ``Clock``."""
        return self.now() - self._by_seconds() if self._was_heard else None

    def _by_seconds(self) -> datetime:
        if self._known is None:
            self._known = (self.now(), self.monotonic())
        at, known_s = self._known
        return at + timedelta(seconds=self.monotonic() - known_s)


class SystemClock(JumpAware):
    """The machine's own clock."""

    def __init__(self) -> None:
        self._by_seconds()

    def now(self) -> datetime:
        """Return the wall clock, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for intervals."""
        return time.monotonic()

    async def sleep(self, duration_s: float) -> None:
        """Wait ``duration_s`` seconds; zero or less only yields."""
        await asyncio.sleep(max(duration_s, 0))


class MovableClock(SystemClock):
    """The machine's clock, which a person may move on: a demo's, so that hours need not be waited.

    Whoever sleeps by it is woken when their time has come by it. What other clocks say is taken to
    have moved along.
    """

    def __init__(self) -> None:
        self._moved_s = 0.0
        self._sleepers: set[asyncio.Event] = set()
        super().__init__()

    def now(self) -> datetime:
        """Return the wall clock with what it was moved on by."""
        return super().now() + timedelta(seconds=self._moved_s)

    def monotonic(self) -> float:
        """Return seconds that never run backwards, for intervals."""
        return super().monotonic() + self._moved_s

    def heard(self, at: datetime) -> None:
        """See ``Clock``."""
        super().heard(at + timedelta(seconds=self._moved_s))

    async def sleep(self, duration_s: float) -> None:
        """Wait until ``duration_s`` seconds have gone by on this clock."""
        until_s = self.monotonic() + duration_s
        moved = asyncio.Event()
        self._sleepers.add(moved)
        try:
            await asyncio.sleep(0)
            while (left_s := until_s - self.monotonic()) > 0:
                moved.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(moved.wait(), left_s)
        finally:
            self._sleepers.discard(moved)

    def move(self, by: timedelta) -> None:
        """Move on; a clock that went back would undo what was promised by it.

        Raises:
            ValueError: that is asked for.
        """
        if by < timedelta():
            raise ValueError("a clock is moved on, not back")
        self._moved_s += by.total_seconds()
        if self._known is not None:
            at, known_s = self._known
            self._known = (at + by, known_s + by.total_seconds())
        for one in self._sleepers:
            one.set()


JITTER = 0.25
"""Half the width of the spread round a wait, as a part of it."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double, from ``first_s`` to ``last_s`` seconds."""

    first_s: float
    last_s: float

    def wait_s(self, before: int) -> float:
        """Return the wait that comes after so many."""
        return min(self.first_s * 2.0 ** min(before, 64), self.last_s)


def spread_s(wait_s: float, retry_after_s: float | None, chance: float) -> float:
    """Return a wait as one of many asks for it, so that they do not all come at once.

    Args:
        wait_s: what is meant, in seconds.
        retry_after_s: what was asked for; the wait is never shorter. None for nothing.
        chance: a random number in [0, 1).
    """
    spread_s = wait_s * (1 - JITTER + 2 * JITTER * chance)
    return spread_s if retry_after_s is None else max(spread_s, retry_after_s + chance)


def rfc3339(at: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC, to the millisecond; None for none."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
