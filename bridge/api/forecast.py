"""Whether a day's requests suffice for a day's mail: arithmetic, and one sentence about it.

Looks come first, then the pages that list rows, then texts that somebody needs (incoming mail,
failures). What an acceptance or a delivery says that matters is in its row, so the texts of these
have what is left, and no more than the budget keeps from looks for them (``FLOORS``): looks take
what they are allowed, for each shows mail sooner. With too few requests those texts lag, and only
when not even the rest has enough do states and incoming mail.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.api.budget import ENOUGH_TO_LOOK
from bridge.api.hours import UNLIMITED
from bridge.api.purpose import FLOORS, Purpose
from bridge.language import Sentence, say

LOOKS = ENOUGH_TO_LOOK

ROWS_A_PAGE = 25
A_DELETION = 2
"""Requests for a deletion among others, at the most."""

MANY_DAYS = 30
"""With a lag beyond this goes what is read a day: nobody waits for so many days."""


@dataclass(frozen=True, slots=True)
class Volume:
    """The mail of a day: ``rows`` listed, ``receipts`` of them acceptances and deliveries.

    ``deletions`` were asked for, and ``cleared`` receipts are to go by the settings.
    """

    rows: int
    receipts: int
    deletions: int = 0
    cleared: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a day of a volume needs, against what is allowed.

    ``needed`` are requests for all of it, ``essential`` those without texts of ``receipts``;
    ``allowed`` is None without a limit. Of these texts ``texts`` are read on the day; ``lag_days``
    is how many days more the rest of one such day takes: 0 for none, None if never any is read.
    ``states_lag_days`` is how many more what is essential takes, likewise.
    """

    needed: int
    essential: int
    allowed: int | None
    receipts: int
    texts: int
    lag_days: int | None
    states_lag_days: int | None

    @property
    def sentence(self) -> Sentence:
        """The forecast in words."""
        needed, allowed = f"{self.needed:,}", f"{self.allowed or 0:,}"
        if self.allowed is None:
            return say(
                "At today's volume about {needed} requests are needed; there is no limit.",
                needed=needed,
            )
        if self.lag_days == 0 and self.states_lag_days == 0:
            return say(
                "At today's volume about {needed} requests are needed; {allowed} are allowed.",
                needed=needed,
                allowed=allowed,
            )
        return say(
            "At today's volume about {needed} requests are needed and {allowed} are allowed: "
            "{result}",
            needed=needed,
            allowed=allowed,
            result=self._shortage(),
        )

    def _shortage(self) -> Sentence:
        if self.states_lag_days is None:
            return say("states and incoming mail will be late, and receipts' texts missing.")
        if self.states_lag_days == 1:
            return say("states and incoming mail will lag 1 day, receipts' texts will not be read.")
        if self.states_lag_days:
            return say(
                "states and incoming mail will lag {days} days, receipts' texts will not be read.",
                days=f"{self.states_lag_days:,}",
            )
        if self.lag_days is None:
            return say("receipts' texts will not be read, states and incoming mail will.")
        if self.lag_days > MANY_DAYS:
            return say(
                "receipts' texts will lag {days} days (about {texts} of {all} are read a day), "
                "states will not.",
                days=f"{self.lag_days:,}",
                texts=f"{self.texts:,}",
                all=f"{self.receipts:,}",
            )
        if self.lag_days == 1:
            return say("receipts' texts will lag 1 day, states will not.")
        return say(
            "receipts' texts will lag {days} days, states will not.", days=f"{self.lag_days:,}"
        )


def forecast(volume: Volume, per_day: int) -> Forecast:
    """Return what a day of that volume needs.

    Args:
        volume: the day's mail.
        per_day: requests a day has; 0 for no limit.
    """
    pages = -(-volume.rows // ROWS_A_PAGE)
    receipts = volume.receipts
    essential = LOOKS + pages + volume.rows - receipts + A_DELETION * volume.deletions
    needed = essential + receipts + A_DELETION * volume.cleared
    if per_day == UNLIMITED:
        return Forecast(needed, essential, None, receipts, receipts, 0, 0)
    clearing = A_DELETION * volume.cleared
    kept_from_looks = int((1 - FLOORS[Purpose.CONFIRMATION]) * per_day)
    spare = min(per_day - essential, kept_from_looks) - clearing
    texts = min(max(spare, 0), receipts)
    texts_lag = _days(receipts - texts, texts)
    states_lag = _days(max(essential - per_day, 0), max(per_day - LOOKS, 0))
    return Forecast(needed, essential, per_day, receipts, texts, texts_lag, states_lag)


def _days(left: int, a_day: int) -> int | None:
    """Return how many days it takes to do what is left, so much a day; None if it is never done."""
    return -(-left // a_day) if a_day else None if left else 0
