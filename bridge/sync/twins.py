"""Telling twins apart: rows that agree in every listed field, by their bodies (Q12).

Their ids may shift while they are read (Q11), so the pages are read, then bodies, then the pages
again; only if all stood still is anything believed. What is read together was listed at one
moment, and then other ids are other rows. A group may have any number of rows: it is read in
chunks, and what was read is shown although its like cannot be. Small groups are read together,
and chunks grow while nothing moves: a listing without pages is not read again for every few rows.

Where more are listed than are known, only rows under ids that no filed row has are read
(``Judge``). One whose body no known row has is new. One whose body a known row has is new
too, if that row still stands under its own id; else it is that row, moved, unless its neighbours
moved otherwise: then that row is gone, and this is another just like it. Once one has moved any
other may stand under an id that was its like's.

Where that is so, where fewer are listed than are known, or one was taken for another, all of them
are read (``Case.is_whole``): a known row whose body none of them has is gone.

A row that cannot be read proves nothing until it was tried for ``GIVE_UP_S``.

Failure: errors of the API and the store pass. What could not be told stays doubtful.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from bridge.clock import Clock
from bridge.receipts.arrival import Arrival
from bridge.store.remote import Place, RemoteId
from bridge.sync.filer import Filer
from bridge.sync.listed import Listed
from bridge.sync.locating import Moment, Way
from bridge.sync.memory import AccountMemory, Doubt
from bridge.sync.paging import Layout, Snapshot
from bridge.sync.rows import Rows
from bridge.sync.twincase import Case, Outcome, Text, count, see
from bridge.sync.twinjudging import Judge
from bridge.sync.twinpages import noted, pages_of, stands_listed
from bridge.sync.twinreading import CHUNK_ROWS, Reading, read_chunks

log = structlog.get_logger()

PAGES_TOGETHER = 4
"""Groups on so many pages are told apart together; one alone may be on more."""

CHUNK_SHARE = 4
"""A chunk grows to the rows of the pages it is on, divided by this."""


@dataclass(slots=True)
class Turn:
    """What came of some groups: those that were ``tried``, and those of them that are settled."""

    tried: list[bytes] = field(default_factory=list)
    settled: list[bytes] = field(default_factory=list)


class Twins:
    """Settles doubts about one account's twins.

    Args:
        way: how their texts are asked for, and their pages looked for.
        rows: what is known.
        filer: files what is new, and withdraws what is gone.
        memory: what is in doubt, and which texts are under way.
        clock: time.
    """

    def __init__(
        self, way: Way, rows: Rows, filer: Filer, memory: AccountMemory, clock: Clock
    ) -> None:
        self._way = way
        self._judge = Judge(way.client, clock)
        self._rows = rows
        self._filer = filer
        self._memory = memory
        self._clock = clock
        self._readings: dict[bytes, Reading] = {}
        self._chunk_rows = CHUNK_ROWS

    def is_waiting(self, name: bytes, doubt: Doubt) -> bool:
        """Tell whether twins are left alone for now, since some could not be read."""
        reading = self._readings.get(name)
        now_s = self._clock.monotonic()
        return reading is not None and reading.rests(doubt.listed_ids, now_s)

    @property
    def has_more(self) -> bool:
        """Whether some group has rows that can be read at once."""
        return any(reading.has_more for reading in self._readings.values())

    def has_more_of(self, name: bytes) -> bool:
        """Tell whether rows of this group can be read at once."""
        reading = self._readings.get(name)
        return reading is not None and reading.has_more

    def unread(self, since_s: float) -> int:
        """Count the rows of which some of their like could not be read since then."""
        return sum(
            len(reading.failed)
            for reading in self._readings.values()
            if reading.failing_since_s is not None and reading.failing_since_s <= since_s
        )

    async def settle(self, doubts: Mapping[bytes, Doubt], layout: Layout) -> list[bytes]:
        """Settle the first of some groups of twins, or a part of them.

        Returns:
            Those that were tried.

        Args:
            doubts: what is known of them, by fingerprint; one at least.
            layout: how pages are cut.

        Raises:
            ApiError, StoreFailed: what was settled until then stays.
        """
        self._memory.keep_up()
        turn, before, room = Turn(), self._way.locator.moment(), self._chunk_rows
        self._chunk_rows = CHUNK_ROWS  # unless all goes well
        found = await self._cases(doubts, before, layout, room, turn)
        cases = self._to_be_read(found, layout, room, turn)
        read = await read_chunks(self._way.client, [case.rows for case in cases])
        for case, chunk in zip(cases, read, strict=True):
            case.chunk = chunk
        for case in cases:
            await self._judge.find_moved(case)
        stood = await self._stood_still(cases, before, layout)
        outcomes = [(case, await self._judge.conclude(case, before)) for case in stood]
        await self._keep(outcomes, layout)
        for case, outcome in outcomes:
            self._end(case, outcome, turn)
        if len(stood) == len(cases):
            self._chunk_rows = min(2 * room, max(before.rows_read // CHUNK_SHARE, CHUNK_ROWS))
        for name in turn.settled:
            self._memory.settled(name)
        return turn.tried

    def _settled(self, name: bytes, turn: Turn) -> None:
        turn.settled.append(name)
        self._readings.pop(name, None)  # another doubt of these has all its patience

    # -- where they are ----------------------------------------------------------------------

    async def _cases(
        self,
        doubts: Mapping[bytes, Doubt],
        before: Moment,
        layout: Layout,
        room: int,
        turn: Turn,
    ) -> list[Case]:
        """Take up as many groups as there is room for, and find the pages that they are on."""
        cases: list[Case] = []
        for name, doubt in doubts.items():
            if cases and (room <= 0 or before.pages_read > PAGES_TOGETHER):
                break
            turn.tried.append(name)
            if self.is_waiting(name, doubt):
                continue
            known = await self._rows.places([name])
            reading = self._readings.setdefault(name, Reading())
            reading.leaves(more=False)
            doubt.see_again(reading.try_again(self._clock.monotonic()))
            if self._are_fetched(known):
                continue  # what is read now would have to be read again
            case = Case(name, doubt, reading, known, noted=noted(doubt, room))
            if case.is_whole:
                case.pages = await before.everywhere(known, doubt.pages)
            else:
                case.pages = await pages_of(case, before, room, layout)
            room -= count(name, case.pages.values())
            cases.append(case)
        known_now = await self._known(cases)  # looking at pages may have moved them
        for case in cases:
            case.known = known_now[case.name]
        await before.match()
        return cases

    async def _known(self, cases: Sequence[Case]) -> dict[bytes, list[Place]]:
        known: dict[bytes, list[Place]] = {case.name: [] for case in cases}
        for place in await self._rows.places(known):
            known[place.fingerprint].append(place)
        return known

    def _to_be_read(
        self, found: Sequence[Case], layout: Layout, room: int, turn: Turn
    ) -> list[Case]:
        """Choose which rows are to be read now; returns the groups that are to be gone on with."""
        cases = []
        for case in found:
            case.seen = see(case.name, case.pages, layout)
            if case.is_out_of_sight:
                self._look_for_all(case)
                continue
            if case.is_whole and self._stands_as_it_did(case):
                self._settled(case.name, turn)
                continue
            wanted = self._wanted(case)
            case.rows = wanted[: max(room, 0)]
            case.has_more = len(wanted) > len(case.rows)
            room -= len(case.rows)
            if wanted and not case.rows:
                case.reading.leaves(more=True)
            else:
                cases.append(case)
        return cases

    def _look_for_all(self, case: Case) -> None:
        """Take up all of a group, on all its pages: not all that were seen of it are found."""
        if case.is_whole:
            case.reading.misses_all(self._clock.monotonic())
        else:
            case.doubt.mix_up()
        case.reading.leaves(more=not case.reading.is_lost)

    def _stands_as_it_did(self, case: Case) -> bool:
        """Tell whether nothing of a group has to be read, as it is listed now."""
        ids = case.seen.ids
        if not ids:
            return True  # they are not here any more; the listing will say what became of them
        case.reading.sees_all(ids)
        is_filed = not case.bodiless and not case.doubt.is_mixed_up
        return is_filed and ids == [place.api_id for place in case.known]

    def _wanted(self, case: Case) -> list[Listed]:
        """Return the rows of a group that are to be read, now or later."""
        reading = case.reading
        if case.is_whole:
            done = reading.digests.keys() | reading.failed
        else:
            reading.listed.update(case.seen.ids)
            done = {place.api_id for place in case.filed} | reading.failed
        return [one for one in case.seen.rows if one.api_id not in done]

    # -- whether they stand ------------------------------------------------------------------

    async def _stood_still(
        self, cases: Sequence[Case], before: Moment, layout: Layout
    ) -> list[Case]:
        """Return the groups that are listed as they were before they were read."""
        after = self._way.locator.moment()
        stood = []
        for case in cases:
            if await stands_listed(case, after, layout):
                stood.append(case)
            elif case.is_whole:
                case.reading.digests.clear()
        is_read = any(case.rows and not case.is_whole for case in stood)
        edge_stands = not is_read or _stands(await before.edge(), await after.edge())
        known = await self._known(stood)
        return [case for case in stood if self._may_be_believed(case, known, edge_stands)]

    def _may_be_believed(
        self, case: Case, known: Mapping[bytes, list[Place]], edge_stands: bool
    ) -> bool:
        """Tell whether known ones are what they were when it was begun.

        A text, or an id, that came while their like were read, or soon may, makes that void.
        """
        if not case.is_whole and not case.rows:
            return True
        has_changed = self._are_fetched(case.known) or known[case.name] != case.known
        if has_changed and case.is_whole:
            case.reading.digests.clear()
        return not has_changed and (edge_stands or case.is_whole)

    def _are_fetched(self, known: Sequence[Place]) -> bool:
        return any(self._memory.is_under_way(place.remote) for place in known)

    # -- keeping it --------------------------------------------------------------------------

    async def _keep(self, outcomes: Sequence[tuple[Case, Outcome]], layout: Layout) -> None:
        """Keep what was found of all groups that were read together."""
        texts = [(case, text) for case, outcome in outcomes for text in outcome.texts]
        remotes = await self._rows_of(texts, layout)
        await self._rows.move([move for _, outcome in outcomes for move in outcome.moves])
        replaced = [remote for _, outcome in outcomes for remote in outcome.replaced]
        await self._filer.replace(replaced)
        for first in range(0, len(texts), CHUNK_ROWS):
            arrivals: list[Arrival] = []
            for remote, text in remotes[first : first + CHUNK_ROWS]:
                row = await self._rows.row(remote)
                if row is not None:
                    arrivals.append(Arrival.of(row, text.body, text.unreadable))
            await self._filer.file(arrivals)
        gone = [remote for _, outcome in outcomes for remote in outcome.gone]
        if gone:
            log.info("twins_gone", account=self._memory.account, rows=len(gone))
            await self._filer.withdraw(gone)

    async def _rows_of(
        self, texts: Sequence[tuple[Case, Text]], layout: Layout
    ) -> list[tuple[RemoteId, Text]]:
        """Return whose texts those are, oldest first; new rows are kept for those that need one."""
        new: dict[int, set[int]] = {}
        pages: dict[int, Snapshot] = {}
        for case, text in texts:
            number, index = case.seen.places[text.at]
            pages[number] = case.pages[number]
            if text.place is None:
                new.setdefault(number, set()).add(index)
        added: dict[tuple[int, int], RemoteId] = {}
        oldest_first = sorted(pages, reverse=layout.newest_first is not False)
        for number in oldest_first:
            remotes = await self._rows.add_twins(pages[number], new.get(number, ()))
            added |= {(number, index): remote for index, remote in remotes.items()}
        order = {number: position for position, number in enumerate(oldest_first)}
        rows = []
        for case, text in texts:
            number, index = case.seen.places[text.at]
            remote = added[number, index] if text.place is None else text.place.remote
            rows.append((order[number], -index, remote, text))
        rows.sort(key=lambda one: one[:2])
        return [(remote, text) for _, _, remote, text in rows]

    def _end(self, case: Case, outcome: Outcome, turn: Turn) -> None:
        """Note where a group stands, once what was found of it is kept."""
        reading = case.reading
        if case.is_mixed_up:
            case.doubt.mix_up()
            reading.leaves(more=True)
        elif case.is_whole:
            reading.leaves(more=case.has_more)
        else:
            reading.failed -= outcome.given_up
            _cross_off(case, outcome.done)
            reading.leaves(more=bool(case.rows or case.has_more or case.doubt.pages))
            outcome.is_all = not (reading.has_more or reading.failed)
        if outcome.is_all:
            self._settled(case.name, turn)


def _cross_off(case: Case, done: set[str]) -> None:
    """Cross off the pages on which nothing is left to be read for now."""
    for number, page in case.pages.items():
        ids = frozenset(page.rows[at].api_id for at in page.indexes.get(case.name, ()))
        if ids <= done:
            case.doubt.cross_off(number)
        if ids & case.reading.failed:
            case.reading.parked[number] = ids


def _stands(before: Snapshot | None, after: Snapshot | None) -> bool:
    """Tell whether the newest rows are where they were, whatever came after them."""
    if before is None or after is None:
        return before is after
    places = {(one.api_id, one.fingerprint) for one in after.rows}
    return places.issuperset((one.api_id, one.fingerprint) for one in before.rows)
