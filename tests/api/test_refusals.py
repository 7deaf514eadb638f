from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.api.purpose import Purpose
from bridge.api.refusals import FORGOTTEN_AFTER, MISSED_AFTER, Refusals

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
SOON = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("after", "is_missed"),
    [
        pytest.param([timedelta()], False, id="once"),
        pytest.param([timedelta(), MISSED_AFTER - SOON], False, id="shortly"),
        pytest.param([timedelta(), MISSED_AFTER], True, id="for long"),
        pytest.param([timedelta(), FORGOTTEN_AFTER], True, id="seldom"),
        pytest.param([timedelta(), FORGOTTEN_AFTER + SOON], False, id="anew"),
    ],
)
def test_what_had_to_wait_for_long_is_missed(after: list[timedelta], is_missed: bool) -> None:
    refusals = Refusals()
    for one in after:
        refusals.refused(Purpose.LISTING, NOON + one)
    assert refusals.missed == ({Purpose.LISTING} if is_missed else set())


def test_what_is_granted_is_not_missed_any_more() -> None:
    refusals = Refusals()
    for purpose in (Purpose.LISTING, Purpose.BODY):
        refusals.refused(purpose, NOON)
        refusals.refused(purpose, NOON + MISSED_AFTER)
    refusals.granted(Purpose.BODY)
    assert refusals.missed == {Purpose.LISTING}
