"""One account's rows in the store: what is known of them, and what a page tells about them.

Nothing here asks the API. Every method is one transaction; what ``AccountMemory`` counts follows
the commits.

Failure: the store's own errors pass; nothing of the method then happened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from bridge.api.forecast import Volume
from bridge.api.schema import InboxRow
from bridge.clock import Clock
from bridge.model import RowFields
from bridge.store.base import ReadTransaction, ReadWork, Store, Transaction
from bridge.store.remote import NewRemote, Place, RemoteId, RemoteRow
from bridge.sync.alignment import Alignment
from bridge.sync.aside import MANY_ROWS, SHORT_TURNS, aside
from bridge.sync.listed import Listed
from bridge.sync.matching import align
from bridge.sync.memory import AccountMemory
from bridge.sync.paging import Snapshot
from bridge.sync.ranking import ROOM, cramped, raised, ranked, with_room
from bridge.sync.shifts import drifted, is_number
from bridge.sync.volume import volume

T = TypeVar("T")

BETWEEN_LIMIT = 2_000
"""Rows looked at for one gap in the listing; a wider one is closed in several passes."""

DROP_BATCH = 500

NO_FIELDS = RowFields(sender="", recipient="", date_text="", subject="")


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a page: ``top`` and ``bottom`` are the ranks it spans, new rows among them.

    ``fresh`` counts the new rows, ``new`` holds their ranks; ``top`` and ``bottom`` are None on a
    page without any row that has a rank.
    """

    alignment: Alignment
    fresh: int
    top: float | None
    bottom: float | None
    new: frozenset[float]


def _is_as_it_was(alignment: Alignment) -> bool:
    return alignment.in_order and not (alignment.moved or alignment.fresh)


def _taken(alignment: Alignment, changed: Mapping[int, float]) -> Taken:
    ranks = {index: place.rank for index, place in alignment.partners.items()} | dict(changed)
    return Taken(
        alignment,
        len(alignment.fresh),
        max(ranks.values(), default=None),
        min(ranks.values(), default=None),
        frozenset(ranks[index] for index in alignment.fresh),
    )


def _alone(
    alignment: Alignment,
    known: Mapping[tuple[bytes, str], Place],
    names: Collection[bytes],
    indexes: Collection[int],
) -> Alignment:
    """Return a page on which only rows at ``indexes`` are new.

    Args:
        alignment: the page.
        known: those of their fingerprints that are known, by fingerprint and id.
        names: their fingerprints.
        indexes: where they are.
    """
    partners = {
        at: place
        for at, place in alignment.partners.items()
        if alignment.rows[at].fingerprint not in names
    }
    for at, one in enumerate(alignment.rows):
        place = known.get((one.fingerprint, one.api_id))
        if place is not None and at not in indexes:
            partners[at] = place
    return Alignment(alignment.rows, partners, tuple(sorted(indexes)), frozenset())


