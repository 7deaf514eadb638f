from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api.date import parse_date


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wed, 26 Aug 2020 10:00:35 +0200", "2020-08-26T10:00:35+02:00"),
        (" Mon, 21 Sep 2020 15:26:37 +0100 (CET) ", "2020-09-21T15:26:37+01:00"),
        ("26 Aug 2020 10:00:35 GMT", "2020-08-26T10:00:35+00:00"),
        ("Wed, 26 Aug 2020 10:00:35 -0000", "2020-08-26T10:00:35+00:00"),
        ("Wed, 26 Aug 2020 10:00:35", "2020-08-26T10:00:35+02:00"),
        ("2020-08-26 10:00:35", "2020-08-26T10:00:35+02:00"),
        ("2020-01-26 10:00:35", "2020-01-26T10:00:35+01:00"),
        ("2020-08-26T10:00:35Z", "2020-08-26T10:00:35+00:00"),
        ("2020-08-26T10:00:35.5+00:30", "2020-08-26T10:00:35.500000+00:30"),
        ("2020-08-26", "2020-08-26T00:00:00+02:00"),
        ("26/08/2020 10:00:35", "2020-08-26T10:00:35+02:00"),
        ("26/08/2020", "2020-08-26T00:00:00+02:00"),
    ],
)
def test_spellings(text: str, expected: str) -> None:
    moment = parse_date(text)
    assert moment is not None
    assert moment.isoformat() == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ieri",
        "0",
        "Wed, 99 Aug 2020 10:00:35 +0200",
        "Wed, 26 Aug 2020 10:00:35 +9999999",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59",
        "45/13/2020",
        "x" * 10_000,
    ],
)
def test_no_dates(text: str) -> None:
    assert parse_date(text) is None


@given(st.text(max_size=60))
def test_any_text_is_a_date_with_a_zone_or_none(text: str) -> None:
    moment = parse_date(text)
    assert moment is None or moment.utcoffset() is not None
