"""Times as people read them: in their own zone, which is named; programs get RFC 3339 in UTC."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bridge.clock import ROME

_SPAN = re.compile(r"(?a)(\d{1,5})([dh])")

_shown_in: list[tzinfo] = [ROME]
"""The zone of this process's output; a command reads one configuration, which may name another."""


def show_times_in(zone: str) -> None:
    """Show times in this zone from here on."""
    _shown_in[:] = [ZoneInfo(zone)]


def moment_since(text: str, now: datetime) -> datetime:
    """Return the moment that ``--since`` names: ``7d``, ``12h``, a day or an RFC 3339 time.

    A day, or a time that says no zone, is in the zone of the settings.

    Raises:
        ValueError: it names none.
    """
    if span := _SPAN.fullmatch(text):
        unit = timedelta(days=1) if span[2] == "d" else timedelta(hours=1)
        return now - int(span[1]) * unit
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=_shown_in[0])


def local(text: str | None, *, seconds: bool = False) -> str | None:
    """Return a time of the facts (RFC 3339) as people read it; what is none stays as it is."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    if at.tzinfo is None:
        return text
    here = at.astimezone(_shown_in[0])
    return f"{here:%Y-%m-%d %H:%M:%S %Z}" if seconds else f"{here:%Y-%m-%d %H:%M %Z}"
