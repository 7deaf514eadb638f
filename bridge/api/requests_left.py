"""What an answer's fields say about how many requests are left; no description promises them.

Known are ``X-RateLimit-Limit``, ``-Remaining`` and ``-Reset`` and the same without ``X-``. Reset is
seconds from now, or a moment in seconds since 1970. Nothing is said of what is not understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

DAILY_FROM = 500
"""A limit from here on that does not say when it is reset is taken for a day's."""

AN_HOUR_S = 3_600.0
_A_MOMENT_S = 10**9
"""A reset from here on is a moment, not a duration."""


@dataclass(frozen=True, slots=True)
class RequestsLeft:
    """``remaining`` requests of ``limit``, anew in ``reset_s`` seconds (None: not said)."""

    limit: int
    remaining: int
    reset_s: float | None

    @property
    def is_of_a_day(self) -> bool:
        """Whether it is about a day, or longer: one of a minute is the pace's to keep."""
        if self.reset_s is None:
            return self.limit >= DAILY_FROM
        return self.reset_s >= AN_HOUR_S


def read_requests_left(fields: Mapping[str, str], now: datetime) -> RequestsLeft | None:
    """Return what an answer's fields say, None if they say nothing that makes sense.

    Args:
        fields: by name, in any case.
        now: when the answer came.
    """
    for prefix in ("X-RateLimit-", "RateLimit-"):
        limit, remaining, reset = (
            _number(fields.get(prefix + name)) for name in ("Limit", "Remaining", "Reset")
        )
        if limit is None or remaining is None or remaining > limit:
            continue
        reset_s = None if reset is None else float(reset)
        if reset_s is not None and reset_s >= _A_MOMENT_S:
            reset_s = max(reset_s - now.timestamp(), 0.0)
        return RequestsLeft(limit, remaining, reset_s)
    return None


def _number(text: str | None) -> int | None:
    text = (text or "").partition(",")[0].partition(";")[0].strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None
