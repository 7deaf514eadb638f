"""Sweeps that news interrupted: the gaps between them are read from the newest to the oldest. Pure.

Where requests do not suffice to read a gap to its end, the next look may leave another one above
it: what it lists is an island, with news on both sides. What was interrupted last is gone on with
first, so that no gap is passed over; nothing else would tell of it but a pass over all that is
listed.
"""

from __future__ import annotations

from collections import deque

from bridge.sync.paging import Layout
from bridge.sync.state import Sweep

MOST = 500
"""So many are remembered, the latest: an earlier one is come by page by page, after these."""


class Interrupted:
    """The sweeps of one account that are to be gone on with, the latest first."""

    def __init__(self) -> None:
        self._sweeps: deque[tuple[Sweep, bool]] = deque(maxlen=MOST)

    def __bool__(self) -> bool:
        return bool(self._sweeps)

    def add(self, sweep: Sweep, *, is_gap: bool) -> None:
        """Remember a sweep.

        Args:
            sweep: how far it got.
            is_gap: what follows its last page is news.
        """
        self._sweeps.append((sweep, is_gap))

    def clear(self) -> None:
        """Forget them: all is explained, or the oldest row was reached."""
        self._sweeps.clear()

    def resumed(self, sweep: Sweep, layout: Layout) -> tuple[Sweep, bool]:
        """Take the latest off: return where to go on, and whether news follow there.

        New rows have moved its page towards the end since. The first page from there has known
        rows, so that it is told where those below them belong.

        Args:
            sweep: how far was read; this is where to go on if that is further.
            layout: how the listing is cut.
        """
        earlier, is_gap = self._sweeps.pop()
        if layout.newest_first is False:
            number = earlier.page + 1
        else:
            by = (sweep.total or 0) - (earlier.total or 0)
            number = earlier.page + by // layout.size - 1
        if not layout.is_older(number, sweep.page):
            return sweep, is_gap
        return Sweep(number, None, sweep.total, sweep.whole, sweep.found), is_gap
