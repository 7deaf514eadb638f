"""A month or a year as people name it, in days of Rome, where the service counts. Pure.

Failure: ``OperationFailed`` for what names no month or year.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from bridge.clock import ROME
from bridge.language import Sentence, say
from bridge.mime.row.address import one_line
from bridge.operations.control import OperationFailed
from bridge.outbox.plan import rome_day

_MONTH = re.compile(r"(?a)(\d{4})-(\d\d)")
_YEAR = re.compile(r"(?a)\d{4}")
MONTHS_A_YEAR = 12
SHOWN_CHARS = 60


def midnight(text: str, *, after: int = 0) -> datetime:
    """Return the beginning of a day in Rome that ``YYYY-MM-DD`` names, ``after`` days later.

    Raises:
        ValueError, OverflowError: it names none.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(
            say("{text} is no day such as 2026-01-31", text=one_line(text)[:SHOWN_CHARS])
        ) from None
    return datetime.combine(day + timedelta(days=after), time(), ROME)


def zoned(text: str) -> datetime:
    """Return the time that an RFC 3339 text names.

    Raises:
        ValueError: it names none, or says no zone.
    """
    shown = one_line(text)[:SHOWN_CHARS]
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            say("{text} is no time such as 2026-01-31T09:00:00Z", text=shown)
        ) from None
    if at.tzinfo is None:
        raise ValueError(say("{text} says no zone", text=shown))
    return at


def not_looked_for(fault: Exception) -> OperationFailed:
    """Return what to say of a search that cannot be: why, where that is a sentence of ours."""
    if fault.args and isinstance(fault.args[0], Sentence):
        return OperationFailed(say("This cannot be looked for: {fault}.", fault=fault))
    return OperationFailed(say("This cannot be looked for."))


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days from ``first`` to ``last``, both included; ``name`` is ``2026-01`` or ``2026``."""

    name: str
    first: date
    last: date

    @property
    def months(self) -> int:
        """How many months it has: 1 or 12."""
        return self.last.month - self.first.month + 1


def month(text: str) -> Period:
    """Return the month that ``YYYY-MM`` names.

    Raises:
        OperationFailed: it names none.
    """
    found = _MONTH.fullmatch(text)
    try:
        first = date(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        first = None
    if first is None or first.year == date.max.year:
        raise OperationFailed(
            say("{text} is no month: write YYYY-MM, such as 2026-01.", text=repr(text))
        )
    following = (first + timedelta(days=31)).replace(day=1)
    return Period(text, first, following - timedelta(days=1))


def year(text: str) -> Period:
    """Return the year that ``YYYY`` names.

    Raises:
        OperationFailed: it names none.
    """
    if not _YEAR.fullmatch(text) or not int(text):
        raise OperationFailed(say("{text} is no year: write YYYY, such as 2026.", text=repr(text)))
    return Period(text, date(int(text), 1, 1), date(int(text), 12, 31))


def chosen(arguments: Mapping[str, Any], now: datetime) -> Period:
    """Return the ``month`` or ``year`` that arguments name, else the month that ``now`` is in.

    Raises:
        OperationFailed: they name none.
    """
    if arguments.get("year") is not None:
        return year(str(arguments["year"]))
    named = arguments.get("month")
    return month(f"{rome_day(now):%Y-%m}" if named is None else str(named))