class Rows:
    """See the module.

    Args:
        store: where they are.
        memory: what is counted of them.
        clock: when a row is first seen.
    """

    def __init__(self, store: Store, memory: AccountMemory, clock: Clock) -> None:
        self._store = store
        self._memory = memory
        self._clock = clock

    async def align(self, snapshot: Snapshot, above: float | None = None) -> Alignment:
        """Match a page with what is known; for ``above`` see ``alignment.Alignment``."""
        names = [one.fingerprint for one in snapshot.rows]

        async def work(tx: ReadTransaction) -> list[Place]:
            return await tx.places_of(self._memory.account, names)

        rows = len(names)
        places = await self._asked(work, many=rows > MANY_ROWS)
        departures = self._memory.departures
        return await aside(rows, align, snapshot.rows, places, above, departures)

    async def _asked(self, work: ReadWork[T], *, many: bool) -> T:
        """Read rows; ``many`` are too many to be read on the event loop."""
        if not many:
            return await self._store.read(work)
        with SHORT_TURNS.taken():
            return await self._store.scan(work)

    async def take(self, alignment: Alignment, above: float | None) -> Taken:
        """Keep what a page brought: new rows, ids and ranks that moved.

        Args:
            alignment: the page.
            above: the rank of the row listed just before it, None if it is the newest page.
        """
        rows = len(alignment.rows)
        if await aside(rows, _is_as_it_was, alignment):
            return await aside(rows, _taken, alignment, {})

        turn = self._memory.next_turn()

        async def work(tx: Transaction) -> tuple[Alignment, dict[int, float]]:
            await self._note(tx, alignment, turn)
            placed, ranks = await self._ranks(tx, alignment, above)
            await tx.rank_remote(
                [
                    (place.remote, ranks[index])
                    for index, place in placed.partners.items()
                    if index in ranks
                ]
            )
            for index in reversed(placed.fresh):
                await tx.add_remote(self._new(placed.rows[index], ranks[index], turn))
            return placed, ranks

        placed, ranks = await self._store.write(work)
        self._memory.added(len(placed.fresh))
        return await aside(rows, _taken, placed, ranks)

    async def _note(self, tx: Transaction, alignment: Alignment, turn: int) -> None:
        """Note under which ids a page lists the known rows, if some have moved.

        All of them are then noted at one turn, and tell about each other from now on. What should
        be between them and was not seen for sure has moved along, if it is still there.
        """
        if not alignment.moved:
            return
        ranks = [place.rank for place in alignment.partners.values()]
        near = await tx.places_between(self._memory.account, min(ranks), max(ranks), BETWEEN_LIMIT)
        near += await tx.places_of(self._memory.account, sorted(alignment.doubtful))
        paired = {place.remote for place in alignment.partners.values()}
        unseen = {place.remote: place for place in near if place.remote not in paired}
        drifts = drifted(alignment, unseen.values())
        await tx.place_remote([(place.remote, one.api_id) for place, one in alignment.pairs], turn)
        await tx.drift_remote(drifts, turn)

    async def _ranks(
        self, tx: Transaction, alignment: Alignment, above: float | None
    ) -> tuple[Alignment, dict[int, float]]:
        """Give rows ranks between those next to them, of rows that are known.

        Returns:
            The page as it stands once room was made where it was needed, and the ranks by index.
        """
        upper, lower = await self._around(tx, alignment, above)
        while (cut := cramped(alignment, upper, lower)) is not None:
            await tx.raise_remote(self._memory.account, cut, ROOM)
            self._memory.departures.raised(cut, ROOM)
            alignment = with_room(alignment, cut)
            above = None if above is None else raised(above, cut)
            upper, lower = await self._around(tx, alignment, above)
        return alignment, ranked(alignment, upper, lower)

    async def _around(
        self, tx: ReadTransaction, alignment: Alignment, above: float | None
    ) -> tuple[float | None, float | None]:
        """Return the ranks that a page is between, None where it is open."""
        ranks = [place.rank for place in alignment.steady.values()]
        if ranks:
            upper = await tx.rank_beside(self._memory.account, max(ranks), newer=True)
            return upper, await tx.rank_beside(self._memory.account, min(ranks), newer=False)
        if above is not None:
            return above, await tx.rank_beside(self._memory.account, above, newer=False)
        return None, await tx.rank_beside(self._memory.account, None, newer=True)

    async def add_twins(self, snapshot: Snapshot, indexes: Collection[int]) -> dict[int, RemoteId]:
        """Keep rows of a page that their bodies have shown to be new ones; returns who they are."""
        alignment = await self.align(snapshot)
        rows = alignment.rows
        names = {rows[at].fingerprint for at in indexes}
        known = {(place.fingerprint, place.api_id): place for place in await self.places(names)}
        alone = await aside(len(rows), _alone, alignment, known, names, indexes)
        turn = self._memory.next_turn()

        async def work(tx: Transaction) -> dict[int, RemoteId]:
            _, ranks = await self._ranks(tx, alone, None)
            return {
                at: await tx.add_remote(self._new(rows[at], ranks[at], turn))
                for at in reversed(alone.fresh)
            }

        remotes = await self._store.write(work)
        self._memory.added(len(remotes))
        return remotes

    def _new(self, listed: Listed, rank: float, turn: int) -> NewRemote:
        row = listed.row
        return NewRemote(
            account=self._memory.account,
            fingerprint=listed.fingerprint,
            api_id=listed.api_id,
            raw=row.raw,
            **(row if isinstance(row, InboxRow) else NO_FIELDS).row_fields,
            received_at=row.date if isinstance(row, InboxRow) else None,
            first_seen=self._clock.now(),
            rank=rank,
            turn=turn,
        )

    @property
    def turn(self) -> int:
        """The last turn at which ids were noted."""
        return self._memory.turn

    def went(self, row: RemoteRow, turn: int) -> None:
        """Take note that a row was deleted, by a request made after ``turn``."""
        self._memory.departures.went(turn, row.rank)

    async def move(self, places: Sequence[tuple[RemoteId, str]]) -> None:
        """Remember under which ids rows are listed now."""
        if not places:
            return
        turn = self._memory.next_turn()

        async def work(tx: Transaction) -> None:
            await tx.place_remote(places, turn)

        await self._store.write(work)

    async def follow(self, alignment: Alignment) -> None:
        """Remember under which ids a page lists the known rows."""
        if not alignment.moved:
            return
        turn = self._memory.next_turn()

        async def work(tx: Transaction) -> None:
            await self._note(tx, alignment, turn)

        await self._store.write(work)

    async def between(
        self, low: float | None, high: float | None, *, many: bool = False
    ) -> list[Place]:
        """Return the live rows ranked from ``low`` to ``high``, newest first.

        Args:
            low: None is open.
            high: likewise.
            many: they are too many to be read on the event loop.
        """

        async def work(tx: ReadTransaction) -> list[Place]:
            return await tx.places_between(self._memory.account, low, high, BETWEEN_LIMIT)

        return await self._asked(work, many=many)

    async def places(self, fingerprints: Iterable[bytes]) -> list[Place]:
        """Return the live rows of these fingerprints, newest first."""
        names = list(fingerprints)

        async def work(tx: ReadTransaction) -> list[Place]:
            return await tx.places_of(self._memory.account, names)

        return await self._store.read(work)

    async def undecided(self) -> int:
        """Count the listed rows that wait to be told apart, and are none of the known ones."""
        doubts = self._memory.doubts.items()
        listed = {name: doubt.listed_ids for name, doubt in doubts if doubt.is_of_more}
        if not listed:
            return 0
        known = {(place.fingerprint, place.api_id) for place in await self.places(listed)}
        return sum((name, id) not in known for name, ids in listed.items() for id in ids)

    async def position(self, rank: float) -> int:
        """Return how many live rows are newer than ``rank``."""

        async def work(tx: ReadTransaction) -> int:
            return await tx.places_newer(self._memory.account, rank)

        return await self._store.read(work)

    async def counted_id(self, rank: float) -> str | None:
        """Return the id that the row of a rank has if ids are positions and all rows are known.

        It is so much lower than the newest row's as there are rows that are newer. None if that
        one's is no number.
        """

        async def work(tx: ReadTransaction) -> str | None:
            newest = await tx.places_between(self._memory.account, None, None, 1)
            if not newest or not is_number(newest[0].api_id):
                return None
            position = await tx.places_newer(self._memory.account, rank)
            return str(int(newest[0].api_id) - position)

        return await self._store.read(work)

    async def volume(self) -> Volume:
        """Return the mail of the last 24 hours."""
        now = self._clock.now()
        return await self._store.scan(lambda tx: volume(tx, self._memory.account, now))

    async def row(self, remote: RemoteId) -> RemoteRow | None:
        """Return one row."""

        async def work(tx: ReadTransaction) -> RemoteRow | None:
            return await tx.remote_row(remote)

        return await self._store.read(work)

    async def of(self, remotes: Sequence[RemoteId]) -> dict[RemoteId, RemoteRow]:
        """Return those of some rows that there are."""

        async def work(tx: ReadTransaction) -> dict[RemoteId, RemoteRow]:
            return await tx.remotes_of(remotes)

        return await self._store.read(work)

    async def raw(self, remote: RemoteId) -> str:
        """Return a row's JSON as it was listed."""

        async def work(tx: ReadTransaction) -> str:
            return await tx.remote_raw(remote) or ""

        return await self._store.read(work)

    async def gone_names(self, rows: Sequence[RemoteRow]) -> set[bytes]:
        """Return the fingerprints of rows that ``gone_before`` has to be asked for."""
        names = [row.fingerprint for row in rows]

        async def work(tx: ReadTransaction) -> set[bytes]:
            return await tx.gone_names(self._memory.account, names)

        return await self._store.read(work)

    async def gone_before(self, row: RemoteRow, body_sha256: bytes) -> RemoteRow | None:
        """Return the row that left the API once and, by its fields and its body, is this one."""

        async def work(tx: ReadTransaction) -> RemoteRow | None:
            return await tx.gone_remote(self._memory.account, row.fingerprint, body_sha256)

        return await self._store.read(work)

    async def drop_archived(self, retention: timedelta) -> int:
        """Forget a batch of rows that left the API longer ago than ``retention``."""
        before = self._clock.earliest() - retention

        async def work(tx: Transaction) -> int:
            return await tx.drop_archived_bodies(before, DROP_BATCH)

        return await self._store.write(work)
