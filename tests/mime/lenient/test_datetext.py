from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.lenient.datetext import parse_date
from tests.mime.strategies import fields


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("value", "sent_at", "sent_on"),
    [
        ("Wed, 26 Aug 2020 10:00:35 +0200", "2020-08-26T08:00:35Z", "2020-08-26"),
        ("26 Aug 2020 10:00 +0200", "2020-08-26T08:00:00Z", "2020-08-26"),
        ("Wed,26 aug 2020 10:00:35 -0730 (x)", "2020-08-26T17:30:35Z", "2020-08-26"),
        ("Wednesday, 26-August-20 10:00:35 GMT", "2020-08-26T10:00:35Z", "2020-08-26"),
        ("26 Aug 2020 23:30:00 -0500", "2020-08-27T04:30:00Z", "2020-08-26"),
        ("26 Aug 99 10:00:00 EST", "1999-08-26T15:00:00Z", "1999-08-26"),
        ("26 Aug 49 10:00:00 Z", "2049-08-26T10:00:00Z", "2049-08-26"),
        ("26 Aug 102 10:00:00", "2002-08-26T10:00:00Z", "2002-08-26"),
        ("26 Aug 2020", "2020-08-26T00:00:00Z", "2020-08-26"),
        ("Wed (x),\n 26 Aug\n 2020 10:00:35 +0000", "2020-08-26T10:00:35Z", "2020-08-26"),
        ("31 Dec 2016 23:59:60 +0000", "2016-12-31T23:59:59Z", "2016-12-31"),
        ("Wed, 26 Aug 2020    59:10 -0500", "2020-08-26T05:00:00Z", "2020-08-26"),
        ("26 Aug 2020 25:00:00 +0000", "2020-08-26T00:00:00Z", "2020-08-26"),
        ("26 Aug 2020 10:75:00 +0200", "2020-08-25T22:00:00Z", "2020-08-26"),
        ("26 Aug 2020 10.00.35 QQQ", "2020-08-26T10:00:35Z", "2020-08-26"),
    ],
)
def test_date(value: str, sent_at: str, sent_on: str) -> None:
    assert parse_date(value.encode()) == (at(sent_at), date.fromisoformat(sent_on))


@pytest.mark.parametrize(
    "value",
    ["", "yesterday", "2020-08-26 10:00:35", "31 Feb 2020 10:00:00", "1 Foo 2020", "1 Jan 0000",
     "31 Feb 2020 99:00:00", "\0"],
)  # fmt: skip
def test_no_date(value: str) -> None:
    assert parse_date(value.encode()) is None


zones = st.integers(-99 * 60, 99 * 60).filter(lambda minutes: abs(minutes) < 24 * 60)


@given(
    st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(9999, 12, 30)),
    zones,
)
def test_what_is_written_is_read(moment: datetime, minutes: int) -> None:
    moment = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert parse_date(format_datetime(moment).encode()) == (seconds, moment.date())


@given(fields)
def test_anything_is_a_date_or_none(value: bytes) -> None:
    sent = parse_date(value)
    assert sent is None or abs(sent.at) < 10**12
