"""One account's alarms: begun once, kept up to date, ended.

Failure: the store's own errors pass; nothing of the method then happened.
"""

from __future__ import annotations

from datetime import timedelta

from bridge.alarms import (
    WRITTEN_ANEW,
    Alarm,
    AlarmKind,
    Notice,
    clear_alarm,
    raise_alarm,
    update_alarm,
)
from bridge.clock import Clock
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.model import AccountId
from bridge.store.base import ReadTransaction, Store


class AccountAlarms:
    """See the module.

    Args:
        store: where they are.
        mailboxes: the single writer: what tells of an alarm is a message.
        clock: time.
        account: whose.
    """

    def __init__(
        self, store: Store, mailboxes: Mailboxes, clock: Clock, account: AccountId
    ) -> None:
        self._store = store
        self._mailboxes = mailboxes
        self._clock = clock
        self._account = account

    @property
    def account(self) -> AccountId:
        """Whose they are."""
        return self._account

    async def begin(self, kind: AlarmKind, key: str, notice: Notice) -> bool:
        """Raise an alarm unless it is raised already; tells whether it was new."""
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> bool:
            return await raise_alarm(mtx, Alarm(self._account, kind, key, notice), now)

        return await self._mailboxes.write(work)

    async def update(
        self, kind: AlarmKind, key: str, notice: Notice, apart: timedelta = WRITTEN_ANEW
    ) -> None:
        """Let an alarm that is raised say what is so now.

        Args:
            kind: which.
            key: tells those of one kind apart.
            notice: what is so now.
            apart: how seldom its message is written anew.
        """
        alarm = await self._store.read(lambda tx: tx.alarm(self._account, kind.value, key))
        if alarm is None or alarm.text == notice.subject:
            return
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> None:
            await update_alarm(mtx, Alarm(self._account, kind, key, notice), now, apart)

        await self._mailboxes.write(work)

    async def end(self, kind: AlarmKind, key: str) -> None:
        """End an alarm, if there is one."""
        now = self._clock.now()

        async def work(mtx: MailboxTransaction) -> bool:
            return await clear_alarm(mtx, self._account, kind, key, now)

        await self._mailboxes.write(work)

    async def raised(self, *kinds: AlarmKind) -> set[tuple[AlarmKind, str]]:
        """Return kind and key of the alarms of these kinds that are raised."""

        async def work(tx: ReadTransaction) -> set[tuple[AlarmKind, str]]:
            return {
                (kind, key)
                for kind in kinds
                for key in await tx.alarm_keys(self._account, kind.value, "")
            }

        return await self._store.read(work)
