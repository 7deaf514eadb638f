from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api.forecast import LOOKS, Volume, forecast

VOLUMES = st.integers(0, 50_000).flatmap(
    lambda rows: st.builds(
        Volume, st.just(rows), st.integers(0, rows), deletions=st.integers(0, 5_000)
    )
)


@given(VOLUMES, st.integers(1, 100_000))
def test_the_lag_is_how_long_the_rest_of_a_day_takes(volume: Volume, per_day: int) -> None:
    """Against a plain count: idle days after one such day, each with what a day reads."""
    one = forecast(volume, per_day)
    assert 0 <= one.texts <= volume.receipts
    assert one.texts == 0 or one.essential + one.texts <= per_day
    assert one.lag_days == idle_days(volume.receipts - one.texts, one.texts)
    assert one.states_lag_days == idle_days(one.essential - per_day, per_day - LOOKS)


def idle_days(left: int, a_day: int) -> int | None:
    days = 0
    while left > 0 and a_day > 0:
        left, days = left - a_day, days + 1
    return days if left <= 0 else None


@given(VOLUMES, st.integers(1, 100_000))
def test_more_mail_needs_more_and_more_requests_lag_less(volume: Volume, per_day: int) -> None:
    more = Volume(volume.rows + 25, volume.receipts + 25, volume.deletions)
    one = forecast(volume, per_day)
    assert forecast(more, per_day).needed > one.needed
    richer = forecast(volume, per_day + 1)
    assert richer.lag_days is not None or one.lag_days is None
    if one.lag_days is not None and richer.lag_days is not None:
        assert richer.lag_days <= one.lag_days


@given(VOLUMES)
def test_without_a_limit_nothing_lags(volume: Volume) -> None:
    one = forecast(volume, 0)
    assert (one.allowed, one.lag_days, one.states_lag_days) == (None, 0, 0)
    assert "no limit" in one.sentence


@pytest.mark.parametrize(
    ("volume", "per_day", "words"),
    [
        (Volume(0, 0), 1_440, f"about {LOOKS} requests are needed; 1,440 are allowed."),
        (Volume(150, 140), 1_440, "about 396 requests are needed; 1,440 are allowed."),
        (
            Volume(430, 400),
            1_440,
            "about 688 requests are needed and 1,440 are allowed: "
            "receipts' texts will lag 1 day, states will not.",
        ),
        (
            Volume(7_100, 7_000),
            1_440,
            "about 7,624 requests are needed and 1,440 are allowed: "
            "receipts' texts will lag 19 days, states will not.",
        ),
        (
            Volume(21_135, 20_930),
            1_440,
            "about 22,221 requests are needed and 1,440 are allowed: receipts' texts will lag 140 "
            "days (about 149 of 20,930 are read a day), states will not.",
        ),
        (Volume(1_500, 300), 1_440, "states and incoming mail will lag 1 day, receipts' texts"),
        (Volume(3_000, 0), 1_440, "states and incoming mail will lag 2 days, receipts' texts"),
        (Volume(300, 0), 240, "states and incoming mail will be late"),
        (Volume(1_440, 298), 1_440, "receipts' texts will not be read"),
        (Volume(660, 650), 1_440, "will lag 1 day, states"),
        (Volume(660, 650, 10, 60), 1_440, "will lag 2 days, states"),
    ],
)
def test_the_sentence(volume: Volume, per_day: int, words: str) -> None:
    assert words in forecast(volume, per_day).sentence
