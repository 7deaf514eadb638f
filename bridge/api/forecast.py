"""Whether a day's requests suffice for a day's mail: arithmetic, and one sentence about it.

Looks come first, then the pages that list rows, then texts that somebody needs (incoming mail,
failures, receipts of several recipients). Looks take what they are allowed, for each shows mail
sooner, so texts that only confirm what their rows said have what the budget keeps from looks for
them (``FLOORS``). With too few requests those texts lag, and only when not even the rest has enough
do states and incoming mail.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.api.budget import ENOUGH_TO_LOOK, FLOORS, UNLIMITED, Purpose
from bridge.language import Sentence, say

LOOKS = ENOUGH_TO_LOOK

ROWS_A_PAGE = 25
A_DELETION = 2
"""Requests for a deletion among others, at the most."""

MANY_DAYS = 30
"""A lag beyond this is told as what is read a day: nobody waits for so many days."""


@dataclass(frozen=True, slots=True)
class Volume:
    """The mail of a day: ``rows`` listed, ``confirming`` of them say all that counts by themselves.

    ``deletions`` were asked for, and ``cleared`` receipts are to go by the settings.
    """

    rows: int
    confirming: int
    deletions: int = 0
    cleared: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a day of a volume needs, against what is allowed.

    ``needed`` are requests for all of it, ``essential`` those without texts that only confirm;
    ``allowed`` is None without a limit. Of ``confirming`` texts ``texts`` are read on the day;
    ``lag_days`` is how many days more the rest of one such day takes: 0 for none, None if never any
    is read. ``states_lag``: not even what is essential fits.
    """

    needed: int
    essential: int
    allowed: int | None
    confirming: int
    texts: int
    lag_days: int | None
    states_lag: bool

    @property
    def sentence(self) -> Sentence:
        """The forecast in words."""
        needed, allowed = f"{self.needed:,}", f"{self.allowed or 0:,}"
        if self.allowed is None:
            return say(
                "At today's volume about {needed} requests are needed; there is no limit.",
                needed=needed,
            )
        if self.lag_days == 0 and not self.states_lag:
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
        if self.states_lag:
            return say("states and incoming mail will be late, and receipts' texts missing.")
        if self.lag_days is None:
            return say("receipts' texts will not be read, states and incoming mail will.")
        if self.lag_days > MANY_DAYS:
            return say(
                "about {texts} of {all} receipts' texts will be read a day, states will not lag.",
                texts=f"{self.texts:,}",
                all=f"{self.confirming:,}",
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
    needed_texts = volume.rows - volume.confirming
    essential = LOOKS + pages + needed_texts + A_DELETION * volume.deletions
    needed = essential + volume.confirming + A_DELETION * volume.cleared
    confirming = volume.confirming
    if per_day == UNLIMITED:
        return Forecast(needed, essential, None, confirming, confirming, 0, states_lag=False)
    clearing = A_DELETION * volume.cleared
    kept_from_looks = int((1 - FLOORS[Purpose.CONFIRMATION]) * per_day)
    spare = min(per_day - essential, kept_from_looks) - clearing
    texts = min(max(spare, 0), confirming)
    left = confirming - texts
    lag_days = -(-left // texts) if texts else None if left else 0
    lags = per_day < essential
    return Forecast(needed, essential, per_day, confirming, texts, lag_days, states_lag=lags)
