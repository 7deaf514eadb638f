"""Keeping the known rows equal to the API's listing, at the price of one page where nothing moved.

``look`` reads the page with the newest rows. If all of it is known and the API's total is
explained by what is known, that was all. Otherwise a *sweep* goes on from there towards the
oldest row, a page for each ``step``, until the total is explained or the end is reached; once a
day a whole one looks at every page. A sweep survives a restart.

Where more has come between two looks than a page holds, the look itself reads on to what was known:
the gap that it would leave is beyond a sweep that is under way, which would end without it. That
sweep goes on afterwards where it was.

New rows are kept as soon as a page shows them; what is missing is for ``absence`` to judge.

Failure: errors of the API and the store pass; what was kept until then stays, and the next look
goes on from there.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bridge.api.budget import within_budget
from bridge.api.schema import InboxRow
from bridge.clock import Clock
from bridge.sync.absence import Absence, Span
from bridge.sync.interrupted import Interrupted
from bridge.sync.memory import AccountMemory
from bridge.sync.newest import Newest
from bridge.sync.pages import ListingPages, Pages, same_page
from bridge.sync.paging import Layout, Snapshot, has_oldest, is_end
from bridge.sync.routine import Routine
from bridge.sync.rows import Rows, Taken
from bridge.sync.state import Sweep
from bridge.sync.totals import doubted_loss, judged

log = structlog.get_logger()

NEWS_PAGES = 48
"""So many pages a look reads on while they end with new rows: what sends to five recipients each,
one a second, bring between two looks (``api.share.LONGEST_S``). What is first read is an import.
"""

SWEEP_IN_LOSS = timedelta(hours=1)
"""How often a listing that lacks very many rows is gone through before that is believed."""


class Listing:
    """One account's listing.

    Args:
        pages: read it.
        rows: what is known.
        absence: judges what is missing.
        memory: where the account stands.
        clock: time.
    """

    def __init__(
        self, pages: ListingPages, rows: Rows, absence: Absence, memory: AccountMemory, clock: Clock
    ) -> None:
        self._pages = pages
        self._rows = rows
        self._absence = absence
        self._memory = memory
        self._clock = clock
        self._newest = Newest(clock, memory.account)
        self._last: Snapshot | None = None
        self._begun_total: int | None = None
        self._is_unbroken = False
        self._has_more_news = False
        self._goes_on = False
        self._is_gap_left = False
        self._interrupted = Interrupted()
        self._routine = Routine()
        self._swept_at: datetime | None = None
        self._looked_s = -math.inf

    @property
    def looked_s(self) -> float:
        """When the last look that succeeded was begun, by the monotonic clock."""
        return self._looked_s

    @property
    def is_settled(self) -> bool:
        """Whether all that is listed is known and the reverse, but for what is doubtful."""
        is_explained = self._memory.state.whole_at is not None and self._memory.agrees()
        return (is_explained or self.is_in_doubt) and not self.sweeping

    # -- the newest page ---------------------------------------------------------------------

    async def look(self, pages: Pages | None = None) -> None:
        """Read the newest page, and begin a sweep if it does not explain the API's total.

        Args:
            pages: read it, where a person asked; None if the look was due.
        """
        began_s = self._clock.monotonic()
        news, is_first = pages or self._pages.news, not self._memory.live
        pages = pages or self._pages.looks
        self._goes_on = False
        page, layout = await self._newest_page(pages)
        loss = doubted_loss(self._memory.state, page, self._memory.live, self._clock.now())
        if loss is not None:
            log.warning("loss_doubted", account=self._memory.account, rows=loss.missing)
        self._memory.remember(replace(self._memory.state, loss=loss))
        if page.rows or not self.is_in_doubt:
            await self._take_in_newest(page, layout)
        self._memory.remember(replace(self._memory.state, last_sync=self._clock.now()))
        await self._memory.keep()
        self._looked_s = began_s
        if not is_first and not await within_budget(self._read_on(news)):
            self._is_gap_left = True

    async def _read_on(self, pages: Pages) -> None:
        """Read the gap that the newest page leaves, if it does."""
        for _ in range(NEWS_PAGES):
            if not (self.sweeping and self._goes_on):
                break
            await self._step(pages)

    @property
    def is_in_doubt(self) -> bool:
        """Whether so much is missing that nothing is taken out of INBOX for now."""
        return self._absence.is_held

    async def _newest_page(self, pages: Pages) -> tuple[Snapshot, Layout]:
        length, is_anew = self._memory.length, self._whole_due
        found = await self._newest.read(pages, self._memory.state, length, is_anew=is_anew)
        self._memory.remember(replace(self._memory.state, layout=found.layout))
        return found.page, found.layout

    @property
    def _whole_due(self) -> bool:
        return not self.sweeping and self._routine.is_due(
            self._memory.state.whole_at, self._clock.now()
        )

    async def _take_in_newest(self, page: Snapshot, layout: Layout) -> None:
        if not self.sweeping:
            self._absence.forget()
        taken = await self._take(page, None, remember=not self.sweeping)
        extent = None
        if layout.newest_first is False:
            extent = (page.number - layout.base) * layout.size + len(page.rows)
        self._memory.remember(replace(self._memory.state, total=page.total, extent=extent))
        is_last = has_oldest(page, self._memory.state.layout)
        span = Span(None, is_last and is_end(page, self._memory.state.layout), None)
        gap = await self._absence.look_for(page, taken, span)
        found = gap or bool(taken.fresh or taken.alignment.doubtful)
        if is_last:
            self._is_unbroken = True
            await self._end_sweep(page.total, found=found)
        elif page.rows:
            await self._begin_sweep(page, taken, found=found)

    async def _begin_sweep(self, page: Snapshot, taken: Taken, *, found: bool) -> None:
        """Go on to older pages if there is a reason.

        Args:
            page: the newest one.
            taken: what it brought; all it lists may have to be told apart first: what is older
                does not wait for that.
            found: it shows something that was not known.
        """
        state = self._memory.state
        swept_at = self._swept_at if self.is_in_doubt else None
        if swept_at is not None and self._clock.now() - swept_at < SWEEP_IN_LOSS:
            return
        unexplained = not self._memory.agrees(await self._rows.undecided())
        whole_due = self._whole_due or (page.total is None and found)
        has_more_news = page.total is None and _goes_on(taken)
        is_to_begin_anew = unexplained or has_more_news
        under_way = state.sweep is not None and not (state.sweep.whole and is_to_begin_anew)
        if under_way and state.sweep is not None and unexplained and _goes_on(taken):
            self._interrupted.add(state.sweep, is_gap=self._is_gap_left)
            under_way = False
        if (unexplained or whole_due) and not under_way:
            whole = whole_due and not unexplained
            self._memory.remember(
                replace(
                    state, sweep=Sweep(page.number, taken.bottom, page.total, whole, found=found)
                )
            )
            self._begun_total = page.total
            self._has_more_news = has_more_news
            self._goes_on = _goes_on(taken)
            self._last = page
            self._is_unbroken = True

    # -- sweeping ----------------------------------------------------------------------------

    @property
    def sweeping(self) -> bool:
        """Whether there are pages to look at."""
        return self._memory.state.sweep is not None

    async def step(self) -> None:
        """Look at the next page of the sweep."""
        is_repeated = self._memory.state.whole_at is not None or self._routine.is_repeated
        is_whole = self._memory.state.sweep is not None and self._memory.state.sweep.whole
        is_routine = is_whole and is_repeated and not self._has_more_news
        pages = self._pages.news if self._is_gap_left else self._pages.sweeps
        await self._step(self._pages.routine if is_routine else pages)

    async def _step(self, pages: Pages) -> None:
        sweep, layout = self._memory.state.sweep, self._memory.state.layout
        if sweep is None or layout is None:
            return
        number = layout.older(sweep.page)
        page = self._past_end(sweep)
        if number is not None:
            page = await pages.snapshot(number, layout)
        if await self._is_repeated(page, layout):
            page = self._past_end(sweep)
        if page.rows and sweep.is_longer_than(page.total):
            self._step_back(sweep, page, layout)
        else:
            await self._look_at(sweep, page, layout)
        self._is_gap_left = self._is_gap_left and self._goes_on
        await self._memory.keep()

    async def _is_repeated(self, page: Snapshot, layout: Layout) -> bool:
        """Tell whether a page past the end shows the last one again.

        Newer rows may have moved the last page's rows to this one just now: then the last page
        shows others.
        """
        last = self._last
        if last is None or layout.newest_first is False or not same_page(last, page):
            return False
        return same_page(await self._pages.sweeps.snapshot(last.number, layout), page)

    def _past_end(self, sweep: Sweep) -> Snapshot:
        return Snapshot(sweep.page, (), sweep.total)

    def _step_back(self, sweep: Sweep, page: Snapshot, layout: Layout) -> None:
        """Rows went since the last page, so those after them moved up, past where it was looked."""
        self._is_unbroken = False
        by = (sweep.total or 0) - (page.total or 0)
        number = sweep.page
        if layout.newest_first is not False:
            number = max(page.number - 1 - (by + layout.size - 1) // layout.size, layout.base - 1)
        self._last = None
        self._memory.remember(
            replace(
                self._memory.state, sweep=Sweep(number, None, page.total, sweep.whole, found=True)
            )
        )

    async def _look_at(self, sweep: Sweep, page: Snapshot, layout: Layout) -> None:
        """Take in a page of the sweep, and see whether there is more."""
        above = sweep.above if page.total == sweep.total else None
        self._is_unbroken = self._is_unbroken and page.total == sweep.total
        follows = above is not None and page.total is not None
        taken = await self._take(page, sweep.rank_above(page.total, layout.size), follows=follows)
        self._has_more_news = page.total is None and _goes_on(taken)
        self._goes_on = _goes_on(taken)
        if page.rows:
            self._memory.remember(replace(self._memory.state, total=page.total))
        is_last = not page.rows or has_oldest(page, self._memory.state.layout)
        high = taken.top if above is None else above
        newer = None if above is None else layout.newer(page.number)
        gap = False
        if high is not None:
            span = Span(high, is_last and is_end(page, self._memory.state.layout), newer)
            gap = await self._absence.look_for(page, taken, span)
        found = sweep.found or gap or page.total != sweep.total
        found = found or bool(taken.fresh or taken.alignment.doubtful)
        if is_last:
            await self._end_sweep(self._memory.state.total, found=found)
        elif not sweep.whole and self._is_explained(await self._rows.undecided()):
            self._interrupted.clear()
            self._memory.remember(replace(self._memory.state, sweep=None))
        else:
            below = sweep.above if taken.bottom is None else taken.bottom
            here = Sweep(page.number, below, page.total, sweep.whole, found)
            self._last = page
            self._memory.remember(replace(self._memory.state, sweep=self._resumed(here, layout)))

    def _is_explained(self, undecided: int) -> bool:
        """Tell whether what is listed makes up the API's total, or what that was at the beginning.

        What came while pages were read is newer than those, and for the next look to find. Nor are
        ``undecided`` twins a reason to read on: no page tells them apart.
        """
        total, begun, live = self._memory.state.total, self._begun_total, self._memory.live
        if total is None:
            return False
        here = live + undecided
        had_all = begun is not None and total > begun and begun - here == self._memory.state.excess
        return had_all or self._memory.agrees(undecided)

    def _resumed(self, sweep: Sweep, layout: Layout) -> Sweep:
        """Return where to go on: once a gap is read, where the sweep was that it interrupted."""
        if self._goes_on or not self._interrupted:
            return sweep
        resumed, self._goes_on = self._interrupted.resumed(sweep, layout)
        self._is_unbroken = self._is_unbroken and resumed is sweep
        return resumed

    async def _end_sweep(self, total: int | None, *, found: bool) -> None:
        """The oldest row was reached: the whole listing was seen."""
        self._swept_at = self._clock.now()
        has_seen_all, listed = self._absence.has_seen_all(total), self._absence.listed
        if not has_seen_all:  # perhaps the pages are cut in another way
            self._memory.remember(replace(self._memory.state, layout=None))
        elif self._is_unbroken:
            self._memory.remember(
                replace(self._memory.state, loss=await self._absence.judge_all(total))
            )
        self._absence.forget()
        self._interrupted.clear()
        # Rows that moved under a pass may have been passed over, and as many that are gone may
        # still count here: then the totals agree and nothing else would ever tell. Without a
        # total only a quiet pass proves anything.
        is_proof = self._is_unbroken and has_seen_all and (total is not None or not found)
        self._memory.remember(
            replace(
                self._memory.state, sweep=None, whole_at=self._clock.now() if is_proof else None
            )
        )
        self._routine.ended(self._clock.now(), is_proof=is_proof)
        was = self._memory.state.excess
        if total is not None and self._is_unbroken and not self.is_in_doubt:
            self._memory.remember(judged(self._memory.state, total - listed))
            if self._memory.state.excess != was:
                log.warning("total_off", account=self._memory.account, by=self._memory.state.excess)

    # -- pages in general --------------------------------------------------------------------

    async def _take(
        self,
        page: Snapshot,
        above: float | None,
        *,
        follows: bool = False,
        remember: bool = True,
    ) -> Taken:
        """Keep what a page brings, below ``above``; ``follows``: that row is just before it."""
        alignment = await self._rows.align(page, above if follows else None)
        taken = await self._rows.take(alignment, above)
        self._note_arrivals(taken)
        self._memory.suspect_on(taken.alignment.doubtful, page)
        if remember:
            await self._absence.remember(taken.alignment, page)
        return taken

    def _note_arrivals(self, taken: Taken) -> None:
        """Note when what is new came."""
        rows = (taken.alignment.rows[index].row for index in taken.alignment.fresh)
        came = [row.date for row in rows if isinstance(row, InboxRow) and row.date is not None]
        if came:
            arrivals = self._memory.state.arrivals.seen(came, self._clock.now())
            self._memory.remember(replace(self._memory.state, arrivals=arrivals))


def _goes_on(taken: Taken) -> bool:
    """Tell whether a page's oldest row is new, or may be, so that older ones may be too."""
    rows = taken.alignment.rows
    is_new = len(rows) - 1 in taken.alignment.fresh
    return bool(rows) and (is_new or rows[-1].fingerprint in taken.alignment.doubtful)
