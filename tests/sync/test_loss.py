"""When a loss is doubted, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.sync.loss import LOOKS, MANY, WAIT, Loss, is_great, seen_again

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("missing", "known", "expected"),
    [
        (0, 0, False),
        (0, 100, False),
        (1, 1, True),
        (2, 2, True),
        (1, 2, False),
        (3, 6, True),
        (3, 7, False),
        (MANY - 1, 1000, False),
        (MANY, 1000, True),
        (-5, 10, False),
    ],
)
def test_all_half_or_a_page_is_doubted(missing: int, known: int, expected: bool) -> None:
    assert is_great(missing, known) is expected


def test_it_is_believed_after_a_day_and_some_looks() -> None:
    loss = seen_again(None, 50, 60, NOON)
    assert loss == Loss(NOON, 1, 50)
    for number in range(2, LOOKS):
        loss = seen_again(loss, 50, 60, NOON + timedelta(hours=number))
    assert loss is not None
    assert not loss.is_believed(NOON + 2 * WAIT)
    loss = seen_again(loss, 51, 60, NOON + WAIT)
    assert loss == Loss(NOON, LOOKS, 51)
    assert not loss.is_believed(NOON + WAIT - timedelta(seconds=1))
    assert loss.is_believed(NOON + WAIT)


def test_what_the_api_itself_contradicts_is_never_believed() -> None:
    loss = None
    for hours in range(100):
        loss = seen_again(loss, 60, 60, NOON + timedelta(hours=hours), is_credible=False)
        assert loss is not None
        assert not loss.is_believed(NOON + timedelta(hours=hours))


def test_it_is_over_with_the_first_look_that_shows_the_rows() -> None:
    assert seen_again(Loss(NOON, 9, 50), 1, 60, NOON + WAIT) is None
