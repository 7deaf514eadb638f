"""Telling twins apart: rows that agree in every listed field, by their bodies (Q12).

Their ids may shift while they are read (Q11), so the pages are read, then bodies, then the pages
again; only if all stood still is anything believed. What is read together was listed at one
moment, and then other ids are other rows. A group may have any number of rows: it is read in
chunks, and what was read is shown although its like cannot be.

Where more are listed than are known, only rows under ids that no filed row has are read
(``_find_new``). One whose body no known row has is new. One whose body a known row has is new
too, if that row still stands under its own id; else it is that row, moved, unless its neighbours
moved otherwise: then that row is gone, and this is another just like it.

Where fewer are listed than are known, or one was taken for another, all of them are read
(``_compare``): a known row whose body none of them has is gone.

A row that cannot be read proves nothing until it was tried for ``GIVE_UP_S``.

Failure: errors of the API and the store pass. What could not be told stays doubtful.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from bridge.api.errors import OutcomeUnknown, Refused
from bridge.api.schema import InboxMessage
from bridge.clock import Clock
from bridge.model import body_digest
from bridge.receipts.filing import Arrival
from bridge.store.remote import Place, RemoteId
from bridge.sync.absence import Doubt
from bridge.sync.filer import Filer, arrival
from bridge.sync.ledger import Ledger
from bridge.sync.locating import LOOKED_FOR, Locator
from bridge.sync.matching import Alignment, Listed, is_replaced
from bridge.sync.pages import InboxClient
from bridge.sync.paging import Layout, Snapshot
from bridge.sync.twinreading import CHUNK_ROWS, Chunk, Reading, read_chunk

log = structlog.get_logger()

ASKED_ALIKE = 3
"""So many known rows of one body are asked for before the others are believed to stand too."""

UNREAD = "the API does not show its text"


@dataclass(frozen=True, slots=True)
class Seen:
    """Twins as listed, newest first: each with its page and its place there."""

    rows: tuple[Listed, ...]
    places: tuple[tuple[Alignment, int], ...]

    @property
    def ids(self) -> list[str]:
        """Their ids."""
        return [one.api_id for one in self.rows]


class Twins:
    """Settles doubts about one account's twins."""

    def __init__(
        self,
        client: InboxClient,
        ledger: Ledger,
        filer: Filer,
        locator: Locator,
        clock: Clock,
        is_fetching: Callable[[RemoteId], bool],
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._filer = filer
        self._locator = locator
        self._clock = clock
        self._is_fetching = is_fetching
        self._readings: dict[bytes, Reading] = {}

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

    async def settle(self, name: bytes, doubt: Doubt, layout: Layout) -> bool:
        """Settle the twins of one fingerprint, or a part; False if there is more to do.

        Args:
            name: the fingerprint.
            doubt: what is known of them.
            layout: how pages are cut.

        Raises:
            ApiError, StoreFailed: what was settled until then stays.
        """
        if self.is_waiting(name, doubt):
            return False
        known = await self._ledger.places([name])
        reading = self._readings.setdefault(name, Reading())
        reading.has_more = False
        for number, ids in reading.try_again(self._clock.monotonic()).items():
            doubt.pages.setdefault(number, ids)
        if self._are_fetched(known):
            return False  # what is read now would have to be read again
        is_whole = doubt.is_mixed_up or doubt.listed is not None
        settle = self._compare if is_whole else self._find_new
        if not await settle(name, doubt, layout, known, reading):
            return False
        self._readings.pop(name, None)  # another doubt of these has all its patience
        return True

    # -- more are listed than are known ------------------------------------------------------

    async def _find_new(
        self,
        name: bytes,
        doubt: Doubt,
        layout: Layout,
        known: Sequence[Place],
        reading: Reading,
    ) -> bool:
        bodiless = [place for place in known if place.body_sha256 is None]
        edge = await self._locator.edge()
        pages = await self._pages(name, doubt, bodiless)
        seen = await self._seen(name, pages, layout)
        reading.listed.update(seen.ids)
        filed = {place.api_id for place in known if place.body_sha256 is not None}
        strange = [one for one in seen.rows if one.api_id not in filed]
        rows = [one for one in strange if one.api_id not in reading.failed][:CHUNK_ROWS]
        chunk = await read_chunk(self._client, rows)
        if rows:
            again = await self._seen(name, await self._locator.pages(list(pages)), layout)
            if again.ids != seen.ids or await self._have_changed(name, known):
                return False
            if not _stands(edge, await self._locator.edge()):
                return False
            if not await self._keep(seen, chunk, list(known)):
                doubt.is_mixed_up = reading.has_more = True
                return False
        reading.has_worked = reading.has_worked or bool(chunk.messages or filed)
        now_s = self._clock.monotonic()
        reading.took(chunk.failed, now_s)
        unread = [one for one in strange if one.api_id in reading.failed]
        if unread and reading.gives_up(now_s):
            await self._without_text(seen, unread, await self._not_standing(known, seen))
            reading.failed.difference_update(one.api_id for one in unread)
        done = filed | reading.failed | chunk.messages.keys() | {one.api_id for one in unread}
        _cross_off(name, pages, done, doubt, reading)
        reading.has_more = bool(rows or doubt.pages)
        return not (reading.has_more or reading.failed)

    async def _pages(
        self, name: bytes, doubt: Doubt, bodiless: Sequence[Place]
    ) -> dict[int, Snapshot]:
        """Return the first pages on which rows may be that were not read yet.

        Where a page has fewer of them than it had, the others may be on the next one by now.
        """
        numbers = sorted(doubt.pages)[:LOOKED_FOR]
        pages = await self._locator.pages(numbers)
        fewer = [at for at, page in pages.items() if _count(name, page) < len(doubt.pages[at])]
        pages |= await self._locator.again(name, fewer)
        listed = {one.api_id for page in pages.values() for one in page.rows}
        for place in bodiless[:LOOKED_FOR]:
            page = None
            if place.api_id not in listed:
                page = await self._locator.page_with(place)
            if page is not None:
                pages[page.number] = page
                listed.update(one.api_id for one in page.rows)
        return pages

    async def _keep(self, seen: Seen, chunk: Chunk, known: list[Place]) -> bool:
        """File what is new of a chunk; False if rows that are known have moved among them."""
        at = {one.api_id: index for index, one in enumerate(seen.rows)}
        bodiless = [place for place in known if place.body_sha256 is None]
        filed = [place for place in known if place.body_sha256 is not None]
        arrivals: list[Arrival] = []
        moves: list[tuple[RemoteId, str]] = []
        replaced: list[RemoteId] = []
        for api_id, message in reversed(chunk.messages.items()):  # the oldest first
            try:
                moved = await self._moved(body_digest(message.body), filed)
            except OutcomeUnknown:  # nothing tells: it is read again later
                chunk.failed.add(api_id)
                continue
            if moved is not None and moved.api_id in at:
                return False  # all of them have, it seems
            if moved is not None:
                filed.remove(moved)
                if not is_replaced(moved, *seen.places[at[api_id]]):
                    moves.append((moved.remote, api_id))
                    continue
                replaced.append(moved.remote)
            remote = await self._row_for(seen, at[api_id], bodiless, moves)
            row = await self._ledger.row(remote)
            if row is not None:
                arrivals.append(arrival(row, message.body))
        await self._ledger.move(moves)
        await self._ledger.withdraw(replaced, for_ever=True)
        await self._filer.file(arrivals)
        return True

    async def _moved(self, body_sha256: bytes, filed: Sequence[Place]) -> Place | None:
        """Return the known row of this body that is under its own id no more."""
        alike = [place for place in filed if place.body_sha256 == body_sha256]
        for place in alike[:ASKED_ALIKE]:
            if not await self._stands(place):
                return place
        return None

    async def _stands(self, place: Place) -> bool:
        """Tell whether a known row's text is shown under its id."""
        try:
            message = await self._client.inbox_message(place.api_id)
        except Refused:
            return False
        return body_digest(message.body) == place.body_sha256

    async def _not_standing(self, known: Sequence[Place], seen: Seen) -> list[Place]:
        """Return known rows that a listed one, whose text is not shown, can be."""
        listed = set(seen.ids)
        bodiless = [place for place in known if place.body_sha256 is None]
        away = [place for place in known if place not in bodiless and place.api_id not in listed]
        return bodiless + [one for one in away[:ASKED_ALIKE] if not await self._stands(one)]

    async def _row_for(
        self, seen: Seen, at: int, bodiless: list[Place], moves: list[tuple[RemoteId, str]]
    ) -> RemoteId:
        """Return the row that waits for the body of a listed one, or keep a new one for it."""
        api_id = seen.rows[at].api_id
        place = _take(bodiless, _has_id(api_id)) or _take(bodiless, lambda _: True)
        if place is None:
            return await self._ledger.add_twin(*seen.places[at])
        if place.api_id != api_id:
            moves.append((place.remote, api_id))
        return place.remote

    # -- fewer are listed, or anything may be ------------------------------------------------

    async def _compare(
        self,
        name: bytes,
        doubt: Doubt,
        layout: Layout,
        known: Sequence[Place],
        reading: Reading,
    ) -> bool:
        pages = await self._locator.everywhere(known, doubt.pages)
        seen = await self._seen(name, pages, layout)
        if not seen.rows:
            return True  # they are not here any more; the listing will say what became of them
        reading.sees_all(seen.ids)
        is_filed = all(place.body_sha256 is not None for place in known)
        if seen.ids == [place.api_id for place in known] and is_filed and not doubt.is_mixed_up:
            return True  # each stands where it did
        chunk = await self._read_more(seen, reading)
        again = await self._seen(name, await self._locator.again(name, pages), layout)
        if again.ids != seen.ids or await self._have_changed(name, known):
            reading.digests.clear()
            return False
        reading.took(chunk.failed, self._clock.monotonic())
        reading.digests |= {id: body_digest(one.body) for id, one in chunk.messages.items()}
        reading.has_worked = reading.has_worked or bool(reading.digests)
        left = await self._by_body(seen, known, reading, chunk)
        rest = [one for one in seen.rows if one.api_id not in reading.digests]
        if any(one.api_id not in reading.failed for one in rest):
            reading.has_more = True
            return False
        if rest and not reading.gives_up(self._clock.monotonic()):
            return False
        left = await self._without_text(seen, rest, left)
        if doubt.listed == len(seen.rows):
            await self._withdraw(left)
        return True

    async def _read_more(self, seen: Seen, reading: Reading) -> Chunk:
        done = reading.digests.keys() | reading.failed
        rows = [one for one in seen.rows if one.api_id not in done]
        return await read_chunk(self._client, rows[:CHUNK_ROWS])

    async def _by_body(
        self, seen: Seen, known: Sequence[Place], reading: Reading, chunk: Chunk
    ) -> list[Place]:
        """Match rows that were read with known ones and keep what is new.

        Returns:
            The known ones left over.
        """
        left = list(known)
        moves: list[tuple[RemoteId, str]] = []
        new: list[int] = []
        for at, one in enumerate(seen.rows):
            body_sha256 = reading.digests.get(one.api_id)
            if body_sha256 is None:
                continue
            place = _take(left, _is(one.api_id, body_sha256)) or _take(left, _has_body(body_sha256))
            if place is None:
                new.append(at)
            else:
                moves.append((place.remote, one.api_id))
        arrivals = []
        for at in reversed(new):
            message = chunk.messages.get(seen.rows[at].api_id)
            if message is None:  # read in an earlier chunk, when one of its like was known
                message = await self._read_again(seen.rows[at].api_id, reading)
            if message is not None:
                bodiless = [place for place in left if place.body_sha256 is None]
                remote = await self._row_for(seen, at, bodiless, moves)
                left = [place for place in left if place.remote != remote]
                row = await self._ledger.row(remote)
                arrivals += [] if row is None else [arrival(row, message.body)]
        await self._ledger.move(moves)
        await self._filer.file(arrivals)
        return left

    async def _read_again(self, api_id: str, reading: Reading) -> InboxMessage | None:
        expected = reading.digests.pop(api_id)
        message = await self._client.inbox_message(api_id)
        if body_digest(message.body) != expected:
            return None
        reading.digests[api_id] = expected
        return message

    async def _withdraw(self, left: Sequence[Place]) -> None:
        gone = [place.remote for place in left]
        if gone:
            log.info("twins left the API", account=self._ledger.account, rows=len(gone))
            await self._ledger.withdraw(gone)

    # -- both --------------------------------------------------------------------------------

    async def _have_changed(self, name: bytes, known: Sequence[Place]) -> bool:
        """Tell whether known ones got a body, or an id, while their like were read, or soon may."""
        return self._are_fetched(known) or await self._ledger.places([name]) != known

    def _are_fetched(self, known: Sequence[Place]) -> bool:
        return any(self._is_fetching(place.remote) for place in known)

    async def _seen(self, name: bytes, pages: Mapping[int, Snapshot], layout: Layout) -> Seen:
        found: dict[object, tuple[Listed, tuple[Alignment, int]]] = {}
        for number in sorted(pages, reverse=layout.newest_first is False):
            alignment = await self._ledger.align(pages[number])
            for index, one in enumerate(alignment.rows):
                if one.fingerprint == name:
                    key = one.api_id or (number, index)
                    found.setdefault(key, (one, (alignment, index)))
        return Seen(
            tuple(one for one, _ in found.values()), tuple(place for _, place in found.values())
        )

    async def _without_text(
        self, seen: Seen, unread: Sequence[Listed], left: Sequence[Place]
    ) -> list[Place]:
        """Take rows that cannot be read for known ones left over; file the rest without a text.

        Returns:
            The known ones that are left over then.
        """
        places = list(left)
        moves: list[tuple[RemoteId, str]] = []
        for one in unread:
            place = _take(places, _has_id(one.api_id)) or _take(places, lambda _: True)
            if place is None:
                remote = await self._ledger.add_twin(*seen.places[seen.rows.index(one)])
            else:
                remote = place.remote
                moves.append((remote, one.api_id))
            row = await self._ledger.row(remote)
            if row is not None and row.body_sha256 is None:
                await self._filer.file([arrival(row, one.row.raw, UNREAD)])
        await self._ledger.move(moves)
        return places


def _cross_off(
    name: bytes, pages: Mapping[int, Snapshot], done: set[str], doubt: Doubt, reading: Reading
) -> None:
    """Cross off the pages on which nothing is left to be read for now."""
    for number, page in pages.items():
        ids = frozenset(one.api_id for one in page.rows if one.fingerprint == name)
        if ids <= done:
            doubt.pages.pop(number, None)
        if ids & reading.failed:
            reading.parked[number] = ids


def _count(name: bytes, page: Snapshot) -> int:
    return sum(one.fingerprint == name for one in page.rows)


def _stands(before: Snapshot | None, after: Snapshot | None) -> bool:
    """Tell whether the newest rows are where they were, whatever came after them."""
    if before is None or after is None:
        return before is after
    places = {(one.api_id, one.fingerprint) for one in after.rows}
    return places.issuperset((one.api_id, one.fingerprint) for one in before.rows)


def _take(places: list[Place], is_meant: Callable[[Place], bool]) -> Place | None:
    """Take the first place that is meant out of the list."""
    place = next(filter(is_meant, places), None)
    if place is not None:
        places.remove(place)
    return place


def _has_body(body_sha256: bytes) -> Callable[[Place], bool]:
    return lambda place: place.body_sha256 == body_sha256


def _is(api_id: str, body_sha256: bytes) -> Callable[[Place], bool]:
    return lambda place: place.api_id == api_id and place.body_sha256 == body_sha256


def _has_id(api_id: str) -> Callable[[Place], bool]:
    return lambda place: place.api_id == api_id
