"""Which purposes had to wait for requests, why, and which so long that they are missed. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.api.purpose import CALLED, Purpose
from bridge.api.share import Day
from bridge.language import Sentence, say

MISSED_AFTER = timedelta(minutes=15)
"""What had to wait for so long, and was not granted meanwhile, is missed."""

FORGOTTEN_AFTER = timedelta(hours=3)
"""What was not asked for again by then is not wanted any more: refusals before it do not count."""


@dataclass(slots=True)
class Refusals:
    """A day's: ``purposes`` were refused at some time.

    ``_since`` says since when and until when each was, and never granted between.
    """

    purposes: set[Purpose] = field(default_factory=set)
    _since: dict[Purpose, tuple[datetime, datetime]] = field(default_factory=dict)

    def refused(self, purpose: Purpose, now: datetime) -> None:
        """Take note of a request that is not to be made."""
        self.purposes.add(purpose)
        since, until = self._since.get(purpose, (now, now))
        self._since[purpose] = (now if now - until > FORGOTTEN_AFTER else since, now)

    def granted(self, purpose: Purpose) -> None:
        """Take note of one that is."""
        self._since.pop(purpose, None)

    @property
    def missed(self) -> frozenset[Purpose]:
        """Those that have waited for ``MISSED_AFTER``."""
        return frozenset(
            purpose
            for purpose, (since, until) in self._since.items()
            if until - since >= MISSED_AFTER
        )


def refusal(purpose: Purpose, day: Day) -> Sentence:
    """Return why no request of this purpose is made now."""
    if day.remaining < 1:
        return say("Today's budget of {per_day} requests is used up.", per_day=day.per_day)
    return say(
        "Of today's {per_day} requests {remaining} are left, kept for looking for new mail until "
        "midnight (this one was for: {purpose}).",
        per_day=day.per_day,
        remaining=day.remaining,
        purpose=CALLED[purpose],
    )
