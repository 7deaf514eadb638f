"""Finding where a known row is listed now, at the price of one page where little has moved."""

from __future__ import annotations

from collections.abc import Callable

from bridge.store.remote import Place, RemoteRow
from bridge.sync.ledger import Ledger
from bridge.sync.matching import Listed
from bridge.sync.pages import Pages
from bridge.sync.paging import Layout, Snapshot
from bridge.sync.state import SyncState

REACH = 2
"""Pages looked at to either side of where a row should be."""


class Locator:
    """Finds rows of one account.

    Args:
        pages: reads.
        ledger: what is known.
        state: gives what is known of the listing at the moment.
    """

    def __init__(self, pages: Pages, ledger: Ledger, state: Callable[[], SyncState]) -> None:
        self._pages = pages
        self._ledger = ledger
        self._state = state

    async def find(self, row: RemoteRow | Place) -> tuple[Listed, ...]:
        """Return every row with this fingerprint on the page where it is listed; () if nowhere.

        Ids that have moved there are written down.
        """
        page = await self.page_with(row)
        if page is None:
            return ()
        return tuple(one for one in page.rows if one.fingerprint == row.fingerprint)

    async def page_with(self, row: RemoteRow | Place) -> Snapshot | None:
        """Return the page where a row of this fingerprint is listed, None if it isn't."""
        layout = self._state().layout
        if layout is None:
            return None
        for number in await self._numbers(row, layout):
            page = await self._pages.snapshot(number, layout)
            if any(one.fingerprint == row.fingerprint for one in page.rows):
                alignment = await self._ledger.align(page)
                await self._ledger.move(alignment.moved)
                return page
        return None

    async def _numbers(self, row: RemoteRow | Place, layout: Layout) -> list[int]:
        position = await self._ledger.position(row.rank)
        number = layout.page_of(position, self._state().length(self._ledger.live))
        near = sorted(range(-REACH, REACH + 1), key=abs)
        return [number + step for step in near if number + step >= layout.base]
