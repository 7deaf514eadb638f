"""When in a day requests will be needed: as the busiest of the last days had it. Pure.

Rows count at the hour that they name themselves, not when they were listed here: what is late today
says all the better when requests will be wanted tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from bridge.clock import ROME

HOURS = 24
DAYS = timedelta(days=7)
"""So long a day tells about others: a week has one of each."""

LATE = timedelta(days=1)
"""A row that is older when it is first listed says nothing of how mail comes now: an import."""

LEAST_PART = 0.05
"""What an hour had so far says little of it before three minutes have passed."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came on a day: rows by hour in Rome, and texts that were fetched because needed."""

    rows: tuple[int, ...] = (0,) * HOURS
    texts: int = 0

    def needs(self, page_rows: int) -> tuple[float, ...]:
        """Return the requests that each hour's rows need, pages of so many rows and texts."""
        every = sum(self.rows)
        a_row = 1 / page_rows + min(self.texts / every, 1.0) if every else 0.0
        return tuple(count * a_row for count in self.rows)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What came on the last days."""

    days: Mapping[date, Came] = field(default_factory=dict)

    def seen(self, moments: Iterable[datetime], now: datetime) -> Arrivals:
        """Return them with rows of these times, first listed now."""
        days = {day: came for day, came in self.days.items() if now.date() - day <= DAYS}
        for moment in moments:
            if now - LATE <= moment <= now + LATE:
                local = min(moment, now).astimezone(ROME)
                came = days.get(local.date(), Came())
                rows = list(came.rows)
                rows[local.hour] += 1
                days[local.date()] = replace(came, rows=tuple(rows))
        return Arrivals(days)

    def fetched(self, day: date, texts: int) -> Arrivals:
        """Return them with so many texts needed on a day, if anything came on it."""
        came = self.days.get(day)
        if came is None or came.texts >= texts:
            return self
        return Arrivals({**self.days, day: replace(came, texts=texts)})

    def coming(self, now: datetime, page_rows: int) -> float | None:
        """Return the requests an hour that are needed for what comes now.

        That is as the last hour had it, or this one so far if more came in it; None if nothing came
        today.

        Args:
            now: when.
            page_rows: rows of a page.
        """
        local = now.astimezone(ROME)
        came = self.days.get(local.date(), Came())
        every = sum(came.needs(page_rows))
        if not every:
            return None
        passed = (local.minute * 60 + local.second) / 3_600
        here, before = came.rows[local.hour], came.rows[local.hour - 1] if local.hour else 0
        rows = max(here + (1 - passed) * before, here / max(passed, LEAST_PART))
        return every / sum(came.rows) * rows

    def busiest(self, before: date) -> Came:
        """Return the day before that one on which most came."""
        past = [came for day, came in self.days.items() if before - DAYS <= day < before]
        return max(past, key=lambda came: sum(came.rows), default=Came())


def dumped(arrivals: Arrivals) -> dict[str, Any]:
    """Return what came as JSON can say it."""
    return {
        day.isoformat(): {"rows": list(came.rows), "texts": came.texts}
        for day, came in arrivals.days.items()
    }


def loaded(values: Mapping[str, Any]) -> Arrivals:
    """Return what ``dumped`` made.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    days = {}
    for day, came in values.items():
        rows = tuple(map(int, came["rows"]))
        if len(rows) != HOURS:
            raise ValueError("a day has 24 hours")
        days[date.fromisoformat(day)] = Came(rows, int(came["texts"]))
    return Arrivals(days)
