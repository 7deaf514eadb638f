"""Telling twins apart: rows that agree in every listed field, by their bodies (Q12).

Their ids may shift while they are read (Q11), so the pages are read, then the bodies, then the
pages again; only if all stood still is anything believed. Then a body that is known is that row,
one that is not is a new row, filed at once, and a known row whose body none of them has is gone.
A row that cannot be read proves nothing until it was tried for ``GIVE_UP_S``.

Failure: errors of the API and the store pass. What could not be told stays doubtful.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from bridge.api.errors import ApiError, NotSent
from bridge.api.schema import InboxMessage
from bridge.clock import Clock
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

AGAIN_S = (60.0, 300.0, 1_800.0)
"""Seconds between the tries for twins of which one cannot be read; the last one repeats."""

GIVE_UP_S = 43_200.0
"""After so long a twin that cannot be read is one that is known, or else has no text."""


@dataclass(slots=True)
class _Wait:
    """Tries for twins of which one cannot be read."""

    first_s: float
    again_at_s: float
    count: int = 0


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
        clock: Clock,
        is_fetching: Callable[[RemoteId], bool],
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._filer = filer
        self._locator = locator
        self._clock = clock
        self._is_fetching = is_fetching
        self._waits: dict[bytes, _Wait] = {}

    def is_waiting(self, name: bytes) -> bool:
        """Tell whether twins are left alone for now, since one of them could not be read."""
        wait = self._waits.get(name)
        return wait is not None and self._clock.monotonic() < wait.again_at_s

    async def settle(self, name: bytes, doubt: Doubt, layout: Layout) -> bool:
        """Settle the twins of one fingerprint; False if that is to be tried again.

        Args:
            name: the fingerprint.
            doubt: what is known of them.
            layout: how pages are cut.

        Raises:
            ApiError, StoreFailed: nothing was settled.
        """
        if self.is_waiting(name):
            return False
        is_settled = await self._settle(name, doubt, layout)
        if is_settled:  # another doubt of these has all its patience
            self._waits.pop(name, None)
        return is_settled

    async def _settle(self, name: bytes, doubt: Doubt, layout: Layout) -> bool:
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
        again = await self._seen(name, await self._locator.again(name, pages), layout)
        if _ids(again.rows) != _ids(seen.rows) or self._are_fetched(known):
            return False
        left = await self._by_body(seen, known, messages)
        unread = [at for at, message in enumerate(messages) if message is None]
        if unread and not self._gives_up(name):
            return False
        await self._without_text(seen, left, unread)
        if doubt.listed == len(seen.rows):
            await self._withdraw(left)
        return True

    def _gives_up(self, name: bytes) -> bool:
        """Tell whether twins of which one cannot be read were tried for long enough."""
        now_s = self._clock.monotonic()
        wait = self._waits.setdefault(name, _Wait(now_s, now_s))
        wait.again_at_s = now_s + AGAIN_S[min(wait.count, len(AGAIN_S) - 1)]
        wait.count += 1
        return now_s - wait.first_s >= GIVE_UP_S

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
        """Match rows that were read with known ones and keep what is new.

        Returns:
            The known ones left over.
        """
        left = list(known)
        moves: list[tuple[RemoteId, str]] = []
        new: list[tuple[int, InboxMessage]] = []
        for at, message in enumerate(messages):
            if message is None:
                continue
            place = _take(left, _has_body(_digest(message.body)))
            if place is None:
                new.append((at, message))
            else:
                moves.append((place.remote, seen.rows[at].api_id))
        for at, message in new:
            place = _take(left, _has_body(None))
            remote = await self._known_or_new(seen, at, place, moves)
            row = await self._ledger.row(remote)
            if row is not None:
                await self._filer.file([arrival(row, message.body)])
        await self._ledger.move(moves)
        return left

    async def _known_or_new(
        self, seen: _Seen, at: int, place: Place | None, moves: list[tuple[RemoteId, str]]
    ) -> RemoteId:
        if place is None:
            return await self._ledger.add_twin(*seen.places[at])
        moves.append((place.remote, seen.rows[at].api_id))
        return place.remote

    async def _without_text(self, seen: _Seen, left: list[Place], unread: Sequence[int]) -> None:
        """Take rows that cannot be read for known ones left over; file the rest without a text."""
        moves: list[tuple[RemoteId, str]] = []
        for at in unread:
            one = seen.rows[at]
            place = _take(left, _has_id(one.api_id)) or _take(left, lambda _: True)
            remote = await self._known_or_new(seen, at, place, moves)
            row = await self._ledger.row(remote)
            if row is not None and row.body_sha256 is None:
                reason = "the API does not show its text"
                await self._filer.file([arrival(row, one.row.raw, reason)])
        await self._ledger.move(moves)

    async def _withdraw(self, left: Sequence[Place]) -> None:
        gone = [place.remote for place in left]
        if gone:
            log.info("twins left the API", account=self._ledger.account, rows=len(gone))
            await self._ledger.withdraw(gone)


def _take(places: list[Place], is_meant: Callable[[Place], bool]) -> Place | None:
    """Take the first place that is meant out of the list."""
    place = next(filter(is_meant, places), None)
    if place is not None:
        places.remove(place)
    return place


def _has_body(digest: bytes | None) -> Callable[[Place], bool]:
    return lambda place: place.body_sha256 == digest


def _has_id(api_id: str) -> Callable[[Place], bool]:
    return lambda place: place.api_id == api_id


def _digest(body: str) -> bytes:
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).digest()


def _ids(rows: Sequence[Listed]) -> list[str]:
    return [one.api_id for one in rows]
