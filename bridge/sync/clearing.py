"""Clearing the mailbox at the API by ``[archive] clear_at_api``: receipts whose work is done.

What may go ``receipts.clearable`` says, when it is wanted and again right before each deletion.
The deletion is the same as a person's (``deletion``): the row is listed, the message behind its id
read and the same to the last byte, and the list lacks it afterwards. The message stays in its
mailbox here, as a local one.

What is to go is written down before, so that a kill leaves nothing but work to be done again; the
rest is in the log that ``receipts cleared`` lists. A batch at a time, ``EVERY_S`` apart and after
all else that wants requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import structlog

from bridge.alarms import AlarmKind, Notice
from bridge.api.budget import within_budget
from bridge.clock import ROME, Clock
from bridge.model import AccountId, Quota
from bridge.receipts.clearable import why_kept
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.deletions import DeletionRow, DeletionState
from bridge.store.remote import Place, RemoteId, RemoteRow
from bridge.sync.deletion import TOGETHER, Deleter
from bridge.sync.ledger import Ledger
from bridge.sync.locating import Locator
from bridge.sync.notice import cleared
from bridge.sync.pages import InboxClient

log = structlog.get_logger()

EVERY_S = 60.0
"""Between two batches: 17,000 a day, more than any plan brings."""

CHOSEN = 200
"""Rows looked at for one batch: of most sends one is as good as the other."""

YOUNGEST = timedelta(days=1)
"""Receipts younger than this stay however full the mailbox is: another may contradict them."""

QUIET = timedelta(days=1)
"""The alarm ends when nothing went for so long; its message is written anew as seldom."""


@dataclass(frozen=True, slots=True)
class ClearingRule:
    """When receipts go: after ``age``, or once the mailbox is fuller than ``percent``."""

    age: timedelta | None = None
    percent: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "never", "receipts-after 30d" or "over 70%".

        Raises:
            ValueError: it is none of these.
        """
        if match := re.fullmatch(r"receipts-after (\d{1,5})d", text, re.ASCII):
            return cls(age=timedelta(days=int(match[1])))
        if match := re.fullmatch(r"over (\d{1,2})%", text, re.ASCII):
            return cls(percent=int(match[1]))
        if text != "never":
            raise ValueError(f"no rule: {text}")
        return cls()

    def before(self, now: datetime, quota: Quota | None) -> datetime | None:
        """Return the latest time at which what goes now was first seen; None if nothing goes."""
        if self.age is not None:
            return now - max(self.age, YOUNGEST)
        if self.percent is None or quota is None or quota.percent is None:
            return None
        return now - YOUNGEST if quota.percent > self.percent else None


class _Wishes:
    """What is to be cleared, as ``Deleter`` wants it: ``deleting.Wishes``."""

    def __init__(self, store: Store, ledger: Ledger, clock: Clock) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock

    @property
    def account(self) -> AccountId:
        return self._ledger.account

    async def wanted(self) -> list[DeletionRow]:
        return await self._in(DeletionState.WANTED)

    async def doubted(self) -> list[DeletionRow]:
        return await self._in(DeletionState.DOUBTED)

    async def _in(self, state: DeletionState) -> list[DeletionRow]:
        return await self._store.read(lambda tx: tx.clearings(self.account, state))

    async def want_again(self, row: RemoteRow) -> None:
        await self.settle(row.id, DeletionState.WANTED, "")

    async def why_kept(self, row: RemoteRow) -> str:
        return await self._store.read(lambda tx: why_kept(tx, row.id))

    async def settle(
        self, remote: RemoteId, state: DeletionState, reason: str, _notice: Notice | None = None
    ) -> None:
        """Write down how it ended; nobody is told, for nobody asked for it."""
        now = self._clock.now()

        async def work(tx: Transaction) -> None:
            await tx.settle_clearing(remote, state, reason, now)

        await self._store.write(work)

    async def ask(self, remote: RemoteId, alike: int) -> RemoteId:
        async def work(tx: Transaction) -> RemoteId:
            return await tx.ask_clearing(remote, alike)

        return await self._store.write(work)

    async def unask(self, remote: RemoteId) -> None:
        async def work(tx: Transaction) -> None:
            await tx.unask_clearing(remote)

        await self._store.write(work)

    async def want_text(self, remote: RemoteId) -> None:
        await self._ledger.want_text(remote)

    async def places(self, fingerprints: Iterable[bytes]) -> list[Place]:
        return await self._ledger.places(fingerprints)

    async def row(self, remote: RemoteId) -> RemoteRow | None:
        return await self._ledger.row(remote)

    async def deleted(self, remote: RemoteId) -> None:
        await self._ledger.deleted(remote)

    async def alarm(self, kind: AlarmKind, key: str, notice: Notice) -> bool:
        return await self._ledger.alarm(kind, key, notice)

    async def clear(self, kind: AlarmKind, key: str) -> None:
        await self._ledger.clear(kind, key)


