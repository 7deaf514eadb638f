"""Whether a day's requests suffice for a day's mail: arithmetic, and one sentence about it.

Looks come first, then the pages that list rows, then texts that somebody needs (incoming mail,
failures, receipts of several recipients); what is left over reads texts that only confirm what
their rows said. So with too few requests those texts lag, and only when not even the rest has
enough do states and incoming mail.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.api.budget import ENOUGH_TO_LOOK, UNLIMITED

LOOKS = ENOUGH_TO_LOOK

ROWS_A_PAGE = 25
A_DELETION = 2
"""Requests for a deletion among others, at the most."""


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
    ``allowed`` is None without a limit. ``lag_days`` is how many days' spare requests the texts of
    one such day take up beyond the day itself: 0 if the day suffices, None if there are never any
    to spare. ``states_lag``: not even what is essential fits.
    """

    needed: int
    essential: int
    allowed: int | None
    lag_days: int | None
    states_lag: bool

    @property
    def sentence(self) -> str:
        """The forecast in words."""
        begin = f"At today's volume about {self.needed:,} requests are needed"
        if self.allowed is None:
            return f"{begin}; there is no limit."
        if self.lag_days == 0:
            return f"{begin}; {self.allowed:,} are allowed."
        begin = f"{begin} and {self.allowed:,} are allowed"
        if self.states_lag:
            return f"{begin}: states and incoming mail will be late, and receipts' texts missing."
        if self.lag_days is None:
            return f"{begin}: receipts' texts will not be read, states and incoming mail will."
        days = "1 day" if self.lag_days == 1 else f"{self.lag_days:,} days"
        return f"{begin}: receipts' texts will lag {days}, states will not."


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
    if per_day == UNLIMITED:
        return Forecast(needed, essential, None, 0, states_lag=False)
    left_over, spare = needed - per_day, per_day - essential
    lag_days: int | None = 0
    if left_over > 0:
        lag_days = -(-left_over // spare) if spare > 0 else None
    return Forecast(needed, essential, per_day, lag_days, states_lag=spare < 0)
