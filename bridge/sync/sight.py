"""Whether all that is listed at this moment is known: then a text alone proves whose id it is.

A look says so whose total is explained by the known rows, while nothing is in doubt. Another row
just like a known one would be one too many.

Failure: errors of the API and the store pass.
"""

from __future__ import annotations

from bridge.clock import Clock
from bridge.sync.listing import Listing
from bridge.sync.memory import AccountMemory
from bridge.sync.pages import Pages

LISTED_FOR_S = 15.0
"""How old the reading by which a row is deleted may be: another just like it may come meanwhile."""


class Sight:
    """One account's.

    Args:
        listing: looks.
        pages: read the newest page, at the cost of what it is for.
        memory: what is known.
        clock: how old a look is.
    """

    def __init__(self, listing: Listing, pages: Pages, memory: AccountMemory, clock: Clock) -> None:
        self._listing = listing
        self._pages = pages
        self._memory = memory
        self._clock = clock

    @property
    def is_clear(self) -> bool:
        """Whether it is so now."""
        age_s = self._clock.monotonic() - self._listing.looked_s
        return self._can_clear and age_s <= LISTED_FOR_S and self._memory.agrees()

    @property
    def _can_clear(self) -> bool:
        """Whether a look may tell: not without a total, nor while anything is looked into.

        The pass over all pages that is due once a day only makes sure.
        """
        sweep = self._memory.state.sweep
        return (
            self._memory.state.total is not None
            and not self._memory.doubts
            and (sweep is None or sweep.whole)
            and not self._listing.is_in_doubt
        )

    async def renew(self) -> None:
        """Look, if that may tell and the last look does not any more."""
        if self._can_clear and not self.is_clear:
            await self._listing.look(self._pages)
