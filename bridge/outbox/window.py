"""The hours of the day in which messages leave, and when each that waits is expected to.

Pure. Hours are Rome's, and a day with a clock change is as long as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from bridge.clock import ROME
from bridge.outbox.plan import Plan


@dataclass(frozen=True, slots=True)
class Window:
    """From ``begin`` up to ``end``, over midnight if that is earlier; all day if they are equal."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Window:
        """Return ``HH:MM-HH:MM`` as a window; "" is all day.

        Raises:
            ValueError: it is neither.
        """
        if not text:
            return ALL_DAY
        begin, _, end = text.partition("-")
        return cls(time.fromisoformat(begin), time.fromisoformat(end))

    def __str__(self) -> str:
        """Return it as in the settings."""
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"

    def is_open(self, at: datetime) -> bool:
        """Tell whether messages may leave then."""
        now = at.astimezone(ROME).time()
        if self.begin == self.end:
            return True
        if self.begin < self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end

    def next_open(self, at: datetime) -> datetime:
        """Return the first moment from then on at which messages may leave."""
        if self.is_open(at):
            return at
        day = at.astimezone(ROME).date()
        while True:
            begin = datetime.combine(day, self.begin, ROME)
            if begin > at:
                return begin
            day += timedelta(days=1)

    def opened(self, at: datetime) -> datetime | None:
        """Return when the window that is open then opened; None if none ever closes."""
        if self.begin == self.end:
            return None
        day = at.astimezone(ROME).date()
        begin = datetime.combine(day, self.begin, ROME)
        return begin if begin <= at else datetime.combine(day - timedelta(days=1), self.begin, ROME)


ALL_DAY = Window(time(0), time(0))


@dataclass(frozen=True, slots=True)
class SendingPace:
    """How messages leave: ``interval_s`` apart, within ``window``, so many as ``plan`` allows."""

    interval_s: float
    plan: Plan
    window: Window = ALL_DAY


def expected(
    recipients: Iterable[int], pace: SendingPace, begin: datetime, counted: int
) -> Iterator[datetime]:
    """Yield when each of some waiting messages is expected to leave, if nothing hinders it.

    Args:
        recipients: of each, in the order in which they leave.
        pace: how they leave.
        begin: when the first may.
        counted: what the plan's period has counted by then.
    """
    at, until = begin, pace.plan.next_period(begin)
    for count in recipients:
        at = pace.window.next_open(at).astimezone(UTC)
        if at >= until:
            until, counted = pace.plan.next_period(at), 0
        if counted + count > pace.plan.limit:
            at, counted = pace.window.next_open(until).astimezone(UTC), 0
            until = pace.plan.next_period(at)
        yield at
        counted += count
        at += timedelta(seconds=pace.interval_s)
