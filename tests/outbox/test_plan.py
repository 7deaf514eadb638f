from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bridge.outbox.plan import PLANS, Plan, rome_day


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-01-15T22:59:59", date(2026, 1, 15)),
        ("2026-01-15T23:00:00", date(2026, 1, 16)),
        ("2026-07-15T21:59:59", date(2026, 7, 15)),
        ("2026-07-15T22:00:00", date(2026, 7, 16)),
        ("2026-12-31T23:00:00", date(2027, 1, 1)),
    ],
)
def test_the_day_is_the_one_in_rome(now: str, day: date) -> None:
    assert rome_day(at(now)) == day


@pytest.mark.parametrize(
    ("plan", "now", "first", "last", "until"),
    [
        ("standard", "2026-01-15T09:00:00", "2026-01-15", "2026-01-15", "2026-01-15T23:00:00"),
        ("standard", "2026-01-15T23:30:00", "2026-01-16", "2026-01-16", "2026-01-16T23:00:00"),
        ("standard", "2026-03-29T12:00:00", "2026-03-29", "2026-03-29", "2026-03-29T22:00:00"),
        ("standard", "2026-10-24T23:30:00", "2026-10-25", "2026-10-25", "2026-10-25T23:00:00"),
        ("flat", "2026-02-10T09:00:00", "2026-02-01", "2026-02-28", "2026-02-28T23:00:00"),
        ("flat", "2028-02-10T09:00:00", "2028-02-01", "2028-02-29", "2028-02-29T23:00:00"),
        ("flat", "2026-12-31T22:59:59", "2026-12-01", "2026-12-31", "2026-12-31T23:00:00"),
        ("flat", "2026-12-31T23:00:00", "2027-01-01", "2027-01-31", "2027-01-31T23:00:00"),
        ("flat", "2026-01-31T12:00:00", "2026-01-01", "2026-01-31", "2026-01-31T23:00:00"),
    ],
)
def test_periods_begin_at_midnight_in_rome(
    plan: str, now: str, first: str, last: str, until: str
) -> None:
    chosen = PLANS[plan]  # type: ignore[index]
    bounds = chosen.bounds(at(now))
    assert [day.isoformat() for day in bounds] == [first, last]
    assert chosen.next_period(at(now)) == at(until)


def test_the_vendors_plans() -> None:
    standard, flat = PLANS["standard"], PLANS["flat"]
    assert (standard.limit, standard.period) == (3_500, "day")
    assert (flat.limit, flat.period) == (30_000, "month")


def test_a_plan_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="plan"):
        Plan("standard", 0, "day")
