"""Finding where a known row is listed now, at the price of one page where little has moved."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from bridge.api.purpose import Purpose
from bridge.store.remote import Place, RemoteRow
from bridge.sync.alignment import Alignment
from bridge.sync.memory import AccountMemory
from bridge.sync.pages import InboxClient, Pages
from bridge.sync.paging import Layout, Snapshot
from bridge.sync.rows import Rows

REACH = 2
"""Pages looked at to either side of where a row should be."""

ALL = 400
"""Pages looked at in the most thorough search."""

SPREAD = ALL
"""Pages that twins may spread over to either side."""

LOOKED_FOR = 8
"""So many known twins are looked for where they should be, the first ones."""


class Locator:
    """Finds rows of one account.

    Args:
        pages: reads.
        rows: what is known.
        memory: what is known of the listing.
    """

    def __init__(self, pages: Pages, rows: Rows, memory: AccountMemory) -> None:
        self._pages = pages
        self._rows = rows
        self._memory = memory

    def moment(self) -> Moment:
        """Return what looks from the same places, but at each page once and no more."""
        return Moment(self._pages, self._rows, self._memory)

    async def everywhere(
        self, places: Sequence[Place], numbers: Collection[int] = (), *, thorough: bool = False
    ) -> dict[int, Snapshot]:
        """Return the pages on which rows of one fingerprint are listed, as far as can be told.

        Args:
            places: known rows that have it; the first are looked for where they should be.
            numbers: pages on which some were seen.
            thorough: look on all pages.
        """
        starts = set(numbers)
        if thorough and places:
            starts |= await self._all_with(places[0].fingerprint)
        for place in places[:LOOKED_FOR]:
            page = await self.page_with(place, is_alone=len(places) == 1)
            starts.update(() if page is None else (page.number,))
        return await self.again(places[0].fingerprint, starts) if places else {}

    async def _all_with(self, name: bytes) -> set[int]:
        """Return every page that lists a row of a fingerprint, of the first ``ALL`` pages."""
        layout = self._memory.state.layout
        if layout is None:
            return set()
        length = self._memory.length
        found = set()
        for number in range(layout.base, layout.base + min(length // layout.size + 1, ALL) + 1):
            page = await self._page(number, layout)
            if name in page.indexes:
                found.add(number)
        return found

    async def again(self, name: bytes, numbers: Collection[int]) -> dict[int, Snapshot]:
        """Return pages with rows of a fingerprint, and their neighbours as far as those reach."""
        layout = self._memory.state.layout
        pages: dict[int, Snapshot] = {}
        if layout is not None:
            for number in sorted(numbers):
                await self._spread(name, number, layout, pages)
        return pages

    async def _spread(
        self, name: bytes, number: int, layout: Layout, pages: dict[int, Snapshot]
    ) -> None:
        """Read a page, and its neighbours on a side whose last row has the fingerprint."""
        length = max(self._memory.length, self._memory.live)
        last = layout.base + length // layout.size + REACH
        for step, edge in ((layout.newer, 0), (layout.older, -1)):
            at: int | None = number
            for _ in range(SPREAD):
                if at is None or not layout.base <= at <= last:
                    break
                if at not in pages:
                    pages[at] = await self._page(at, layout)
                rows = pages[at].rows
                if not rows or rows[edge].fingerprint != name:
                    break
                at = step(at)

    async def newer_than(self, api_id: str, pages: Mapping[int, Snapshot]) -> list[Place]:
        """Return known rows that are listed as newer than one on these pages, beside it.

        A page that is told to be newer may be this one again, of another moment, where the layout
        is a guess: what both show is not newer by that.
        """
        layout = self._memory.state.layout
        found: list[Place] = []
        for number, page in pages.items() if layout is not None else ():
            for index, one in enumerate(page.rows):
                if one.api_id != api_id:
                    continue
                alignment = await self._rows.align(page)
                found += [alignment.partners[at] for at in range(index) if at in alignment.partners]
                newer = layout.newer(number) if layout is not None else None
                if not found and newer is not None:
                    shown = {place.remote for place in alignment.partners.values()}
                    for other in (await self.pages([newer])).values():
                        beside = (await self._rows.align(other)).partners.values()
                        found += [place for place in beside if place.remote not in shown]
        return found

    async def edge(self) -> Snapshot | None:
        """Return the page that shows whether rows moved, None where every page shows that.

        Where pages begin with the oldest row and ids are positions, one that goes moves all that
        are newer, and a page full of twins looks as it did: only the newest page has a row less.
        """
        layout = self._memory.state.layout
        if layout is None or layout.newest_first is not False:
            return None
        return await self._pages.newest(layout, self._memory.length)

    async def pages(self, numbers: Collection[int]) -> dict[int, Snapshot]:
        """Return these pages."""
        layout = self._memory.state.layout
        if layout is None:
            return {}
        return {number: await self._page(number, layout) for number in sorted(numbers)}

    async def page_with(
        self, row: RemoteRow | Place, *, thorough: bool = False, is_alone: bool = False
    ) -> Snapshot | None:
        """Return a page where a row of this fingerprint is listed, None if none was found.

        Looked at are the pages where it should be and, to be ``thorough``, then all others. Of one
        that ``is_alone`` with its fingerprint no others are once a page lists what is beside it.
        """
        layout = self._memory.state.layout
        if layout is None:
            return None
        for number in await self._numbers(row, layout, thorough):
            page = await self._page(number, layout)
            if row.fingerprint in page.indexes:
                await self._follow(page)
                return page
            if is_alone and (await self._aligned(page)).encloses(row.rank):
                break
        return None

    async def _page(self, number: int, layout: Layout) -> Snapshot:
        return await self._pages.snapshot(number, layout)

    async def _aligned(self, page: Snapshot) -> Alignment:
        """Return how a page matches what is known."""
        return await self._rows.align(page)

    async def _follow(self, page: Snapshot) -> None:
        """Note under which ids a page lists the known rows."""
        alignment = await self._rows.align(page)
        await self._rows.follow(alignment)

    async def _numbers(self, row: RemoteRow | Place, layout: Layout, thorough: bool) -> list[int]:
        length = self._memory.length
        position = 0 if length <= layout.size else await self._rows.position(row.rank)
        number = layout.page_of(position, length)
        near = sorted(range(-REACH, REACH + 1), key=abs)
        numbers = [number + step for step in near if number + step >= layout.base]
        if thorough:
            last = layout.base + min(length // layout.size + 1, ALL)
            numbers += [other for other in range(layout.base, last + 1) if other not in numbers]
        return numbers


class Moment(Locator):
    """The listing as it is now: each page is read and matched once, whoever asks for it.

    Attributes:
        pages_read: how many pages that are so far, ``rows_read`` how many rows.
    """

    def __init__(self, pages: Pages, rows: Rows, memory: AccountMemory) -> None:
        super().__init__(pages, rows, memory)
        self.rows_read = 0
        self._read: dict[int, Snapshot] = {}
        self._followed: set[int] = set()
        self._alignments: dict[int, Alignment] = {}
        self._edge: tuple[Snapshot | None] | None = None

    @property
    def pages_read(self) -> int:
        """See the class."""
        return len(self._read)

    async def match(self) -> None:
        """Match what was read so far with what is known now."""
        for number in self._read:
            await self.alignment(number)

    async def alignment(self, number: int) -> Alignment:
        """Return how a page that was read matches what was known when this was asked first."""
        if number not in self._alignments:
            self._alignments[number] = await self._rows.align(self._read[number])
        return self._alignments[number]

    async def edge(self) -> Snapshot | None:
        """See ``Locator``."""
        if self._edge is None:
            self._edge = (await super().edge(),)
        return self._edge[0]

    async def _page(self, number: int, layout: Layout) -> Snapshot:
        if number not in self._read:
            page = self._read[number] = await super()._page(number, layout)
            self.rows_read += len(page.rows)
        return self._read[number]

    async def _aligned(self, page: Snapshot) -> Alignment:
        return await self.alignment(page.number)

    async def _follow(self, page: Snapshot) -> None:
        if page.number not in self._followed:
            self._followed.add(page.number)
            self._alignments.clear()
            await super()._follow(page)


@dataclass(frozen=True, slots=True)
class Way:
    """How a body is asked for, and its row looked for, at the cost of one purpose."""

    client: InboxClient
    locator: Locator
    purpose: Purpose

    @classmethod
    def charged(
        cls, client: InboxClient, purpose: Purpose, rows: Rows, memory: AccountMemory
    ) -> Self:
        """Return the way of one purpose.

        Args:
            client: the account's way to the API.
            purpose: what it is for.
            rows: what is known.
            memory: what is known of the listing.
        """
        own = client.charged(purpose)
        return cls(own, Locator(Pages(own), rows, memory), purpose)
