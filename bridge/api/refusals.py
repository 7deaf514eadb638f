"""Which purposes have had to wait for requests so long that they are missed. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.api.purpose import Purpose

MISSED_AFTER = timedelta(minutes=15)
"""What had to wait for so long, and was not granted meanwhile, is missed."""

FORGOTTEN_AFTER = timedelta(hours=3)
"""What was not asked for again by then is not wanted any more: refusals before it do not count."""


@dataclass(slots=True)
class Refusals:
    """Since when and until when each purpose was refused, and never granted between."""

    _refused: dict[Purpose, tuple[datetime, datetime]] = field(default_factory=dict)

    def refused(self, purpose: Purpose, now: datetime) -> None:
        """Take note of a request that is not to be made."""
        since, until = self._refused.get(purpose, (now, now))
        self._refused[purpose] = (now if now - until > FORGOTTEN_AFTER else since, now)

    def granted(self, purpose: Purpose) -> None:
        """Take note of one that is."""
        self._refused.pop(purpose, None)

    @property
    def missed(self) -> frozenset[Purpose]:
        """Those that have waited for ``MISSED_AFTER``."""
        return frozenset(
            purpose
            for purpose, (since, until) in self._refused.items()
            if until - since >= MISSED_AFTER
        )
