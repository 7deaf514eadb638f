"""Dates as the API writes them: RFC 5322 with a zone, or ``YYYY-MM-DD hh:mm:ss`` without (Q24).

A date without a zone is Italian local time. Pure: no clock.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bridge.clock import ROME

_ITALIAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
"""Years outside are damage; inside, every conversion between zones is defined."""


def parse_date(text: str) -> datetime | None:
    """Return the moment ``text`` names, aware, in the zone it came with; None if it names none.

    >>> parse_date("Wed, 26 Aug 2020 10:00:35 +0200").isoformat()
    '2020-08-26T10:00:35+02:00'
    """
    stripped = text.strip()[:100]
    for read in (_rfc5322, _iso, _italian):
        try:
            moment = read(stripped)
        except (ValueError, OverflowError, IndexError, TypeError):
            continue
        if moment is not None and _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            return moment if moment.tzinfo else moment.replace(tzinfo=ROME)
    return None


def _rfc5322(text: str) -> datetime | None:
    if not any(letter.isalpha() for letter in text):
        return None  # the email package would read an ISO date as something else
    moment = parsedate_to_datetime(text)
    if moment.tzinfo is None and "-0000" in text:  # RFC 5322 §3.3: UTC, zone of origin unknown
        return moment.replace(tzinfo=UTC)
    return moment


def _iso(text: str) -> datetime | None:
    return datetime.fromisoformat(text)


def _italian(text: str) -> datetime | None:
    match = _ITALIAN.fullmatch(text)
    if match is None:
        return None
    day, month, year, hour, minute, second = (int(group or 0) for group in match.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=ROME)
