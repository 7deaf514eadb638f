"""Times as they are kept: microseconds since 1970 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime | None) -> int | None:
    """Return a time as it is kept: microseconds since 1970."""
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def aware(micros: int) -> datetime:
    """Return the time that is kept so, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def optional_time(micros: int | None) -> datetime | None:
    """Return the time that is kept so, None if none is."""
    return None if micros is None else aware(micros)
