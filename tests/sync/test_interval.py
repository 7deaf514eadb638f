"""When to look again: tables."""

from __future__ import annotations

import pytest

from bridge.sync.interval import (
    LAST_PROBE_S,
    LAST_RETRY_S,
    Situation,
    probe_s,
    retry_s,
    wanted_s,
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


@pytest.mark.parametrize("wait", [retry_s, probe_s])
def test_waits_double_with_jitter_up_to_a_limit(wait: object) -> None:
    assert callable(wait)
    first, limit = (5.0, LAST_RETRY_S) if wait is retry_s else (60.0, LAST_PROBE_S)
    assert wait(1, None, 0.5) == first
    assert wait(2, None, 0.5) == 2 * first
    assert wait(1, None, 0.0) == 0.75 * first
    assert wait(50, None, 0.5) == limit
    assert wait(1, 7200.0, 0.5) == 7200.5
