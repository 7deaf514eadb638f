"""When requests are needed, as the last days had it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.sync.demand import Arrivals, dumped, loaded

NOON = datetime(2026, 1, 15, 11, 0, tzinfo=UTC)
"""In Rome, on a Thursday."""

DAY = timedelta(days=1)
TODAY, YESTERDAY = NOON.date(), (NOON - DAY).date()


def test_rows_count_at_the_hour_that_they_name_however_late_they_are_listed() -> None:
    late = NOON - timedelta(hours=13)
    arrivals = Arrivals().seen([NOON, NOON, late], NOON)
    assert arrivals.days[TODAY].rows[12] == 2
    assert arrivals.days[YESTERDAY].rows[23] == 1


def test_what_is_imported_says_nothing() -> None:
    assert Arrivals().seen([NOON - timedelta(hours=25)], NOON).days == {}


def test_a_row_of_the_future_counts_now() -> None:
    arrivals = Arrivals().seen([NOON + timedelta(hours=3)], NOON)
    assert arrivals.days[TODAY].rows[12] == 1


def test_the_busiest_of_a_weeks_days_tells() -> None:
    arrivals = Arrivals()
    for days, count in ((0, 900), (1, 5), (3, 50), (7, 20), (8, 700)):
        arrivals = arrivals.seen([NOON - days * DAY] * count, NOON - days * DAY)
    assert sum(arrivals.busiest(TODAY).rows) == 50
    assert sum(Arrivals().busiest(TODAY).rows) == 0


def test_days_older_than_a_week_are_forgotten() -> None:
    arrivals = Arrivals().seen([NOON - 9 * DAY], NOON - 9 * DAY).seen([NOON], NOON)
    assert set(arrivals.days) == {TODAY}


@pytest.mark.parametrize(
    ("rows", "texts", "expected"),
    [(100, 0, 4), (100, 30, 34), (10, 1_000, 10.4), (0, 5, 0)],
    ids=["pages", "and texts", "an import's texts", "nothing came"],
)
def test_rows_need_pages_and_texts(rows: int, texts: int, expected: float) -> None:
    arrivals = Arrivals().seen([NOON] * rows, NOON).fetched(TODAY, texts)
    needs = arrivals.busiest(TODAY + DAY).needs(25)
    assert needs[12] == pytest.approx(expected)
    assert sum(needs) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("minute", "rows", "texts", "expected"),
    [
        (30, 1_000, 0, 80),
        (30, 1_000, 100, 280),
        (3, 100, 0, 80),
        (1, 100, 0, 80),
        (30, 0, 0, None),
    ],
    ids=["half an hour", "and texts", "three minutes", "less says little", "nothing came"],
)
def test_what_comes_now_is_told_by_the_hour_so_far(
    minute: int, rows: int, texts: int, expected: float | None
) -> None:
    now = NOON + timedelta(minutes=minute)
    arrivals = Arrivals().seen([NOON] * rows, now).fetched(TODAY, texts)
    assert arrivals.coming(now, 25) == (expected and pytest.approx(expected))


def test_what_came_within_the_hour_before_may_still_come() -> None:
    arrivals = Arrivals().seen([NOON] * 100, NOON)
    for minute, rows in ((75, 75), (119, 100 / 60), (120, 0)):
        now = NOON + timedelta(minutes=minute)
        assert arrivals.coming(now, 25) == pytest.approx(rows / 25)
    assert arrivals.coming(NOON + DAY, 25) is None


def test_it_is_read_as_it_was_written_down() -> None:
    arrivals = Arrivals().seen([NOON, NOON - DAY], NOON).fetched(TODAY, 3)
    assert loaded(dumped(arrivals)) == arrivals
