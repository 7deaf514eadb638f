"""Whose turn it is: the next entry to dispatch, or when to look again.

Fair between accounts (the one served longest ago first), first in first out within one: only the
head of an account's queue is ever considered, so nothing overtakes but what is urgent. Outside of
the window, or while a person has paused the account, nothing leaves that nobody forced. Looking
also moves entries between ``queued`` and ``held`` when the account or its plan waits, or no longer
does. What a person forced goes ahead of everything its account waits for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import AccountId, SubmissionState
from bridge.outbox.backoff import due_at, probe_due_at
from bridge.outbox.hold import hold_entries, hold_for_plan, release_entries
from bridge.outbox.plan import Plan
from bridge.outbox.window import ALL_DAY, Window
from bridge.store.base import ReadTransaction, Store
from bridge.store.outbox import HoldRow, SubmissionRow

LONGEST_PAUSE = timedelta(minutes=5)
"""A pause beyond it was set by a clock that ran ahead."""

QUEUED = frozenset({SubmissionState.QUEUED})
HELD = frozenset({SubmissionState.HELD})


@dataclass(frozen=True, slots=True)
class _Account:
    """What the store says about one account's queue."""

    id: AccountId
    hold: HoldRow | None
    queued: SubmissionRow | None
    held: SubmissionRow | None
    counted: int
    is_paused: bool


class Schedule:
    """Picks the next entry.

    Args:
        store: what waits.
        mailboxes: for the moves between ``queued`` and ``held``.
        plan: what each account may send.
        accounts: those that can send at all.
        window: the hours in which anything leaves that nobody forced.
    """

    def __init__(
        self,
        store: Store,
        mailboxes: Mailboxes,
        plan: Plan,
        accounts: frozenset[AccountId],
        window: Window = ALL_DAY,
    ) -> None:
        self._store = store
        self._mailboxes = mailboxes
        self._plan = plan
        self._accounts = accounts
        self._window = window
        self._turns: dict[AccountId, int] = {}
        self._turn = 0
        self._pauses: dict[AccountId, datetime] = {}

    def served(self, account: AccountId) -> None:
        """Remember that the account had its turn."""
        self._turn += 1
        self._turns[account] = self._turn

    def pause(self, account: AccountId, until: datetime | None) -> None:
        """Let nothing of the account begin before ``until``; None ends that."""
        if until is None:
            self._pauses.pop(account, None)
        else:
            self._pauses[account] = until

    async def next(
        self, now: datetime, free: Callable[[SubmissionRow], bool]
    ) -> tuple[SubmissionRow | None, datetime | None]:
        """Return the entry whose turn it is, or None and when to look again (None: if called).

        Args:
            now: the time.
            free: whether an entry may start beside what is under way.
        """
        waiting = [one for one in await self._waiting() if one in self._accounts]
        again: list[datetime] = []
        for id in sorted(waiting, key=lambda one: self._turns.get(one, 0)):
            row, again_at = await self._next_of(id, now)
            if row is not None and free(row):
                return row, None
            if row is None and again_at is not None:
                again.append(again_at)
        return None, min(again, default=None)

    async def _waiting(self) -> tuple[AccountId, ...]:
        async def work(tx: ReadTransaction) -> tuple[AccountId, ...]:
            return await tx.waiting_accounts()

        return await self._store.read(work)

    async def _next_of(
        self, id: AccountId, now: datetime
    ) -> tuple[SubmissionRow | None, datetime | None]:
        account = await self._look(id, now)
        head = account.queued
        if head is not None and head.forced:
            return head, None
        if account.is_paused:
            return None, None
        if not self._window.is_open(now):
            return None, self._window.next_open(now)
        pause = self._pauses.get(id)
        if pause is not None and now < pause <= now + LONGEST_PAUSE:
            return None, pause
        if account.hold is not None:
            return await self._next_of_held(account, account.hold, now)
        if account.held is not None:
            return await self._next_of_full(account, account.held, now)
        if head is None:
            return None, None
        again_at = due_at(head, now)
        if again_at is not None:
            return None, again_at
        if self._has_room(account, head):
            return head, None
        return await self._next_of_full(account, head, now)

    async def _next_of_held(
        self, account: _Account, hold: HoldRow, now: datetime
    ) -> tuple[SubmissionRow | None, datetime | None]:
        """The account waits for a 401 or 402: only a probe may go, and rarely."""
        if account.queued is not None:
            await self._hold(account.id, hold.reason, now)
            account = await self._look(account.id, now)
        probe_at = probe_due_at(hold, now)
        if probe_at is not None:
            return None, probe_at
        if account.held is not None and not self._has_room(account, account.held):
            return None, self._plan.next_period(now)
        return account.held, None

    async def _next_of_full(
        self, account: _Account, head: SubmissionRow, now: datetime
    ) -> tuple[SubmissionRow | None, datetime | None]:
        """The plan was used up: see whether it still is."""
        if self._has_room(account, head):
            await self._release(account.id, now)
            return await self._next_of(account.id, now)
        if account.queued is not None:
            await self._hold_for_plan(account.id, now)
        return None, self._plan.next_period(now)

    def _has_room(self, account: _Account, head: SubmissionRow) -> bool:
        return account.counted + len(head.recipients) <= self._plan.limit

    async def _look(self, id: AccountId, now: datetime) -> _Account:
        first, last = self._plan.bounds(now)

        async def work(tx: ReadTransaction) -> _Account:
            return _Account(
                id,
                await tx.hold(id),
                await tx.first_submission(id, QUEUED),
                await tx.first_submission(id, HELD),
                await tx.counted(id, first, last),
                await tx.paused_since(id) is not None,
            )

        return await self._store.read(work)

    async def _hold(self, id: AccountId, reason: str, now: datetime) -> None:
        async def work(mtx: MailboxTransaction) -> None:
            await hold_entries(mtx, id, reason, now)

        await self._mailboxes.write(work)

    async def _hold_for_plan(self, id: AccountId, now: datetime) -> None:
        async def work(mtx: MailboxTransaction) -> None:
            await hold_for_plan(mtx, id, self._plan, now)

        await self._mailboxes.write(work)

    async def _release(self, id: AccountId, now: datetime) -> None:
        async def work(mtx: MailboxTransaction) -> None:
            await release_entries(mtx, id, now)

        await self._mailboxes.write(work)
