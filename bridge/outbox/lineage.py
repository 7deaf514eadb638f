"""Where the store comes from: is it the one that ran last, or a backup that was put back?

What waits in a backup may have left after the backup was made, and would leave again. So each
send that begins, each start and each end is counted in two places, in the store and in a file
beside it (``store.mark``), and when a store is opened the two are compared. Where they disagree,
everything that waits becomes ``restored``: it is looked up in the inbox, and a person releases what
is not found. Nothing of it is posted by itself. And every mailbox gets a new UIDVALIDITY: the UIDs
that were given after the backup was made would come to mean other messages, to clients that
remember them and delete by them. Events go on with numbers that were never told: whoever asks for
what is behind a number he was told after the backup was made would miss what happens now.

    Store and mark of a plain restart, a crash at any point, a renamed folder: agree.
    The store alone put back, or without its ``-wal``: behind its mark, if anything left meanwhile
    or the bridge ended.
    All put back, by any tool, or copied to another machine: the mark is another file, or touched.
    A whole machine rolled back to a snapshot: nothing disagrees but time. A store that was last
    used long ago and still holds what waits is taken for one; a younger one cannot be told.
    A database that several bridges share (``bridge.lead``): each has a mark of its own. One whose
    own agrees, but that neither led last nor heard of all that began since, cannot know; and what
    the engine knows the database by is another's where a dump was put back, or an earlier moment.

Where copy and original can't be told apart (``chown`` and ``chmod`` of the mark, a folder moved to
another file system), it is a copy: a person's look costs less than a PEC sent twice.

Failure: ``StoreFailed`` passes.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import structlog

from bridge.clock import Clock
from bridge.language import say
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.outbox.restoring import restore
from bridge.store.base import ReadTransaction, Store, StoreFailed
from bridge.store.lineage import LineageRow, MarkRow
from bridge.store.mark import Mark, read_mark, write_mark

log = structlog.get_logger()

LONG_AGO = timedelta(days=3)
"""A machine may be off over a weekend; one that was off for longer has its queue looked at."""

BEAT_S = 600.0

BEGUN_WITHIN_S = 10
"""How long one that leads may take to write down where a new store comes from."""

BEHIND = say("The database is older than what was sent since.")
OTHER_FILE = say("The data was copied or put back from a backup.")
ALONE = say("The database was put back without the file beside it.")
FOREIGN = say("The database and the file beside it are not of one store.")
BEYOND = say(
    "Another bridge worked on the database last, and this one cannot tell what was sent since."
)
MOVED = say("The database was put back, or is served by another server.")
OLD = say("The data was last used long ago, as after a snapshot that was rolled back.")


def find_fault(row: LineageRow | None, marks: Sequence[MarkRow], mark: Mark | None) -> str | None:
    """Return why the store is not the one that ran last, as a sentence; None if it is. Pure.

    Args:
        row: what the store says of itself.
        marks: every bridge's mark, as the store heard of it last.
        mark: this bridge's.
    """
    if row is None:
        return None if mark is None else FOREIGN
    if marks and all(one.changed_ns is None for one in marks):
        return None  # cut off while it was made or taken over
    if mark is None:
        return ALONE
    own = next((one for one in marks if one.name == mark.incarnation), None)
    if own is None:
        return FOREIGN
    if mark.dispatches > row.dispatches:
        return BEHIND
    if mark.dispatches == own.dispatches:
        is_same = (mark.inode, mark.changed_ns) == (own.inode, own.changed_ns)
    else:  # rewritten since the store heard of it last
        is_same = (
            mark.inode == own.inode and mark.dispatches > own.dispatches and not mark.is_touched
        )
    if not is_same:
        return OTHER_FILE
    knows_all = row.leader == own.name or mark.dispatches == row.dispatches
    return None if knows_all else BEYOND


async def fault_of(store: Store, data_dir: Path) -> str | None:
    """Return why what waits in a store would be held if this bridge led now; None if it would not.

    Raises:
        StoreFailed: store or mark cannot be read.
    """
    mark = await asyncio.to_thread(read_mark, data_dir)

    async def work(tx: ReadTransaction) -> str | None:
        return find_fault(await tx.lineage(), await tx.marks(), mark)

    return await store.read(work)


class PutBack(StoreFailed):
    """The store is older than what this bridge knows of it, or began anew."""


class Lineage:
    """Keeps store and mark in step; build it with ``open``, or ``join`` where another leads.

    Args:
        mailboxes: the single writer.
        clock: stamps.
        data_dir: where store and mark are.
        incarnation: the name of this life of the store.
        mark: the file beside the store, as read or written last.
    """

    def __init__(
        self, mailboxes: Mailboxes, clock: Clock, data_dir: Path, incarnation: str, mark: Mark
    ) -> None:
        self._mailboxes = mailboxes
        self._clock = clock
        self._data_dir = data_dir
        self._incarnation = incarnation
        self._mark = mark
        self._writing = asyncio.Lock()

    @classmethod
    async def open(
        cls,
        mailboxes: Mailboxes,
        clock: Clock,
        data_dir: Path,
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> Self:
        """Compare store and mark, and make ``restored`` what may have left since.

        To be called before anything is dispatched.

        Args:
            mailboxes: the single writer.
            clock: stamps.
            data_dir: where store and mark are.
            new_id: names incarnations: 32 hexadecimal digits.

        Raises:
            StoreFailed: store or mark cannot be used.
        """
        mark = await asyncio.to_thread(read_mark, data_dir)
        now = clock.now()
        fresh = new_id()

        async def work(mtx: MailboxTransaction) -> tuple[LineageRow, str | None]:
            return await _take_over(mtx, mark, fresh, now)

        row, fault = await mailboxes.write(work)
        if fault is not None:
            log.warning("lineage_broken", reason=fault)
        if mark is None or mark.incarnation != row.leader:
            mark = await asyncio.to_thread(write_mark, data_dir, row.leader, row.dispatches)
        lineage = cls(mailboxes, clock, data_dir, row.incarnation, mark)
        await lineage.tick()
        return lineage

    @classmethod
    async def join(
        cls,
        mailboxes: Mailboxes,
        clock: Clock,
        data_dir: Path,
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> Self:
        """Take the word of another bridge, which leads and is well, that it is the right store.

        Args:
            mailboxes: the single writer.
            clock: stamps.
            data_dir: where this bridge's mark is.
            new_id: names marks: 32 hexadecimal digits.

        Raises:
            PutBack: the mark knows better.
            StoreFailed: store or mark cannot be used.
        """
        for _ in range(BEGUN_WITHIN_S):  # the other may have begun just now
            if await mailboxes.read(lambda tx: tx.lineage()) is not None:
                break
            await clock.sleep(1.0)
        mark = await asyncio.to_thread(read_mark, data_dir)
        fresh = new_id()

        async def work(mtx: MailboxTransaction) -> tuple[LineageRow, bool]:
            row, marks = await _told(mtx.tx), await mtx.tx.marks()
            fault = find_fault(row, marks, mark)
            if fault == BEHIND:
                raise PutBack(fault)
            if fault not in (None, BEYOND):  # no mark of this store's: a newcomer
                await mtx.tx.keep_mark(MarkRow(fresh, 0, 0, None))
            return row, fault in (None, BEYOND)

        row, is_known = await mailboxes.write(work)
        if mark is None or not is_known:
            mark = await asyncio.to_thread(write_mark, data_dir, fresh, row.dispatches)
        lineage = cls(mailboxes, clock, data_dir, row.incarnation, mark)
        await lineage.tick()
        return lineage

    async def lead(self) -> None:
        """Take note that this bridge leads from here on, which followed.

        Raises:
            PutBack: the store is not the one that it followed on.
            StoreFailed: it cannot be written down.
        """
        mark = self._mark

        async def work(mtx: MailboxTransaction) -> None:
            row = await _told(mtx.tx)
            self._compare(row, mark)
            if row.origin != await mtx.tx.origin():
                raise PutBack(MOVED)
            await mtx.tx.keep_lineage(replace(row, leader=mark.incarnation))

        await self._mailboxes.write(work)

    async def keep_in_step(self, *, leads: bool) -> None:
        """See that the store is still the one that this bridge knows, and count with it.

        Args:
            leads: this bridge does.

        Raises:
            PutBack: it is not.
            StoreFailed: store or mark cannot be used.
        """
        mark = self._mark

        async def work(tx: ReadTransaction) -> tuple[LineageRow, str]:
            return await _told(tx), await tx.origin()

        row, origin = await self._mailboxes.read(work)
        self._compare(row, mark)
        await self.witness(row.dispatches)
        if leads and row.origin != origin:  # a standby took over, and nothing is missing
            await self.beat()

    def _compare(self, row: LineageRow, mark: Mark) -> None:
        if row.incarnation != self._incarnation:
            raise PutBack(FOREIGN)
        if row.dispatches < mark.dispatches:
            raise PutBack(BEHIND)

    @property
    def mark(self) -> Mark:
        """The file beside the store, as last written."""
        return self._mark

    async def witness(self, dispatches: int) -> None:
        """Write the mark: so much was counted. To be awaited before a request.

        Raises:
            StoreFailed: the mark cannot be written, so nothing may leave.
        """
        async with self._writing:
            if dispatches > self._mark.dispatches:
                self._mark = await asyncio.to_thread(
                    write_mark, self._data_dir, self._mark.incarnation, dispatches
                )

    async def tick(self) -> None:
        """Count a start or an end: what was copied before is behind from here on.

        Raises:
            StoreFailed: store or mark cannot be written.
        """
        mark, now = self._mark, self._clock.now()

        async def work(mtx: MailboxTransaction) -> int:
            return await note(mtx, mark, now, more=1)

        await self.witness(await self._mailboxes.write(work))
        await self.beat()

    async def beat(self) -> None:
        """Write down that the store is in use, and which file is its mark."""
        mark, now = self._mark, self._clock.now()

        async def work(mtx: MailboxTransaction) -> None:
            await note(mtx, mark, now)
            row, origin = await _told(mtx.tx), await mtx.tx.origin()
            if row.leader == mark.incarnation and row.origin != origin:
                await mtx.tx.keep_lineage(replace(row, origin=origin))

        await self._mailboxes.write(work)

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            await self._clock.sleep(BEAT_S)
            await self.beat()


async def note(mtx: MailboxTransaction, mark: Mark, now: datetime, more: int = 0) -> int:
    """Join a commit: the store is in use, and this is its mark; returns what it has counted.

    Args:
        mtx: the commit.
        mark: the file beside the store.
        now: aware.
        more: how much is counted in this commit.

    Raises:
        StoreFailed: the store has lost its lineage.
    """
    row = await _told(mtx.tx)
    noted = replace(row, dispatches=row.dispatches + more, seen_at=now)
    await mtx.tx.keep_lineage(noted)
    known = MarkRow(mark.incarnation, mark.dispatches, mark.inode, mark.changed_ns)
    await mtx.tx.keep_mark(known)
    return noted.dispatches


async def _told(tx: ReadTransaction) -> LineageRow:
    row = await tx.lineage()
    if row is None:
        raise StoreFailed(say("the store has lost its lineage"))
    return row


async def _take_over(
    mtx: MailboxTransaction, mark: Mark | None, fresh: str, now: datetime
) -> tuple[LineageRow, str | None]:
    """Return the store's lineage as its new leader has it, and why it was begun anew, if it was."""
    row, marks, origin = await mtx.tx.lineage(), await mtx.tx.marks(), await mtx.tx.origin()
    fault = find_fault(row, marks, mark)
    if fault is None and row is not None and row.origin not in ("", origin):
        fault = MOVED
    if fault is None and row is not None:
        if now - row.seen_at <= LONG_AGO or not await mtx.tx.waiting_accounts():
            is_known = mark is not None and mark.incarnation in {one.name for one in marks}
            leader = mark.incarnation if mark is not None and is_known else row.leader
            led = replace(row, leader=leader, origin=origin)
            await mtx.tx.keep_lineage(led)
            return led, None
        fault = OLD
    if fault is not None:
        await restore(mtx, fault, now, is_old=fault == OLD)
    dispatches = max(row.dispatches if row else 0, mark.dispatches if mark else 0)
    new = LineageRow(fresh, dispatches, now, fresh, origin)
    await mtx.tx.keep_lineage(new)
    await mtx.tx.forget_marks()
    await mtx.tx.keep_mark(MarkRow(fresh, 0, 0, None))
    return new, fault
