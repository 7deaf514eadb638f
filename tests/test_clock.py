"""A clock that notices when the time of day jumps; waits that double and are spread."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bridge.clock import JITTER, TOLERATED, Backoff, MovableClock, SystemClock, spread_s
from tests.fakes import FakeClock

YEAR = timedelta(days=365)


async def test_a_jump_ahead_is_not_believed_before_it_is_confirmed() -> None:
    clock = FakeClock()
    began = clock.earliest()
    await clock.advance(60)
    clock.wrong_by = YEAR
    assert clock.now() - began > YEAR
    assert clock.earliest() == began + timedelta(seconds=60)
    clock.heard(clock.now())
    assert clock.earliest() == clock.now()


@pytest.mark.parametrize("by", [-YEAR, -timedelta(minutes=5), TOLERATED, timedelta(0)], ids=str)
async def test_a_jump_back_and_a_small_one_are_taken_as_they_are(by: timedelta) -> None:
    clock = FakeClock()
    clock.earliest()
    clock.wrong_by = by
    assert clock.earliest() == clock.now()


async def test_how_far_it_is_ahead_of_what_was_heard() -> None:
    clock = FakeClock()
    assert clock.ahead() is None
    clock.heard(clock.now() - timedelta(hours=3))
    await clock.advance(600)
    assert clock.ahead() == timedelta(hours=3)
    clock.wrong_by = -timedelta(hours=5)
    assert clock.ahead() == -timedelta(hours=2)


def test_the_systems_clock_knows_from_the_start_what_it_was() -> None:
    clock = SystemClock()
    assert abs(clock.earliest() - clock.now()) < timedelta(seconds=5)
    assert clock.ahead() is None


def test_waits_double_to_their_bound() -> None:
    backoff = Backoff(5.0, 60.0)
    assert [backoff.wait_s(before) for before in range(6)] == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]
    assert backoff.wait_s(100_000) == 60.0


@pytest.mark.parametrize(("chance", "expected"), [(0.0, 1 - JITTER), (0.5, 1.0), (1.0, 1 + JITTER)])
def test_a_wait_is_spread_to_both_sides(chance: float, expected: float) -> None:
    assert spread_s(100.0, None, chance) == pytest.approx(100 * expected)


def test_a_wait_is_never_shorter_than_was_asked_for() -> None:
    assert spread_s(100.0, 300.0, 0.5) == 300.5
    assert spread_s(100.0, 10.0, 0.5) == 100.0


async def test_a_clock_that_is_moved_on_wakes_whoever_sleeps_by_it() -> None:
    clock = MovableClock()
    before, before_s = clock.now(), clock.monotonic()
    hours = asyncio.create_task(clock.sleep(12 * 3600))
    days = asyncio.create_task(clock.sleep(48 * 3600))
    await asyncio.sleep(0)
    clock.move(timedelta(hours=12))
    await asyncio.wait_for(hours, 5)
    assert not days.done()
    days.cancel()
    assert clock.now() - before >= timedelta(hours=12)
    assert clock.monotonic() - before_s >= 12 * 3600
    assert clock.earliest() >= before + timedelta(hours=12)


def test_other_clocks_are_taken_to_have_moved_along() -> None:
    clock = MovableClock()
    clock.move(timedelta(hours=24))
    clock.heard(datetime.now(UTC))
    ahead = clock.ahead()
    assert ahead is not None
    assert abs(ahead) < timedelta(seconds=5)


def test_a_clock_is_never_moved_back() -> None:
    with pytest.raises(ValueError, match="not back"):
        MovableClock().move(timedelta(seconds=-1))
