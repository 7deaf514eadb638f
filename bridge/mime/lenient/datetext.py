"""The Date field, in the forms that mailers have written it in.

Any weekday, missing seconds, two-digit years, named zones, dashes in the date, comments and
other text behind are all read; a missing or unknown zone is UTC (RFC 5322 §4.3, "-0000"). The day
counts even where the time is none.

RFCs: 5322 §3.3, §4.3; 3501 §6.4.4 (SENTON disregards time and zone); 5256 §2.2.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

_DATE = re.compile(
    rb"(?i)[ \t\r\n]*+(?:[a-z]++\.?+[ \t\r\n]*+,?+[ \t\r\n]*+)?+"
    rb"([0-9]{1,2})[ \t\r\n\-]++([a-z]{3})[a-z]*+\.?+[ \t\r\n\-]++([0-9]{2,4})"
    rb"(?:[ \t\r\n,]++([0-9]{1,2})[ \t\r\n]*+[:.][ \t\r\n]*+([0-9]{1,2})"
    rb"(?:[ \t\r\n]*+[:.][ \t\r\n]*+([0-9]{1,2}))?(?:[.,][0-9]+)?"
    rb"(?:[ \t\r\n]*+([+\-][0-9]{4})|[ \t\r\n]++([a-z]{1,5}))?)?"
)
_COMMENT = re.compile(rb"\([^()]*\)")
_MONTHS: Final = b"jan feb mar apr may jun jul aug sep oct nov dec".split()
_ZONE_HOURS: Final = {
    b"edt": -4, b"est": -5, b"cdt": -5, b"cst": -6,
    b"mdt": -6, b"mst": -7, b"pdt": -7, b"pst": -8,
}  # fmt: skip
"""The zones that RFC 5322 §4.3 names; the military letters mean nothing, as it says."""


class SentDate(NamedTuple):
    """Seconds since 1970-01-01 UTC, and the calendar day in the zone that the field names."""

    at: int
    on: date


def parse_date(value: bytes) -> SentDate | None:
    """Read a Date field's value; None if there is no date in it."""
    found = _DATE.match(_COMMENT.sub(b" ", value) if b"(" in value else value)
    if found is None:
        return None
    day, month, year, hour, minute, second, offset, zone = found.groups()
    if month.lower() not in _MONTHS:
        return None
    try:
        on = date(_full_year(year), _MONTHS.index(month.lower()) + 1, int(day))
    except ValueError:
        return None
    midnight = datetime(on.year, on.month, on.day, tzinfo=UTC)
    clock_s = int(midnight.timestamp()) + _clock_s(hour, minute, second)
    return SentDate(clock_s - _offset_s(offset, zone), on)


def _clock_s(hour: bytes | None, minute: bytes | None, second: bytes | None) -> int:
    """Return the seconds since midnight; of no time that there is, midnight (RFC 5256 §2.2)."""
    hours, minutes = int(hour or 0), int(minute or 0)
    if hours > 23 or minutes > 59:
        return 0
    return hours * 3600 + minutes * 60 + min(int(second or 0), 59)  # 60 is a leap second


def _full_year(year: bytes) -> int:
    number = int(year)
    if len(year) == 2:
        return number + (2000 if number < 50 else 1900)
    return number + 1900 if len(year) == 3 else number


def _offset_s(offset: bytes | None, zone: bytes | None) -> int:
    if offset:
        seconds = int(offset[1:3]) * 3600 + int(offset[3:5]) * 60
        return -seconds if offset.startswith(b"-") else seconds
    return _ZONE_HOURS.get(zone.lower(), 0) * 3600 if zone else 0