class Clearing:
    """Clears one account's mailbox; nothing without a rule.

    Args:
        rule: when what goes.
        client: the API.
        store: what is here.
        ledger: the rows.
        locator: finds rows.
        clock: time.
        address: the account's, for what people are told.
    """

    def __init__(
        self,
        rule: ClearingRule,
        client: InboxClient,
        store: Store,
        ledger: Ledger,
        locator: Locator,
        clock: Clock,
        address: str,
    ) -> None:
        self._rule = rule
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._address = address
        self._wishes = _Wishes(store, ledger, clock)
        self._deleter = Deleter(client, self._wishes, locator, clock, address, "expunge")
        self._next_s = clock.monotonic()
        self._after = RemoteId(0)

    async def carry_out(self, quota: Quota | None) -> None:
        """Clear a batch if it is time; what the day's requests do not allow for waits.

        Args:
            quota: how full the mailbox was when last asked.

        Raises:
            ApiError: the API is in trouble.
        """
        now_s, now = self._clock.monotonic(), self._clock.now()
        if now_s < self._next_s:
            return
        self._next_s = now_s + EVERY_S
        before = self._rule.before(now, quota)
        if before is not None:
            if len(await self._wishes.wanted()) < TOGETHER:
                await self._choose(before)
            await within_budget(self._deleter.carry_out())
        await self._tell(now)

    async def _choose(self, before: datetime) -> None:
        """Write down which receipts go next; who was passed over is looked at again later."""

        async def look(tx: ReadTransaction) -> tuple[list[RemoteId], RemoteId, bool]:
            rows = await tx.clearable(self._ledger.account, before, self._after, CHOSEN)
            chosen: list[RemoteId] = []
            last = self._after
            for row in rows:
                last = row.id
                if not await why_kept(tx, row.id):
                    chosen.append(row.id)
                if len(chosen) == TOGETHER:
                    return chosen, last, False
            return chosen, last, len(rows) < CHOSEN

        chosen, self._after, is_end = await self._store.scan(look)
        if is_end:
            self._after = RemoteId(0)
        now = self._clock.now()

        async def work(tx: Transaction) -> None:
            await tx.want_clearing(chosen, now)

        if chosen:
            await self._store.write(work)
            log.info("receipts_clearing", account=self._ledger.account, rows=len(chosen))

    async def _tell(self, now: datetime) -> None:
        """Tell of what goes, once, with figures from day to day; end that when nothing goes."""
        month = now.astimezone(ROME).replace(day=1, hour=0, minute=0, second=0, microsecond=0)

        async def look(tx: ReadTransaction) -> tuple[int, int, bool]:
            account = self._ledger.account
            alarm = await tx.alarm(account, AlarmKind.CLEARING.value, "")
            is_raised = alarm is not None and alarm.cleared_at is None
            recent = await tx.cleared_count(account, now - QUIET)
            return recent, await tx.cleared_count(account, month), is_raised

        recent, in_month, is_raised = await self._store.read(look)
        notice = cleared(self._address, in_month, month)
        if recent and is_raised:
            await self._ledger.update(AlarmKind.CLEARING, "", notice, QUIET)
        elif recent:
            await self._ledger.alarm(AlarmKind.CLEARING, "", notice)
        elif is_raised:
            await self._ledger.clear(AlarmKind.CLEARING, "")
