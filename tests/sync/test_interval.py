"""When to look again: tables, and the budget over a whole day."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sync.interval import (
    DAY_S,
    LAST_PROBE_S,
    LAST_RETRY_S,
    Situation,
    probe_s,
    reserve,
    retry_s,
    wanted_s,
    within_budget_s,
)

INTERVALS = {
    "just sent": (Situation(60, since_sent_s=10), 5),
    "receipts are due": (Situation(60, since_sent_s=300), 10),
    "a client watches": (Situation(60, watched=True), 30),
    "a client watches and something was just sent": (
        Situation(60, watched=True, since_sent_s=10),
        5,
    ),
    "sent within the hour": (Situation(60, since_sent_s=1800), 60),
    "a client was here": (Situation(60, since_seen_s=300), 60),
    "nobody looks": (Situation(60), 300),
    "nobody looks any more": (Situation(60, since_seen_s=7200, since_sent_s=7200), 300),
    "never below a second": (Situation(1, since_sent_s=1), 1),
    "a long interval stays": (Situation(3600), 3600),
    "slow, but not slower than a quarter of an hour": (Situation(600), 900),
}


@pytest.mark.parametrize(("now", "expected"), INTERVALS.values(), ids=INTERVALS)
def test_how_long_until_the_next_look(now: Situation, expected: float) -> None:
    assert wanted_s(now) == expected


@pytest.mark.parametrize(
    ("remaining", "day_left_s", "expected"),
    [
        (1440, DAY_S, 5),
        (1300, DAY_S, 5),
        (1200, DAY_S, DAY_S / 1200),
        (720, DAY_S / 2, 5),
        (100, DAY_S / 2, DAY_S / 200),
        (0, 3600, 3600),
    ],
    ids=["fresh", "a burst", "after the burst", "half way", "running low", "used up"],
)
def test_a_low_budget_stretches_the_interval(
    remaining: int, day_left_s: float, expected: float
) -> None:
    assert within_budget_s(5, remaining, 1440, day_left_s) == expected


@given(wanted=st.floats(1, 900), per_day=st.integers(24, 5000))
def test_looks_last_the_whole_day(wanted: float, per_day: int) -> None:
    left_s, remaining = DAY_S, per_day
    while left_s > 0:
        assert remaining > 0
        remaining -= 1
        left_s -= within_budget_s(wanted, remaining, per_day, left_s)


def test_an_import_leaves_enough_for_looking() -> None:
    assert reserve(60, 1440, DAY_S) == 289
    assert reserve(1, 1440, DAY_S) == 720
    assert reserve(60, 1440, 300) == 2


@pytest.mark.parametrize("wait", [retry_s, probe_s])
def test_waits_double_with_jitter_up_to_a_limit(wait: object) -> None:
    assert callable(wait)
    first, limit = (5.0, LAST_RETRY_S) if wait is retry_s else (60.0, LAST_PROBE_S)
    assert wait(1, None, 0.5) == first
    assert wait(2, None, 0.5) == 2 * first
    assert wait(1, None, 0.0) == 0.75 * first
    assert wait(50, None, 0.5) == limit
    assert wait(1, 7200.0, 0.5) == 7200.5
