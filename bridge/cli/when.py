"""Times as people read them: in their own zone, which is named; programs get RFC 3339 in UTC."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from bridge.clock import ROME

_shown_in: list[tzinfo] = [ROME]
"""The zone of this process's output; a command reads one configuration, which may name another."""


def show_times_in(zone: str) -> None:
    """Show times in this zone from here on."""
    _shown_in[:] = [ZoneInfo(zone)]


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
