from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.clock import JITTER
from bridge.model import AccountId
from bridge.outbox.backoff import (
    FIRST_DELAY_S,
    GIVE_UP_AFTER,
    LAST_DELAY_S,
    due_at,
    next_probe,
    probe_delay_s,
    probe_due_at,
    retry_delay_s,
)
from bridge.store.outbox import HoldCause, HoldRow
from tests.outbox.made import row_of

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
CHANCES = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("trying_for_s", "delay_s"),
    [(0, 5), (3, 5), (5, 5), (10, 10), (640, 640), (1800, 1800), (90_000, 1800)],
)
def test_the_wait_is_as_long_as_the_tries_took(trying_for_s: float, delay_s: float) -> None:
    assert retry_delay_s(trying_for_s, None, 0.5) == delay_s


def test_waits_double() -> None:
    trying_for_s, waits = 0.0, []
    for _ in range(11):
        waits.append(retry_delay_s(trying_for_s, None, 0.5))
        trying_for_s += waits[-1]
    assert waits == [5, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800]


@given(st.floats(0, 5 * 86_400), CHANCES)
def test_jitter_spreads_the_wait_and_no_further(trying_for_s: float, chance: float) -> None:
    delay_s = min(max(trying_for_s, FIRST_DELAY_S), LAST_DELAY_S)
    low_s, high_s = delay_s * (1 - JITTER), delay_s * (1 + JITTER)
    assert low_s - 1e-6 <= retry_delay_s(trying_for_s, None, chance) <= high_s + 1e-6


@given(st.floats(0, 5 * 86_400), st.floats(0, 86_400), CHANCES)
def test_the_wait_is_never_shorter_than_the_api_asked_for(
    trying_for_s: float, retry_after_s: float, chance: float
) -> None:
    assert retry_delay_s(trying_for_s, retry_after_s, chance) >= retry_after_s


def test_five_days_of_tries_are_a_bearable_number() -> None:
    trying_for_s, tries = 0.0, 0
    while trying_for_s < GIVE_UP_AFTER.total_seconds():
        trying_for_s += retry_delay_s(trying_for_s, None, 0.0)
        tries += 1
    assert tries < 400


@pytest.mark.parametrize(
    ("probes", "delay_s"), [(0, 60), (1, 120), (2, 240), (5, 1920), (6, 3600), (10_000, 3600)]
)
def test_probes_begin_a_minute_apart_and_double_up_to_an_hour(probes: int, delay_s: float) -> None:
    assert probe_delay_s(probes) == delay_s


def test_the_next_probe_counts_from_now_and_keeps_the_beginning() -> None:
    hold = HoldRow(AccountId(1), HoldCause.PAYMENT, "402", NOW - timedelta(hours=1), NOW, 1)
    later = next_probe(hold, NOW)
    assert later.probe_at == NOW + timedelta(seconds=240)
    assert (later.probes, later.since, later.cause, later.reason) == (
        2,
        hold.since,
        hold.cause,
        hold.reason,
    )


# -- times that a clock wrote down when it ran ahead ---------------------------------------------

DAY, YEAR = timedelta(days=1), timedelta(days=365)


@pytest.mark.parametrize(
    ("not_before", "updated_at", "expected"),
    [
        (None, NOW, None),
        (NOW - DAY, NOW - DAY, None),
        (NOW, NOW, None),
        (NOW + timedelta(minutes=30), NOW, NOW + timedelta(minutes=30)),
        (NOW + DAY, NOW, NOW + DAY),
        (NOW + timedelta(seconds=5), NOW + timedelta(seconds=30), NOW + timedelta(seconds=5)),
        (NOW + 2 * DAY, NOW, None),
        (NOW + YEAR, NOW + YEAR, None),
        (NOW + timedelta(hours=10), NOW + timedelta(hours=10), None),
        (NOW + timedelta(minutes=6), NOW + timedelta(minutes=5), None),
    ],
)
def test_no_try_is_put_off_for_longer_than_was_meant(
    not_before: datetime | None, updated_at: datetime, expected: datetime | None
) -> None:
    row = row_of(not_before=not_before, updated_at=updated_at)
    assert due_at(row, NOW) == expected


@pytest.mark.parametrize(
    ("probe_at", "expected"),
    [
        (NOW - DAY, None),
        (NOW + timedelta(hours=1), NOW + timedelta(hours=1)),
        (NOW + timedelta(hours=1, seconds=1), None),
        (NOW + YEAR, None),
    ],
)
def test_no_probe_is_put_off_for_longer_than_was_meant(
    probe_at: datetime, expected: datetime | None
) -> None:
    hold = HoldRow(AccountId(1), HoldCause.PAYMENT, "402", NOW, probe_at, 3)
    assert probe_due_at(hold, NOW) == expected
