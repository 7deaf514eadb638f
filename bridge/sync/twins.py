"""Telling twins apart: rows that agree in every listed field, by their bodies (Q12).

Their ids may shift while they are read (Q11), so the pages are read, then the bodies, then the
pages again; only if all stood still is anything believed. Then a body that is known is that row,
one that is not is a new row, filed at once, and a known row whose body none of them has is gone.

Failure: errors of the API and the store pass. What could not be told stays doubtful.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog

from bridge.api.errors import ApiError, NotSent
from bridge.api.schema import InboxMessage
from bridge.store.remote import Place, RemoteId
from bridge.sync.filer import Filer, arrival
from bridge.sync.ledger import Ledger
from bridge.sync.locating import Locator
from bridge.sync.matching import Alignment, Listed
from bridge.sync.pages import InboxClient, Pages
from bridge.sync.paging import Layout, Snapshot

log = structlog.get_logger()

REACH = 6
"""Pages that twins may spread over to either side."""

MOST = 60
"""More twins than this are not worth their downloads: their ids are believed."""

KNOWN_ELSEWHERE = 5
"""Up to so many known twins are looked for where they should be."""

BESIDE = 30.0
"""How far beside the known rows of its pages a twin's rank still counts as on them."""

PATIENCE = 3
"""Looks at twins of which one cannot be read, before it counts as a row without a body."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """Twins as listed, newest first: each with its page and its place there.

    ``low`` and ``high`` are the ranks that the pages span, None if nothing else is known there.
    """

    rows: tuple[Listed, ...]
    places: tuple[tuple[Alignment, int], ...]
    low: float | None
    high: float | None


class Twins:
    """Settles doubts about one account's twins."""

    def __init__(
        self, client: InboxClient, pages: Pages, ledger: Ledger, filer: Filer, locator: Locator
    ) -> None:
        self._client = client
        self._pages = pages
        self._ledger = ledger
        self._filer = filer
        self._locator = locator
        self._looks: dict[bytes, int] = {}

    async def settle(self, name: bytes, numbers: Collection[int], layout: Layout) -> bool:
        """Settle the twins of one fingerprint; False if they moved meanwhile.

        Args:
            name: the fingerprint.
            numbers: pages on which some were seen; those where known ones should be come to it.
            layout: how pages are cut.

        Raises:
            ApiError, StoreFailed: nothing was settled.
        """
        known = await self._ledger.places([name])
        pages = await self._where(known, numbers)
        seen = await self._look(name, pages, layout)
        if not seen.rows:
            return True  # they are not here any more; the listing will say what became of them
        if len(seen.rows) == len(known) and all(place.body_sha256 for place in known):
            moves = zip(known, seen.rows, strict=True)
            await self._ledger.move([(place.remote, one.api_id) for place, one in moves])
            return True
        if len(seen.rows) > MOST:
            await self._by_id(seen, known)
            return True
        messages = [await self._read(one) for one in seen.rows]
        unread = sum(message is None for message in messages)
        self._looks[name] = self._looks.get(name, 0) + 1
        if unread and self._looks[name] < PATIENCE:
            return False
        again = await self._look(name, pages, layout)
        if _ids(again.rows) != _ids(seen.rows):
            return False
        await self._by_body(seen, known, messages)
        self._looks.pop(name, None)
        return True

    async def _where(self, known: Sequence[Place], numbers: Collection[int]) -> list[int]:
        """Return the pages to look at."""
        pages = set(numbers)
        if len(known) <= KNOWN_ELSEWHERE:
            for place in known:
                page = await self._locator.page_with(place)
                pages.update(() if page is None else (page.number,))
        return sorted(pages)

    async def _look(self, name: bytes, numbers: Sequence[int], layout: Layout) -> _Seen:
        """Read the pages, and their neighbours as far as twins reach."""
        pages: dict[int, Snapshot] = {}
        for number in numbers:
            await self._spread(name, number, layout, pages)
        ordered = sorted(pages, reverse=layout.newest_first is False)
        found: dict[object, tuple[Listed, tuple[Alignment, int]]] = {}
        ranks: list[float] = []
        for number in ordered:
            alignment = await self._ledger.align(pages[number])
            ranks += [place.rank for place in alignment.steady.values()]
            for index, one in enumerate(alignment.rows):
                if one.fingerprint == name:
                    key = one.api_id or (number, index)
                    found.setdefault(key, (one, (alignment, index)))
        return _Seen(
            tuple(one for one, _ in found.values()),
            tuple(place for _, place in found.values()),
            min(ranks, default=None),
            max(ranks, default=None),
        )

    async def _spread(
        self, name: bytes, number: int, layout: Layout, pages: dict[int, Snapshot]
    ) -> None:
        """Read a page, and its neighbours on a side whose last row is a twin."""
        for step, edge in ((layout.newer, 0), (layout.older, -1)):
            at: int | None = number
            for _ in range(REACH):
                if at is None or at < layout.base:
                    break
                if at not in pages:
                    pages[at] = await self._pages.snapshot(at, layout)
                rows = pages[at].rows
                if not rows or rows[edge].fingerprint != name:
                    break
                at = step(at)

    async def _read(self, one: Listed) -> InboxMessage | None:
        if not one.api_id:
            return None
        try:
            return await self._client.inbox_message(one.api_id)
        except NotSent:
            raise
        except ApiError as error:
            log.warning("a twin cannot be read", id=one.api_id, reason=error.reason)
            return None

    async def _by_id(self, seen: _Seen, known: Sequence[Place]) -> None:
        ids = {place.api_id for place in known}
        spare = max(len(seen.rows) - len(known), 0)
        strange = [at for at, one in enumerate(seen.rows) if one.api_id not in ids]
        for at in strange[:spare]:
            await self._ledger.add_twin(*seen.places[at])

    async def _by_body(
        self, seen: _Seen, known: Sequence[Place], messages: Sequence[InboxMessage | None]
    ) -> None:
        left = list(known)
        unmatched: list[int] = []
        moves: list[tuple[RemoteId, str]] = []
        for at, message in enumerate(messages):
            place = None if message is None else _take(left, _digest(message.body))
            if place is None:
                unmatched.append(at)
            else:
                moves.append((place.remote, seen.rows[at].api_id))
        for at in unmatched:
            place = _take(left, None)
            if place is None:
                remote = await self._ledger.add_twin(*seen.places[at])
            else:
                remote = place.remote
                moves.append((remote, seen.rows[at].api_id))
            await self._file(remote, messages[at], seen.rows[at])
        await self._ledger.move(moves)
        await self._withdraw(seen, left, len(seen.rows) < len(known))

    async def _file(self, remote: RemoteId, message: InboxMessage | None, one: Listed) -> None:
        row = await self._ledger.row(remote)
        if row is None:
            return
        if message is None:
            await self._filer.file([arrival(row, one.row.raw, "the API does not show its text")])
        else:
            await self._filer.file([arrival(row, message.body)])

    async def _withdraw(self, seen: _Seen, left: Sequence[Place], fewer: bool) -> None:
        """Withdraw twins whose bodies none has, if they would stand on the pages looked at."""
        if not fewer:
            return
        low, high = seen.low, seen.high
        gone = [
            place.remote
            for place in left
            if (low is None or place.rank >= low - BESIDE)
            and (high is None or place.rank <= high + BESIDE)
        ]
        if gone:
            log.info("twins left the API", account=self._ledger.account, rows=len(gone))
            await self._ledger.withdraw(gone)


def _take(places: list[Place], digest: bytes | None) -> Place | None:
    """Take the first place with this body, or with none yet, out of the list."""
    for place in places:
        if place.body_sha256 == digest:
            places.remove(place)
            return place
    return None


def _digest(body: str) -> bytes:
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).digest()


def _ids(rows: Sequence[Listed]) -> list[str]:
    return [one.api_id for one in rows]
