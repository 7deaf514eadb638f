"""What a mailbox's plan allows: so many PECs a day or a month.

Pure. A period begins at midnight in Rome, where the vendor counts; prices are in ``[prices]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from bridge.clock import ROME

PlanName = Literal["standard", "flat"]


@dataclass(frozen=True, slots=True)
class Plan:
    """``limit`` PECs per ``period``."""

    name: PlanName
    limit: int
    period: Literal["day", "month"]

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError("a plan allows at least one PEC")

    def bounds(self, now: datetime) -> tuple[date, date]:
        """Return the first and the last day of the period that ``now`` is in."""
        today = rome_day(now)
        if self.period == "day":
            return today, today
        return today.replace(day=1), _next_month(today) - timedelta(days=1)

    def next_period(self, now: datetime) -> datetime:
        """Return when the next period begins."""
        first = self.bounds(now)[1] + timedelta(days=1)
        return datetime(first.year, first.month, first.day, tzinfo=ROME)


PLANS: dict[PlanName, Plan] = {
    "standard": Plan("standard", 3_500, "day"),
    "flat": Plan("flat", 30_000, "month"),
}


def rome_day(at: datetime) -> date:
    """Return the day in Rome that ``at`` falls on."""
    return at.astimezone(ROME).date()


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
