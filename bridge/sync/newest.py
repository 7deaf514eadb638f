"""Reading the page with the newest rows, wherever that is by now, and how the listing is cut.

Where the API lists its oldest page first, the newest page moves on as rows come. It is looked for
where they are expected to have got to by now, so that it is read before the older page that they
began on: rows go to older pages when one is deleted, and what is read towards those is not passed
over. Expected are as many as came of late (``Growth``); a wrong guess costs a request.

Failure: errors of the API pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bridge.clock import Clock
from bridge.model import AccountId
from bridge.sync.aside import aside
from bridge.sync.pages import Pages
from bridge.sync.paging import Layout, Snapshot, is_upside_down, turned
from bridge.sync.state import SyncState

log = structlog.get_logger()

ANEW_EVERY = timedelta(hours=1)
"""How often it is found out anew how the listing is cut, while the day's pass over it is due."""

LATEST_WEIGHT = 0.3
"""How much the time between the last two looks counts for what is expected until the next."""

MOST_PAGES = 48
"""No more than so many pages of new rows are expected."""


@dataclass(frozen=True, slots=True)
class FoundNewest:
    """The newest page, and how the listing is cut."""

    page: Snapshot
    layout: Layout


class Growth:
    """How many rows come in a second, as the API's totals at one moment after another tell."""

    def __init__(self) -> None:
        self._per_s = 0.0
        self._last: tuple[float, int] | None = None

    def expected(self, now_s: float, *, most: int) -> int:
        """Return how many rows may have come since the last total, ``most`` of them at the most."""
        if self._last is None:
            return 0
        return min(round(self._per_s * (now_s - self._last[0])), most)

    def noted(self, now_s: float, total: int | None) -> None:
        """Take note of a total that was told now; None if none was."""
        if total is None:
            self._per_s, self._last = 0.0, None
            return
        if self._last is not None and now_s > self._last[0]:
            came = max(total - self._last[1], 0) / (now_s - self._last[0])
            self._per_s += LATEST_WEIGHT * (came - self._per_s)
        self._last = now_s, total


class Newest:
    """One account's newest page."""

    def __init__(self, clock: Clock, account: AccountId) -> None:
        self._clock = clock
        self._account = account
        self._growth = Growth()
        self._understood_at: datetime | None = None

    async def read(
        self, pages: Pages, state: SyncState, length: int, *, is_anew: bool
    ) -> FoundNewest:
        """Read it.

        Args:
            pages: reads it.
            state: what is known of the listing.
            length: how many rows it has, as far as is known.
            is_anew: find out anew how it is cut, if that was not done lately.
        """
        layout = state.layout
        if layout is None or (is_anew and self._is_old) or not _is_clear(layout, state):
            layout = await self._discover(pages, state)
        page = await self._page(pages, layout, length)
        if layout.single and (page.total or 0) - state.excess > len(page.rows):
            layout = await self._discover(pages, state)
            page = await self._page(pages, layout, length)
        if layout.single and await aside(len(page.rows), is_upside_down, page):
            layout, page = replace(layout, descending=not layout.descending), turned(page)
        if len(page.rows) > layout.size:
            layout = replace(layout, size=len(page.rows))
        return FoundNewest(page, layout)

    async def _page(self, pages: Pages, layout: Layout, length: int) -> Snapshot:
        now_s = self._clock.monotonic()
        growth = self._growth.expected(now_s, most=MOST_PAGES * layout.size)
        page = await pages.newest(layout, length, growth)
        self._growth.noted(now_s, page.total)
        return page

    @property
    def _is_old(self) -> bool:
        """Whether it is long ago that was found out how the listing is cut."""
        at = self._understood_at
        return at is None or self._clock.now() - at >= ANEW_EVERY

    async def _discover(self, pages: Pages, state: SyncState) -> Layout:
        layout = await pages.discover()
        self._understood_at = self._clock.now()
        if layout != state.layout:
            log.info("listing_understood", account=self._account, layout=str(layout))
        return layout


def _is_clear(layout: Layout, state: SyncState) -> bool:
    """Tell whether the layout says where the newest row is."""
    return layout.newest_first is not None or (layout.single and state.total is not None)
