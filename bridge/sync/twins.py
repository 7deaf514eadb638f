"""Telling twins apart: rows that agree in every listed field, by their bodies (Q12).

Their ids may shift while they are read (Q11), so the pages are read, then the bodies, then the
pages again; only if all stood still is anything believed. Then a body that is known is that row,
one that is not is a new row, filed at once, and a known row whose body none of them has is gone.

Failure: errors of the API and the store pass. What could not be told stays doubtful.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from bridge.api.errors import ApiError, NotSent
from bridge.api.schema import InboxMessage
from bridge.store.remote import Place, RemoteId
from bridge.sync.absence import Doubt
from bridge.sync.filer import Filer, arrival
from bridge.sync.ledger import Ledger
from bridge.sync.locating import Locator
from bridge.sync.matching import Alignment, Listed
from bridge.sync.pages import InboxClient
from bridge.sync.paging import Layout, Snapshot

log = structlog.get_logger()

MOST = 60
"""More twins than this are not worth their downloads: their ids are believed."""

PATIENCE = 3
"""Looks at twins of which one cannot be read, before it counts as a row without a body."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """Twins as listed, newest first: each with its page and its place there."""

    rows: tuple[Listed, ...]
    places: tuple[tuple[Alignment, int], ...]


class Twins:
    """Settles doubts about one account's twins."""

    def __init__(
        self,
        client: InboxClient,
        ledger: Ledger,
        filer: Filer,
        locator: Locator,
        is_fetching: Callable[[RemoteId], bool],
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._filer = filer
        self._locator = locator
        self._is_fetching = is_fetching
        self._looks: dict[bytes, int] = {}

    async def settle(self, name: bytes, doubt: Doubt, layout: Layout) -> bool:
        """Settle the twins of one fingerprint; False if they moved meanwhile.

        Args:
            name: the fingerprint.
            doubt: what is known of them.
            layout: how pages are cut.

        Raises:
            ApiError, StoreFailed: nothing was settled.
        """
        known = await self._ledger.places([name])
        if self._are_fetched(known):
            return False
        pages = await self._locator.everywhere(known, doubt.pages)
        if not known:
            pages = await self._locator.again(name, doubt.pages)
        seen = await self._seen(name, pages, layout)
        if not seen.rows:
            return True  # they are not here any more; the listing will say what became of them
        is_filed = all(place.body_sha256 is not None for place in known)
        ids = [place.api_id for place in known]
        if _ids(seen.rows) == ids and is_filed and not doubt.is_mixed_up:
            return True  # each stands where it did
        if len(seen.rows) > MOST:
            await self._by_id(seen, known)
            return True
        messages = [await self._read(one) for one in seen.rows]
        unread = sum(message is None for message in messages)
        self._looks[name] = self._looks.get(name, 0) + 1
        if unread and self._looks[name] < PATIENCE:
            return False
        again = await self._seen(name, await self._locator.again(name, pages), layout)
        if _ids(again.rows) != _ids(seen.rows) or self._are_fetched(known):
            return False
        left = await self._by_body(seen, known, messages)
        if doubt.listed == len(seen.rows):
            await self._withdraw(left)
        self._looks.pop(name, None)
        return True

    def _are_fetched(self, known: Sequence[Place]) -> bool:
        """Tell whether the body of one is on its way: it must not be given to another too."""
        return any(self._is_fetching(place.remote) for place in known)

    async def _seen(self, name: bytes, pages: Mapping[int, Snapshot], layout: Layout) -> _Seen:
        found: dict[object, tuple[Listed, tuple[Alignment, int]]] = {}
        for number in sorted(pages, reverse=layout.newest_first is False):
            alignment = await self._ledger.align(pages[number])
            for index, one in enumerate(alignment.rows):
                if one.fingerprint == name:
                    key = one.api_id or (number, index)
                    found.setdefault(key, (one, (alignment, index)))
        return _Seen(
            tuple(one for one, _ in found.values()), tuple(place for _, place in found.values())
        )

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
    ) -> list[Place]:
        """Match rows with known ones, keep what is new, and return the known ones left over."""
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
        return left

    async def _file(self, remote: RemoteId, message: InboxMessage | None, one: Listed) -> None:
        row = await self._ledger.row(remote)
        if row is None:
            return
        if message is None:
            await self._filer.file([arrival(row, one.row.raw, "the API does not show its text")])
        else:
            await self._filer.file([arrival(row, message.body)])

    async def _withdraw(self, left: Sequence[Place]) -> None:
        gone = [place.remote for place in left]
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
