"""An alarm about the machine: raised and ended in every account alike."""

from __future__ import annotations

from datetime import datetime

from bridge.alarms import Alarm, AlarmKind, Notice, clear_alarm, raise_alarm
from bridge.mailbox import Mailboxes, MailboxTransaction


async def settle_everywhere(
    mailboxes: Mailboxes, kind: AlarmKind, words: Notice | None, now: datetime
) -> None:
    """Raise an alarm in every account, or end it.

    Args:
        mailboxes: the single writer.
        kind: what it is about.
        words: what it says; None ends it.
        now: aware.

    Raises:
        StoreFailed: nothing was changed.
    """

    async def work(mtx: MailboxTransaction) -> None:
        for account in await mtx.tx.accounts():
            if words is None:
                await clear_alarm(mtx, account, kind, "", now)
            else:
                await raise_alarm(mtx, Alarm(account, kind, "", words), now)

    await mailboxes.write(work)
