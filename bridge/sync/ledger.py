"""One account's rows in the store, and the counts of them that are kept in memory.

Nothing here asks the API. Every method is one transaction; the counts follow the commits. The
lock keeps a row from being filed into INBOX while it is being withdrawn from there.

Failure: the store's own errors pass; nothing of the method then happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.alarms import (
    WRITTEN_ANEW,
    Alarm,
    AlarmKind,
    Notice,
    clear_alarm,
    raise_alarm,
    update_alarm,
)
from bridge.api.schema import InboxRow
from bridge.clock import Clock
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import INBOX, AccountId, MailboxId
from bridge.receipts.filed import read_row
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.deletions import DeletionRow, DeletionState
from bridge.store.remote import LeftInbox, NewRemote, Place, RemoteCount, RemoteId, RemoteRow, Worth
from bridge.sync.alignment import Alignment
from bridge.sync.aside import MANY_ROWS, aside
from bridge.sync.listed import Listed
from bridge.sync.matching import align
from bridge.sync.paging import Snapshot
from bridge.sync.ranking import ROOM, cramped, raised, ranked, with_room
from bridge.sync.shifts import drifted
from bridge.sync.state import SyncState, dump, load

BETWEEN_LIMIT = 2_000
"""Rows looked at for one gap in the listing; a wider one is closed in several passes."""

DROP_BATCH = 500
PASSED_AT_ONCE = 500

NO_FIELDS = InboxRow("", "", "", "", "", "", None)


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


@dataclass(frozen=True, slots=True)
class Doubting:
    """Why a message is not deleted, and what a person is told."""

    reason: str
    notice: Notice


NO_DOUBTS: Mapping[RemoteId, Doubting] = {}


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


class Ledger:
    """See the module.

    Attributes:
        live: rows that are at the API as far as is known.
        filed: those of them whose content is here.
        lock: held while content is filed or withdrawn.
    """

    def __init__(
        self, store: Store, mailboxes: Mailboxes, clock: Clock, account: AccountId
    ) -> None:
        self.account = account
        self.live = 0
        self.filed = 0
        self.lock = asyncio.Lock()
        self._turn = 0
        self._store = store
        self._mailboxes = mailboxes
        self._clock = clock

    # -- progress ----------------------------------------------------------------------------

    async def load(self) -> SyncState:
        """Count what is there, and return what sync remembers."""

        async def work(tx: ReadTransaction) -> tuple[RemoteCount, str, int]:
            account = self.account
            return (
                await tx.remote_count(account),
                await tx.sync_state(account),
                await tx.last_turn(account),
            )

        count, state, self._turn = await self._store.scan(work)
        self.live, self.filed = count.live, count.filed
        return load(state)

    def _next_turn(self) -> int:
        """Return the turn at which what a page shows is noted (see ``store.remote.Place``)."""
        self._turn += 1
        return self._turn

    async def save(self, state: SyncState) -> None:
        """Remember ``state``."""

        async def work(tx: Transaction) -> None:
            await tx.set_sync_state(self.account, dump(state))

        await self._store.write(work)

    # -- the listing -------------------------------------------------------------------------

    async def align(self, snapshot: Snapshot, above: float | None = None) -> Alignment:
        """Match a page with what is known; for ``above`` see ``alignment.Alignment``."""
        names = [one.fingerprint for one in snapshot.rows]

        async def work(tx: ReadTransaction) -> list[Place]:
            return await tx.places_of(self.account, names)

        rows = len(names)
        places = await (self._store.scan if rows > MANY_ROWS else self._store.read)(work)
        return await aside(rows, align, snapshot.rows, places, above)

    async def take(self, alignment: Alignment, above: float | None) -> Taken:
        """Keep what a page brought: new rows, ids and ranks that moved.

        Args:
            alignment: the page.
            above: the rank of the row listed just before it, None if it is the newest page.
        """
        rows = len(alignment.rows)
        if await aside(rows, _is_as_it_was, alignment):
            return await aside(rows, _taken, alignment, {})

        turn = self._next_turn()

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
        self.live += len(placed.fresh)
        return await aside(rows, _taken, placed, ranks)

    async def _note(self, tx: Transaction, alignment: Alignment, turn: int) -> None:
        """Note under which ids a page lists the known rows, if some have moved.

        All of them are then noted at one turn, and tell about each other from now on. What should
        be between them and was not seen for sure has moved along, if it is still there.
        """
        if not alignment.moved:
            return
        ranks = [place.rank for place in alignment.partners.values()]
        near = await tx.places_between(self.account, min(ranks), max(ranks), BETWEEN_LIMIT)
        near += await tx.places_of(self.account, sorted(alignment.doubtful))
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
            await tx.raise_remote(self.account, cut, ROOM)
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
            upper = await tx.rank_beside(self.account, max(ranks), newer=True)
            return upper, await tx.rank_beside(self.account, min(ranks), newer=False)
        if above is not None:
            return above, await tx.rank_beside(self.account, above, newer=False)
        return None, await tx.rank_beside(self.account, None, newer=True)

    async def add_twins(self, snapshot: Snapshot, indexes: Collection[int]) -> dict[int, RemoteId]:
        """Keep rows of a page that their bodies have shown to be new ones; returns who they are."""
        alignment = await self.align(snapshot)
        rows = alignment.rows
        names = {rows[at].fingerprint for at in indexes}
        known = {(place.fingerprint, place.api_id): place for place in await self.places(names)}
        alone = await aside(len(rows), _alone, alignment, known, names, indexes)
        turn = self._next_turn()

        async def work(tx: Transaction) -> dict[int, RemoteId]:
            _, ranks = await self._ranks(tx, alone, None)
            return {
                at: await tx.add_remote(self._new(rows[at], ranks[at], turn))
                for at in reversed(alone.fresh)
            }

        remotes = await self._store.write(work)
        self.live += len(remotes)
        return remotes

    def _new(self, listed: Listed, rank: float, turn: int) -> NewRemote:
        row = listed.row
        fields = row if isinstance(row, InboxRow) else NO_FIELDS
        return NewRemote(
            account=self.account,
            fingerprint=listed.fingerprint,
            api_id=listed.api_id,
            raw=row.raw,
            sender=fields.sender,
            recipient=fields.recipient,
            date_text=fields.date_text,
            subject=fields.subject,
            received_at=fields.date,
            first_seen=self._clock.now(),
            rank=rank,
            turn=turn,
        )

    async def move(self, places: Sequence[tuple[RemoteId, str]]) -> None:
        """Remember under which ids rows are listed now."""
        if not places:
            return
        turn = self._next_turn()

        async def work(tx: Transaction) -> None:
            await tx.place_remote(places, turn)

        await self._store.write(work)

    async def follow(self, alignment: Alignment) -> None:
        """Remember under which ids a page lists the known rows."""
        if not alignment.moved:
            return
        turn = self._next_turn()

        async def work(tx: Transaction) -> None:
            await self._note(tx, alignment, turn)

        await self._store.write(work)

    async def between(self, low: float | None, high: float | None) -> list[Place]:
        """Return the live rows ranked from ``low`` to ``high``, newest first; None is open."""

        async def work(tx: ReadTransaction) -> list[Place]:
            return await tx.places_between(self.account, low, high, BETWEEN_LIMIT)

        return await self._store.read(work)

    async def places(self, fingerprints: Iterable[bytes]) -> list[Place]:
        """Return the live rows of these fingerprints, newest first."""
        names = list(fingerprints)

        async def work(tx: ReadTransaction) -> list[Place]:
            return await tx.places_of(self.account, names)

        return await self._store.read(work)

    async def position(self, rank: float) -> int:
        """Return how many live rows are newer than ``rank``."""

        async def work(tx: ReadTransaction) -> int:
            return await tx.places_newer(self.account, rank)

        return await self._store.read(work)

    async def row(self, remote: RemoteId) -> RemoteRow | None:
        """Return one row."""

        async def work(tx: ReadTransaction) -> RemoteRow | None:
            return await tx.remote_row(remote)

        return await self._store.read(work)

    async def raw(self, remote: RemoteId) -> str:
        """Return a row's JSON as it was listed."""

        async def work(tx: ReadTransaction) -> str:
            return await tx.remote_raw(remote) or ""

        return await self._store.read(work)

    # -- going -------------------------------------------------------------------------------

    async def withdraw(
        self,
        remotes: Sequence[RemoteId],
        *,
        for_ever: bool = False,
        doubts: Mapping[RemoteId, Doubting] = NO_DOUBTS,
    ) -> None:
        """Take rows that are no longer at the API out of INBOX; local copies and archive stay.

        Args:
            remotes: the rows.
            for_ever: they cannot return; else they may one day, as they were.
            doubts: why a deletion of theirs that is still wanted is not called done.
        """
        inbox = await self._mailboxes.find(self.account, INBOX)
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> tuple[int, int]:
            gone = filed = 0
            for remote in remotes:
                row = await mtx.tx.remote_row(remote)
                if row is None or row.gone_at is not None:
                    continue
                gone += 1
                filed += row.content is not None
                # What was cleared keeps its message here.
                is_cleared = remote not in doubts and await mtx.tx.end_clearing(remote, now)
                box = None if is_cleared else inbox
                left = None if box is None else await _left_inbox(mtx, box.id, row)
                await mtx.tx.mark_remote_gone(remote, now, deleted=for_ever, left_inbox=left)
                if remote in doubts and await self._is_wanted(mtx.tx, remote):
                    doubt = doubts[remote]
                    await self._settle(
                        mtx, remote, DeletionState.DOUBTED, doubt.reason, now, doubt.notice
                    )
                elif remote not in doubts:
                    await _end_deletion(mtx, self.account, remote, now)
                if row.content is not None and box is not None:
                    await mtx.withdraw(box.id, row.content)
            return gone, filed

        async with self.lock:
            gone, filed = await self._mailboxes.write(work)
        self.live -= gone
        self.filed -= filed

    async def gone_before(self, remote: RemoteId, body_sha256: bytes) -> RemoteRow | None:
        """Return the row that left the API once and, by its fields and its body, is this one."""

        async def work(tx: ReadTransaction) -> RemoteRow | None:
            row = await tx.remote_row(remote)
            if row is None:
                return None
            return await tx.gone_remote(self.account, row.fingerprint, body_sha256)

        return await self._store.read(work)

    async def take_back(self, old: RemoteRow, new: RemoteId, doubt: Doubting | None) -> None:
        """Let a row that had left the API go on where it was; it came back as ``new``.

        Its message is in INBOX again, under a new UID (RFC 3501 §2.3.1.1: the old one was told to
        be gone) and with its flags, unless a person had taken it out of there. What nobody has any
        more was expunged: it is to be deleted at the API. The caller holds the lock.
        """
        inbox = await self._mailboxes.find(self.account, INBOX)
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> None:
            left = await mtx.tx.return_remote(old.id, new)
            if old.content is None:
                return
            if left is not None and inbox is not None:
                await mtx.append_content(
                    inbox.id, old.content, left.size_bytes, left.flags, left.internal_date
                )
            elif not await mtx.tx.copies(old.content):
                await mtx.tx.record_deletion_intent(self.account, old.content, now)
                if doubt is not None:
                    await self._settle(
                        mtx, old.id, DeletionState.DOUBTED, doubt.reason, now, doubt.notice
                    )

        await self._mailboxes.write(work)

    async def drop_archived(self, retention: timedelta) -> int:
        """Forget a batch of rows that left the API longer ago than ``retention``."""
        before = self._clock.earliest() - retention

        async def work(tx: Transaction) -> int:
            return await tx.drop_archived_bodies(before, DROP_BATCH)

        return await self._store.write(work)

    # -- bodies ------------------------------------------------------------------------------

    async def bodiless(
        self, limit: int, *, below: Worth = Worth.CONFIRMATION, confirming: bool = False
    ) -> list[RemoteRow]:
        """Return live rows whose body is still to be fetched, by worth, then the newest first.

        Args:
            limit: the most rows.
            below: those that are worth more than these.
            confirming: those whose body only confirms what their row said, else all others.
        """

        async def work(tx: ReadTransaction) -> list[RemoteRow]:
            return await tx.remote_without_body(
                self.account, limit, below=below, confirming=confirming
            )

        return await self._store.read(work)

    async def want_text(self, remote: RemoteId) -> None:
        """Let a row's text be fetched that nobody waited for."""
        row = await self.row(remote)
        if row is None or row.worth not in (Worth.CONFIRMATION, Worth.SHOWN):
            return

        async def work(tx: Transaction) -> None:
            await tx.judge_remote(remote, Worth.FAILURE, (await read_row(tx, row)).code)

        await self._store.write(work)

    async def pass_unjudged(self) -> None:
        """Let the texts of rows that could not be judged be fetched first, whatever they are."""

        async def work(tx: Transaction) -> int:
            rows = await tx.remote_unjudged(self.account, PASSED_AT_ONCE)
            for row in rows:
                await tx.judge_remote(row.id, Worth.INCOMING, None)
            return len(rows)

        while await self._store.write(work):
            pass

    async def oldest_bodiless(self, limit: int) -> list[RemoteRow]:
        """Return rows whose body is missed, see ``store.remote``; the first seen come first."""

        async def work(tx: ReadTransaction) -> list[RemoteRow]:
            return await tx.oldest_bodiless(self.account, limit)

        return await self._store.read(work)

    async def cut_off(self, rows: Sequence[RemoteRow]) -> dict[RemoteId, int]:
        """Return which rows were being read when the bridge was ended, and how often."""
        remotes = [row.id for row in rows]

        async def work(tx: ReadTransaction) -> dict[RemoteId, int]:
            return await tx.readings(remotes)

        return await self._store.read(work)

    async def reading(self, begun: Sequence[RemoteId], ended: Sequence[RemoteId]) -> None:
        """Remember, over a kill, which bodies are being read; forget those that no longer are."""

        async def work(tx: Transaction) -> None:
            await tx.end_reading(ended)
            await tx.begin_reading(begun)

        await self._store.write(work)

    # -- deletions ---------------------------------------------------------------------------

    async def wanted(self) -> list[DeletionRow]:
        """Return the deletions to be carried out, oldest first."""

        async def work(tx: ReadTransaction) -> list[DeletionRow]:
            return await tx.deletions(self.account, DeletionState.WANTED)

        return await self._store.read(work)

    async def _is_wanted(self, tx: ReadTransaction, remote: RemoteId) -> bool:
        wanted = await tx.deletions(self.account, DeletionState.WANTED)
        return any(wish.remote.id == remote for wish in wanted)

    async def doubted(self) -> list[DeletionRow]:
        """Return the deletions that a doubt has stopped, oldest first."""

        async def work(tx: ReadTransaction) -> list[DeletionRow]:
            return await tx.deletions(self.account, DeletionState.DOUBTED)

        return await self._store.read(work)

    async def ask(self, remote: RemoteId, alike: int) -> RemoteId:
        """Write down that the API is about to be asked for a deletion; returns the last row.

        ``alike`` rows with its text are listed.
        """

        async def work(tx: Transaction) -> RemoteId:
            return await tx.ask_deletion(remote, alike)

        return await self._store.write(work)

    async def unask(self, remote: RemoteId) -> None:
        """Write down that asking for a deletion had no effect."""

        async def work(tx: Transaction) -> None:
            await tx.unask_deletion(remote)

        await self._store.write(work)

    async def want_again(self, row: RemoteRow) -> None:
        """Take a deletion up that a doubt had stopped; its alarm stays until it is done."""
        now = self._clock.now()

        async def work(tx: Transaction) -> None:
            if row.content is not None:
                await tx.record_deletion_intent(self.account, row.content, now)

        await self._store.write(work)

    async def why_kept(self, row: RemoteRow) -> str:
        """Return why a row is not to be deleted any more, "" if it is: some mailbox shows it."""

        async def work(tx: ReadTransaction) -> bool:
            return row.content is not None and bool(await tx.copies(row.content))

        return "it is shown again" if await self._store.read(work) else ""

    async def settle(
        self, remote: RemoteId, state: DeletionState, reason: str, notice: Notice | None = None
    ) -> None:
        """Write down how a deletion ended; a notice tells a person."""
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> None:
            await self._settle(mtx, remote, state, reason, now, notice)

        await self._mailboxes.write(work)

    async def _settle(
        self,
        mtx: MailboxTransaction,
        remote: RemoteId,
        state: DeletionState,
        reason: str,
        now: datetime,
        notice: Notice | None,
    ) -> None:
        await mtx.tx.settle_deletion(remote, state, reason, now)
        if notice is not None:
            await _tell(mtx, self.account, AlarmKind.DELETION, str(remote), notice, now)

    async def deleted(self, remote: RemoteId) -> None:
        """Write down that a deletion was carried out and seen to be so."""
        await self.withdraw([remote], for_ever=True)

    # -- alarms ------------------------------------------------------------------------------

    async def alarm(self, kind: AlarmKind, key: str, notice: Notice) -> bool:
        """Raise an alarm unless it is raised already; tells whether it was new."""
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> bool:
            return await _tell(mtx, self.account, kind, key, notice, now)

        return await self._mailboxes.write(work)

    async def update(
        self, kind: AlarmKind, key: str, notice: Notice, apart: timedelta = WRITTEN_ANEW
    ) -> None:
        """Let an alarm that is raised say what is so now; its message so far apart at least."""
        alarm = await self._store.read(lambda tx: tx.alarm(self.account, kind.value, key))
        if alarm is None or alarm.text == notice.subject:
            return
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> None:
            await update_alarm(mtx, Alarm(self.account, kind, key, notice), now, apart)

        await self._mailboxes.write(work)

    async def clear(self, kind: AlarmKind, key: str) -> None:
        """End an alarm, if there is one."""
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> bool:
            return await clear_alarm(mtx, self.account, kind, key, now)

        await self._mailboxes.write(work)

    async def alarms(self) -> set[tuple[str, str]]:
        """Return kind and key of the alarms that are raised."""

        async def work(tx: ReadTransaction) -> set[tuple[str, str]]:
            return {(alarm.kind, alarm.key) for alarm in await tx.alarms(self.account)}

        return await self._store.read(work)


async def _left_inbox(
    mtx: MailboxTransaction, inbox: MailboxId, row: RemoteRow
) -> LeftInbox | None:
    """Return what a row's message in INBOX needs to come back as it is now."""
    copies = [] if row.content is None else await mtx.tx.copies(row.content)
    uids = [copy.uid for copy in copies if copy.mailbox == inbox]
    for message in await mtx.tx.message_rows(inbox, uids):
        return LeftInbox(message.flags, message.internal_date, message.size_bytes)
    return None


async def _end_deletion(
    mtx: MailboxTransaction, account: AccountId, remote: RemoteId, now: datetime
) -> None:
    await mtx.tx.settle_deletion(remote, DeletionState.DONE, "", now)
    await clear_alarm(mtx, account, AlarmKind.DELETION, str(remote), now)


async def _tell(
    mtx: MailboxTransaction,
    account: AccountId,
    kind: AlarmKind,
    key: str,
    notice: Notice,
    now: datetime,
) -> bool:
    return await raise_alarm(mtx, Alarm(account, kind, key, notice), now)
