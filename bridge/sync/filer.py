"""Handing what was fetched to the receipts, so that no bad message stops a good one.

Rows are judged by themselves as soon as they are listed, before their texts are fetched.

Messages are filed a batch in one commit. If that fails for another reason than the store, each is
tried alone, and one that still fails is filed as unreadable, with what the API sent.

A message that had left the API and turns up there again, the same in every field and in its body,
is the message that it was: with its flags, and where a person had put it. One that had been
expunged stays so here, but it is not deleted at the API, for it may be another just like it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Protocol

import structlog

from bridge.apart.process import TooCostly
from bridge.language import say
from bridge.model import AccountId, body_digest
from bridge.receipts.arrival import Arrival
from bridge.store.base import StoreFailed
from bridge.store.remote import RemoteId, RemoteRow
from bridge.sync.ledger import Doubting, Ledger
from bridge.sync.notice import doubted

log = structlog.get_logger()


class Filing(Protocol):
    """See ``receipts.filing.Filing``."""

    async def file(self, account: AccountId, arrivals: Sequence[Arrival]) -> None:
        """Compose, classify and show messages, all in one commit."""

    async def judge(self, account: AccountId) -> bool:
        """Judge rows by the listing alone; True if there are more of them."""

    async def show_rows(self, account: AccountId) -> int:
        """Make messages of rows that say all that counts, where that is wanted; how many."""


class Filer:
    """Files one account's messages."""

    def __init__(self, filing: Filing, ledger: Ledger, policy: Literal["expunge", "never"]) -> None:
        self._filing = filing
        self._ledger = ledger
        self._policy = policy

    async def file(self, arrivals: Sequence[Arrival]) -> int:
        """File those that are still at the API and not here yet; returns how many were.

        Raises:
            StoreFailed: nothing was filed, or only a part; to be tried again.
        """
        async with self._ledger.lock:
            wanted = [one for one in arrivals if await self._is_wanted(one)]
            new = [one for one in wanted if not await self._was_here(one)]
            if new:
                shown = await self._shown(new)
                await self._file(new)
                self._ledger.filed += sum(one.remote not in shown for one in new)
        await self.judge()  # what a text took back from rows is to be read now
        return len(wanted)

    async def judge(self) -> None:
        """Judge what was listed. A row that makes trouble waits for its text, as all did once.

        Raises:
            StoreFailed: to be tried again.
        """
        try:
            while await self._filing.judge(self._ledger.account):
                pass
            while shown := await self._filing.show_rows(self._ledger.account):
                self._ledger.filed += shown
        except StoreFailed:
            raise
        except Exception:
            log.exception("rows_judge_failed", account=self._ledger.account)
            await self._ledger.pass_unjudged()

    async def replace(self, remotes: Sequence[RemoteId]) -> None:
        """Withdraw rows that others just like them stand in for, by all that is known.

        A deletion that is wanted of one is not called done: what is listed may be that one.
        """
        doubts = {}
        for remote in remotes if self._policy == "expunge" else ():
            row = await self._ledger.row(remote)
            if row is not None:
                doubts[remote] = _may_be_listed(row)
        await self._ledger.withdraw(remotes, for_ever=True, doubts=doubts)

    async def _was_here(self, arrival: Arrival) -> bool:
        """Tell whether a message had left the API and is back; it goes on where it was then."""
        row = await self._ledger.row(arrival.remote)
        if arrival.unreadable or row is None or row.content is not None:
            return False
        digest = body_digest(arrival.body)
        old = await self._ledger.gone_before(arrival.remote, digest)
        if old is None:
            return False
        doubt = None if self._policy == "never" else _may_be_another(old)
        await self._ledger.take_back(old, arrival.remote, doubt)
        self._ledger.filed += 1
        log.info("message_returned", account=self._ledger.account, remote=old.id)
        return True

    async def _shown(self, arrivals: Sequence[Arrival]) -> set[RemoteId]:
        """Return those that have a message already, made of their row."""
        rows = [await self._ledger.row(one.remote) for one in arrivals]
        return {row.id for row in rows if row is not None and row.content is not None}

    async def _is_wanted(self, arrival: Arrival) -> bool:
        row = await self._ledger.row(arrival.remote)
        return row is not None and row.gone_at is None and row.body_sha256 is None

    async def _file(self, arrivals: list[Arrival]) -> None:
        account = self._ledger.account
        try:
            await self._filing.file(account, arrivals)
        except StoreFailed:
            raise
        except Exception as fault:
            if len(arrivals) > 1:
                for one in arrivals:
                    await self._file([one])
                return
            (arrival,) = arrivals
            if arrival.unreadable:
                raise
            if isinstance(fault, TooCostly):
                log.warning("message_too_costly", account=account, remote=arrival.remote)
                why = say("it cannot be composed: {fault}", fault=fault)
                await self._file([await self._as_unreadable(arrival, why)])
                return
            log.exception("message_compose_failed", account=account, remote=arrival.remote)
            await self._file([await self._as_unreadable(arrival, say("it cannot be composed"))])

    async def _as_unreadable(self, one: Arrival, reason: str) -> Arrival:
        """Return what stands for a message that cannot be composed; of a large one, its row."""
        body = one.body if isinstance(one.body, str) else await self._ledger.raw(one.remote)
        return replace(one, body=body, unreadable=reason)


def _may_be_another(old: RemoteRow) -> Doubting:
    english = "it had left the list and is back, or another just like it has come."
    italian = "era sparito dall'elenco ed è tornato, o ne è arrivato un altro uguale."
    return Doubting(english, doubted(old, italian, english))


def _may_be_listed(row: RemoteRow) -> Doubting:
    english = "it has left the list, or is listed there among others just like it."
    italian = "è sparito dall'elenco, o vi è ancora tra altri uguali."
    return Doubting(english, doubted(row, italian, english))
