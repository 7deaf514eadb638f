"""One account's deletions in the store: what was expunged here for good, and what became of it.

Failure: the store's own errors pass; nothing of the method then happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bridge.alarms import Alarm, AlarmKind, Notice, clear_alarm, raise_alarm
from bridge.clock import Clock
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import AccountId
from bridge.store.base import ReadTransaction, Store, Transaction
from bridge.store.deletions import DeletionRow, DeletionState
from bridge.store.remote import RemoteId, RemoteRow
from bridge.sync.memory import AccountMemory


@dataclass(frozen=True, slots=True)
class Doubting:
    """Why a message is not deleted, and what a person is told."""

    reason: str
    notice: Notice


async def doubt_deletion(
    mtx: MailboxTransaction, row: RemoteRow, doubt: Doubting, now: datetime
) -> None:
    """Write down that a row's deletion is in doubt, and tell a person.

    Args:
        mtx: the commit.
        row: the row that was to be deleted.
        doubt: why it is not.
        now: the time, aware.
    """
    await mtx.tx.settle_deletion(row.id, DeletionState.DOUBTED, doubt.reason, now)
    alarm = Alarm(row.account, AlarmKind.DELETION, str(row.id), doubt.notice)
    await raise_alarm(mtx, alarm, now)


async def end_deletion(mtx: MailboxTransaction, row: RemoteRow, now: datetime) -> None:
    """Write down that a row is not at the API any more, as was wanted."""
    await mtx.tx.settle_deletion(row.id, DeletionState.DONE, "", now)
    await clear_alarm(mtx, row.account, AlarmKind.DELETION, str(row.id), now)


async def is_wanted(tx: ReadTransaction, row: RemoteRow) -> bool:
    """Tell whether a row's deletion is wanted."""
    wanted = await tx.deletions(row.account, DeletionState.WANTED)
    return any(wish.remote.id == row.id for wish in wanted)


class Deletions:
    """See the module: ``deleting.Wishes``.

    Args:
        store: where they are.
        mailboxes: the single writer: a doubt is told by a message.
        memory: whose they are.
        clock: time.
        policy: "never" keeps everything at the API.
    """

    def __init__(
        self,
        store: Store,
        mailboxes: Mailboxes,
        memory: AccountMemory,
        clock: Clock,
        policy: Literal["expunge", "never"],
    ) -> None:
        self._store = store
        self._mailboxes = mailboxes
        self._memory = memory
        self._clock = clock
        self._policy = policy

    @property
    def account(self) -> AccountId:
        """Whose they are."""
        return self._memory.account

    async def wanted(self) -> list[DeletionRow]:
        """Return the deletions to be carried out, oldest first."""

        async def work(tx: ReadTransaction) -> list[DeletionRow]:
            return await tx.deletions(self._memory.account, DeletionState.WANTED)

        return await self._store.read(work)

    async def doubted(self) -> list[DeletionRow]:
        """Return the deletions that a doubt has stopped, oldest first."""

        async def work(tx: ReadTransaction) -> list[DeletionRow]:
            return await tx.deletions(self._memory.account, DeletionState.DOUBTED)

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
                await tx.record_deletion_intent(self._memory.account, row.content, now)

        await self._store.write(work)

    async def why_kept(self, row: RemoteRow) -> str:
        """Return why a row is not to be deleted, "" if it is: some mailbox shows it again."""
        if self._policy == "never":
            return "delete is set to never"

        async def work(tx: ReadTransaction) -> bool:
            return row.content is not None and bool(await tx.copies(row.content))

        return "it is shown again" if await self._store.read(work) else ""

    async def keep(self, remote: RemoteId, reason: str) -> None:
        """Write down that a row stays at the API, and why."""
        now = self._clock.now()

        async def work(tx: Transaction) -> None:
            await tx.settle_deletion(remote, DeletionState.KEPT, reason, now)

        await self._store.write(work)

    async def doubt(self, row: RemoteRow, doubt: Doubting) -> None:
        """Write down that it is not proven which message would go, and tell a person."""
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> None:
            await doubt_deletion(mtx, row, doubt, now)

        await self._mailboxes.write(work)
