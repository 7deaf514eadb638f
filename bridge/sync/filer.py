"""What enters and leaves INBOX as rows come and go; no bad message stops a good one.

Rows are judged by themselves as soon as they are listed, before their texts are fetched.

Messages are filed a batch in one commit. If that fails for another reason than the store, each is
tried alone, and one that still fails is filed as unreadable, with what the API sent.

A row that is gone takes its message out of INBOX. Nothing is filed meanwhile: else a message would
stay there whose row is gone.

A message that had left the API and turns up there again, the same in every field and in its body,
is the message that it was: with its flags, and where a person had put it. One that had been
expunged stays so here, but it is not deleted at the API, for it may be another just like it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import structlog

from bridge.apart.process import TooCostly
from bridge.clock import Clock
from bridge.language import say
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import INBOX, MailboxId, body_digest
from bridge.receipts.arrival import Arrival
from bridge.receipts.filing import Filing
from bridge.store.base import StoreFailed
from bridge.store.remote import LeftInbox, RemoteId, RemoteRow, Worth
from bridge.sync.deletions import Doubting, doubt_deletion, end_deletion, is_wanted
from bridge.sync.memory import AccountMemory
from bridge.sync.notice import doubted
from bridge.sync.rows import Rows

log = structlog.get_logger()


PASSED_AT_ONCE = 500

NO_DOUBTS: Mapping[RemoteId, Doubting] = {}


class Filer:
    """Files one account's messages, and takes them out of INBOX again.

    Args:
        filing: composes messages, files them and judges rows.
        mailboxes: the single writer.
        rows: what is known of them.
        memory: counts what is here.
        clock: when a row goes.
        policy: "never" keeps everything at the API.
    """

    def __init__(
        self,
        filing: Filing,
        mailboxes: Mailboxes,
        rows: Rows,
        memory: AccountMemory,
        clock: Clock,
        policy: Literal["expunge", "never"],
    ) -> None:
        self._filing = filing
        self._mailboxes = mailboxes
        self._rows = rows
        self._memory = memory
        self._clock = clock
        self._policy = policy
        self._lock = asyncio.Lock()

    async def file(self, arrivals: Sequence[Arrival]) -> int:
        """File those that are still at the API and not here yet; returns how many were.

        Raises:
            StoreFailed: nothing was filed, or only a part; to be tried again.
        """
        async with self._lock:
            rows = await self._rows.of([one.remote for one in arrivals])
            wanted = [one for one in arrivals if _is_wanted(rows.get(one.remote))]
            names = await self._rows.gone_names([rows[one.remote] for one in wanted])
            new = [
                one
                for one in wanted
                if rows[one.remote].fingerprint not in names or not await self._was_here(one)
            ]
            if new:
                self._memory.took_in(await self._file(new))
        await self.judge()  # what a text took back from rows is to be read now
        return len(wanted)

    async def judge(self) -> None:
        """Judge what was listed. A row that makes trouble waits for its text, as all did once.

        Raises:
            StoreFailed: to be tried again.
        """
        try:
            while await self._filing.judge(self._memory.account):
                pass
            while shown := await self._filing.show_rows(self._memory.account):
                self._memory.took_in(shown)
        except StoreFailed:
            raise
        except Exception:
            log.exception("rows_judge_failed", account=self._memory.account)
            await self._pass_unjudged()

    async def replace(self, remotes: Sequence[RemoteId]) -> None:
        """Withdraw rows that others just like them stand in for, by all that is known.

        A deletion that is wanted of one is not called done: what is listed may be that one.
        """
        doubts = {}
        for remote in remotes if self._policy == "expunge" else ():
            row = await self._rows.row(remote)
            if row is not None:
                doubts[remote] = _may_be_listed(row)
        await self.withdraw(remotes, for_ever=True, doubts=doubts)

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
        inbox = await self._mailboxes.find(self._memory.account, INBOX)
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
                if remote not in doubts:
                    await end_deletion(mtx, row, now)
                elif await is_wanted(mtx.tx, row):
                    await doubt_deletion(mtx, row, doubts[remote], now)
                if row.content is not None and box is not None:
                    await mtx.withdraw(box.id, row.content)
            return gone, filed

        async with self._lock:
            gone, filed = await self._mailboxes.write(work)
        self._memory.left(gone, filed)

    async def _was_here(self, arrival: Arrival) -> bool:
        """Tell whether a message had left the API and is back; it goes on where it was then."""
        row = await self._rows.row(arrival.remote)
        if arrival.unreadable or row is None or row.content is not None:
            return False
        old = await self._rows.gone_before(row, body_digest(arrival.body))
        if old is None:
            return False
        doubt = None if self._policy == "never" else _may_be_another(old)
        await self._take_back(old, arrival.remote, doubt)
        self._memory.took_in(1)
        log.info("message_returned", account=self._memory.account, remote=old.id)
        return True

    async def _take_back(self, old: RemoteRow, new: RemoteId, doubt: Doubting | None) -> None:
        """Let a row that had left the API go on where it was; it came back as ``new``.

        Its message is in INBOX again, under a new UID (RFC 3501 §2.3.1.1: the old one was told to
        be gone) and with its flags, unless a person had taken it out of there. What nobody has any
        more was expunged: it is to be deleted at the API. The lock is held.
        """
        inbox = await self._mailboxes.find(self._memory.account, INBOX)
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
                await mtx.tx.record_deletion_intent(self._memory.account, old.content, now)
                if doubt is not None:
                    await doubt_deletion(mtx, old, doubt, now)

        await self._mailboxes.write(work)

    async def _pass_unjudged(self) -> None:
        """Let the texts of rows that could not be judged be fetched first, whatever they are."""

        async def work(mtx: MailboxTransaction) -> int:
            rows = await mtx.tx.remote_unjudged(self._memory.account, PASSED_AT_ONCE)
            for row in rows:
                await mtx.tx.judge_remote(row.id, Worth.INCOMING, None)
            return len(rows)

        while await self._mailboxes.write(work):
            pass

    async def _file(self, arrivals: list[Arrival]) -> int:
        """File those; returns how many had no message before, made of their row."""
        account = self._memory.account
        try:
            return await self._filing.file(account, arrivals)
        except StoreFailed:
            raise
        except Exception as fault:
            if len(arrivals) > 1:
                return sum([await self._file([one]) for one in arrivals])
            (arrival,) = arrivals
            if arrival.unreadable:
                raise
            if isinstance(fault, TooCostly):
                log.warning("message_too_costly", account=account, remote=arrival.remote)
                why = say("it cannot be composed: {fault}", fault=fault)
                return await self._file([await self._as_unreadable(arrival, why)])
            log.exception("message_compose_failed", account=account, remote=arrival.remote)
            return await self._file(
                [await self._as_unreadable(arrival, say("it cannot be composed"))]
            )

    async def _as_unreadable(self, one: Arrival, reason: str) -> Arrival:
        """Return what stands for a message that cannot be composed; of a large one, its row."""
        body = one.body if isinstance(one.body, str) else await self._rows.raw(one.remote)
        return replace(one, body=body, unreadable=reason)


def _is_wanted(row: RemoteRow | None) -> bool:
    return row is not None and row.gone_at is None and row.body_sha256 is None


async def _left_inbox(
    mtx: MailboxTransaction, inbox: MailboxId, row: RemoteRow
) -> LeftInbox | None:
    """Return what a row's message in INBOX needs to come back as it is now."""
    copies = [] if row.content is None else await mtx.tx.copies(row.content)
    uids = [copy.uid for copy in copies if copy.mailbox == inbox]
    for message in await mtx.tx.message_rows(inbox, uids):
        return LeftInbox(message.flags, message.internal_date, message.size_bytes)
    return None


def _may_be_another(old: RemoteRow) -> Doubting:
    english = "it had left the list and is back, or another just like it has come."
    italian = "era sparito dall'elenco ed è tornato, o ne è arrivato un altro uguale."
    return Doubting(english, doubted(old, italian, english))


def _may_be_listed(row: RemoteRow) -> Doubting:
    english = "it has left the list, or is listed there among others just like it."
    italian = "è sparito dall'elenco, o vi è ancora tra altri uguali."
    return Doubting(english, doubted(row, italian, english))
