"""Rows that are not listed where they should be: which of them have left the API.

A row is withdrawn only after it was missing twice. One that has no twin goes as soon as a page
lacks it in two looks, the total lacks it too, and the API does not show it under its last id.
Where there is no total, and for twins (Q12), only a pass over the whole listing counts: without
a total two of them, and of twins as many go as are not listed any more; their bodies say which.

What a pass has seen so far is remembered here until it ends. Failure: errors of the API and the
store pass; then nothing was withdrawn that should not be, and the next pass sees it again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog

from bridge.api.budget import within_budget
from bridge.clock import Clock
from bridge.store.remote import Place, RemoteId
from bridge.sync.alignment import Alignment, missing
from bridge.sync.aside import MANY_ROWS, in_turns
from bridge.sync.filer import Filer
from bridge.sync.loss import Loss, seen_again
from bridge.sync.memory import AccountMemory
from bridge.sync.pages import Pages
from bridge.sync.paging import Snapshot
from bridge.sync.rows import Rows, Taken

log = structlog.get_logger()

PROBES = 10
"""Rows missing from a page that are asked for one by one before they count as gone."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which rows a page should list: those from ``high`` down to its lowest, or to the end.

    ``high`` is the rank of the row listed just before it, None if there is none; ``is_end`` says
    that nothing is older than what it lists; ``newer`` is the page before it, None if it is the
    newest or that one does not matter.
    """

    high: float | None
    is_end: bool
    newer: int | None


class Absence:
    """One account's missing rows.

    Args:
        pages: reads once more what seems to be missing.
        rows: what is known.
        filer: withdraws what is gone.
        memory: where the account stands, and which twins are in doubt.
        clock: time.
    """

    def __init__(
        self, pages: Pages, rows: Rows, filer: Filer, memory: AccountMemory, clock: Clock
    ) -> None:
        self._pages = pages
        self._rows = rows
        self._filer = filer
        self._memory = memory
        self._clock = clock
        self._paired: dict[RemoteId, tuple[str, int]] = {}
        self._suspects: dict[RemoteId, bytes] = {}
        self._names: set[bytes] = set()
        self._twins: dict[bytes, dict[str, int]] = {}
        self._missed: set[RemoteId] = set()
        self._fewer: dict[bytes, int] = {}
        self._listed: set[int] = set()
        self._unreadable = 0

    @property
    def is_held(self) -> bool:
        """Whether so much is missing that nothing is withdrawn for now (see ``loss``)."""
        loss = self._memory.state.loss
        return loss is not None and not loss.is_believed(self._clock.earliest())

    def forget(self) -> None:
        """A pass begins or has ended."""
        self._paired.clear()
        self._suspects.clear()
        self._names.clear()
        self._twins.clear()
        self._listed.clear()
        self._unreadable = 0

    async def remember(self, alignment: Alignment, page: Snapshot) -> None:
        """Note what a page of this pass lists."""
        twice: list[tuple[bytes, int]] = []
        async for place, one in in_turns(alignment.pairs):
            api_id, before = self._paired.setdefault(place.remote, (one.api_id, page.number))
            if api_id != one.api_id:  # listed twice, under two ids: perhaps two rows
                twice.append((place.fingerprint, before))
        self._memory.suspect_on([name for name, _ in twice], page)
        for name, before in twice:
            self._memory.mix_up(name, before)
        async for one in in_turns(alignment.rows):
            if one.api_id:
                self._listed.add(hash((one.api_id, one.fingerprint)))
                self._names.add(one.fingerprint)
            else:
                self._unreadable += 1
            if one.fingerprint in alignment.twins and one.api_id:
                self._twins.setdefault(one.fingerprint, {})[one.api_id] = page.number

    async def look_for(self, page: Snapshot, taken: Taken, span: Span) -> bool:
        """Withdraw what a page should list and does not; tells whether there was such a row."""
        if not taken.alignment.in_order:
            return True
        if taken.bottom is None and not span.is_end:
            return False
        low = None if span.is_end else taken.bottom
        between = await self._rows.between(low, span.high, many=len(page.rows) > MANY_ROWS)
        gone = [
            one
            for one in missing(taken.alignment, between)
            if one.rank != span.high and one.rank not in taken.new
        ]
        is_judged = page.total is None or not self.is_held  # else by the total alone
        if gone and is_judged and await self._may_be_gone(gone, page.total):
            await within_budget(self._look_again(page, span, gone))  # or at the next look
        return bool(gone)

    async def _look_again(self, page: Snapshot, span: Span, gone: Sequence[Place]) -> None:
        """Judge rows that a second look lacks too.

        What is in doubt is paired with no row, but has the name of one that it may be.
        """
        listed = await self._listed_again(page, span.newer)
        if listed is not None:
            names = listed | self._names
            await self._judge(page, [one for one in gone if one.fingerprint not in names])

    async def _may_be_gone(self, gone: Sequence[Place], total: int | None) -> bool:
        """Tell whether the API's total lacks a known row; else one that is missing is elsewhere.

        Of twins only the end of a pass tells how many there are.
        """
        return total is None or self._are_lacking(total, 1) or bool(await self._with_twins(gone))

    async def _listed_again(self, page: Snapshot, newer: int | None) -> set[bytes] | None:
        """Look at a page, and its newer neighbour, once more.

        Returns:
            The fingerprints on them, None if something moved meanwhile.
        """
        layout = self._memory.state.layout
        if layout is None:
            return None
        found: set[bytes] = set()
        for number in [page.number] if newer is None else [newer, page.number]:
            second = await self._pages.snapshot(number, layout)
            if second.total != page.total or (page.rows and not second.rows):
                return None
            alignment = await self._rows.align(second)
            found.update(one.fingerprint for one in alignment.rows)
            self._memory.suspect_on(alignment.doubtful, second)
        return found

    async def _judge(self, page: Snapshot, gone: Sequence[Place]) -> None:
        """Withdraw rows that were missing twice, or wait for what the whole listing says."""
        total = page.total
        twins = await self._with_twins(gone)
        single = [one for one in gone if one.fingerprint not in twins]
        if total is not None:
            if not self._are_lacking(total, len(single)):
                return  # the listing is in another order than it was
            absent = [one for one in single if not await self._is_shown(one, len(single))]
            await self._remove({one.remote for one in absent})
        late = [one for one in gone if one.fingerprint in twins or total is None]
        self._suspects.update((one.remote, one.fingerprint) for one in late)

    def has_seen_all(self, total: int | None) -> bool:
        """Tell whether the pass listed as many rows as the API says there are."""
        return total is None or self.listed == total - self._memory.state.excess

    @property
    def listed(self) -> int:
        """How many rows the pass has listed so far."""
        return len(self._listed) + self._unreadable

    async def judge_all(self, total: int | None) -> Loss | None:
        """Draw the conclusions that only a pass over all pages allows; it has just ended.

        Returns:
            What to think of a great loss now: where there is no total only this can tell.
        """
        loss = self._memory.state.loss
        # A row that was back may have been paired as a new one: what has its name is that row.
        gone = {
            remote
            for remote, name in self._suspects.items()
            if remote not in self._paired and name not in self._names
        }
        fewer: dict[bytes, int] = {}
        lacking = len(gone)
        for name, seen in self._twins.items():
            known = len(await self._rows.places([name]))
            if len(seen) < known:
                fewer[name] = len(seen)
                lacking += known - len(seen)
        if total is None:
            gone, self._missed = gone & self._missed, gone
            fewer, self._fewer = dict(fewer.items() & self._fewer.items()), fewer
            loss = seen_again(loss, lacking, self._memory.live, self._clock.now())
        if loss is not None and not loss.is_believed(self._clock.earliest()):
            return loss
        await self._remove(gone)
        for name, count in fewer.items():
            self._memory.count(name, self._twins[name].values(), count)
        return loss

    def _are_lacking(self, total: int, count: int) -> bool:
        """Tell whether the API's total lacks so many of the known rows."""
        return self._memory.live - total + self._memory.state.excess >= count

    async def _remove(self, remotes: Collection[RemoteId]) -> None:
        if remotes:
            log.info("rows_gone", account=self._memory.account, rows=len(remotes))
            await self._filer.withdraw(sorted(remotes))

    async def _with_twins(self, places: Sequence[Place]) -> set[bytes]:
        """Return the fingerprints of readable rows that a row not among them has too."""
        remotes = {one.remote for one in places}
        names = {one.fingerprint for one in places if one.api_id}
        return {
            place.fingerprint
            for place in await self._rows.places(names)
            if place.remote not in remotes
        }

    async def _is_shown(self, place: Place, beside: int) -> bool:
        """Ask for a row that is not listed, if there are few: an API may list in any order."""
        if beside > PROBES or not place.api_id:
            return False
        row = await self._rows.row(place.remote)
        return row is not None and await self._pages.shows(row)
