"""The hours of a day in Rome: what each is worth of the day's requests. Pure.

An hour of the night is worth a part of one by day, and hours that are known to be busy what they
need. The *watch* are the looks that it takes to keep an inbox in sight until midnight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bridge.clock import ROME

MORNING, NIGHT = time(7), time(22)

NIGHT_WEIGHT = 0.25
"""An hour before ``MORNING`` or after ``NIGHT``, in Rome, is worth so much of one of the day: mail
comes and is read by day, and what nights save is there when much comes at once."""

WATCH_DAY_S, WATCH_NIGHT_S = 720.0, 2_700.0

WATCH_DAY = (MORNING, time(22, 15))
"""Whatever came before, looks come so often until midnight. A quarter of an hour by day, the last
one before ``NIGHT`` too, and an hour by night are not to pass without one."""

UNLIMITED = 0

HOUR = timedelta(hours=1)

LEAST_OTHER = 0.25
"""The part of a day's requests that is shared out evenly whatever the hours are known to need."""


def worth_of(per_day: int, needs: Sequence[float]) -> tuple[float, ...]:
    """Return what each hour of a day is worth: what it needs, and its part of all other requests.

    These are a quarter of the day's at the least: looks go on at every hour.
    """
    is_day = [MORNING.hour <= hour < NIGHT.hour for hour in range(24)]
    plain = [1.0 if one else NIGHT_WEIGHT for one in is_day]
    if per_day == UNLIMITED or not sum(needs):
        return tuple(plain)
    other = max(per_day - sum(needs), LEAST_OTHER * per_day) / sum(plain)
    return tuple(need + other * one for need, one in zip(needs, plain, strict=True))


@dataclass(frozen=True, slots=True)
class Hours:
    """A day's hours in Rome, and where in them it is now."""

    begin: datetime
    now: datetime
    end: datetime

    def share(self, worth: Sequence[float]) -> float:
        """Return the part of a day that is left by the worth of its hours."""
        whole = left = 0.0
        at = self.begin
        while at < self.end:
            next_at = min(at + HOUR, self.end)
            value = worth[at.astimezone(ROME).hour]
            whole += value * ((next_at - at) / HOUR)
            left += value * (max(next_at - max(at, self.now), timedelta()) / HOUR)
            at = next_at
        return left / whole

    def watch(self) -> float:
        """Return how many looks keep the inbox in sight until the day ends."""
        today = self.begin.astimezone(ROME).date()
        first, last = (datetime.combine(today, at, ROME) for at in WATCH_DAY)
        left_s = max((self.end - self.now).total_seconds(), 0.0)
        day_s = max((last - max(self.now, first)).total_seconds(), 0.0)
        return day_s / WATCH_DAY_S + (left_s - day_s) / WATCH_NIGHT_S

    def pace(self, worth: Sequence[float]) -> float:
        """Return how fast that falls now, 1 where all hours are worth the same."""
        hours = (self.end - self.begin) / HOUR
        starts = (self.begin + number * HOUR for number in range(round(hours)))
        whole = sum(worth[at.astimezone(ROME).hour] for at in starts)
        now = min(max(self.now, self.begin), self.end)
        return worth[now.astimezone(ROME).hour] * hours / whole


def until_night_h(at: datetime) -> float:
    """Return the hours that are left of the day before ``NIGHT``, 0 from then on."""
    local = at.astimezone(ROME)
    night = datetime.combine(local.date(), NIGHT, ROME)
    return max((night - local) / HOUR, 0.0)


def watch_s(at: datetime) -> float:
    """Return how far apart looks may be at the most."""
    begin, end = WATCH_DAY
    return WATCH_DAY_S if begin <= at.astimezone(ROME).time() < end else WATCH_NIGHT_S


def midnight(day: date) -> datetime:
    """Return the moment a day begins in Rome, in UTC: days with a clock change are 23 or 25 h."""
    local = datetime(day.year, day.month, day.day, tzinfo=ROME)
    return local.astimezone(UTC)
