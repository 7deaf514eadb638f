"""When so much is missing from the listing at once that it is doubted. Pure.

An API in trouble may show an empty mailbox, half of one, or lack a page, for hours, and then all of
it again. A person who tidies up in the webmail looks the same at first. So rows that vanish in
great number are not taken out of INBOX before they were missing in every look for ``WAIT``; a
few rows are, since what returns comes back as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

WAIT = timedelta(hours=24)
"""How long a great loss is doubted."""

LOOKS = 3
"""Looks that must have shown it by then, too: a bridge that was off saw nothing."""

TOLD_AFTER = timedelta(minutes=10)
"""When a person is told of it: most are over by then."""

MANY = 25
FEW = 3


@dataclass(frozen=True, slots=True)
class Loss:
    """A great loss: since when it shows, in how many looks, and how many rows were missing last.

    ``is_credible`` is False where the API contradicts itself: it counts rows and lists none.
    """

    since: datetime
    looks: int
    missing: int
    is_credible: bool = True

    def is_believed(self, now: datetime) -> bool:
        """Tell whether it was there for long enough."""
        return self.is_credible and self.looks >= LOOKS and now - self.since >= WAIT


def is_great(missing: int, known: int) -> bool:
    """Tell whether a loss of ``missing`` of ``known`` rows is doubted: all, half, or a page."""
    return missing >= MANY or missing >= max(known, 1) or (missing >= FEW and 2 * missing >= known)


def seen_again(
    loss: Loss | None, missing: int, known: int, now: datetime, *, is_credible: bool = True
) -> Loss | None:
    """Return what to think after one more look, None if there is no great loss (any more).

    Args:
        loss: what was thought before.
        missing: rows that the look lacks.
        known: rows that are known.
        now: when it was.
        is_credible: see ``Loss``.
    """
    if not is_great(missing, known):
        return None
    if loss is None:
        return Loss(now, 1, missing, is_credible)
    return Loss(loss.since, loss.looks + 1, missing, is_credible)
