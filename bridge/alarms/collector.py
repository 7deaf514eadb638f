"""Writes the collected message of a day, again and again while there is more to say.

The message in INBOX gives way to the new one, if it still stands there; what somebody filed
elsewhere stays as it is. Each is one commit, so that a crash leaves the old one or the new one.

Failure: ``StoreFailed`` ends ``run``; who runs it begins again.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from bridge.alarms.collected import collected
from bridge.alarms.notices import LAST_APART, compose, mark_of, show
from bridge.clock import Clock
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.store.base import ReadTransaction, Store
from bridge.store.notices import NoticeDay

LOOK_EVERY_S = 60.0


class Collector:
    """See the module.

    Args:
        store: what is to be told.
        mailboxes: the single writer.
        clock: time.
    """

    def __init__(self, store: Store, mailboxes: Mailboxes, clock: Clock) -> None:
        self._store = store
        self._mailboxes = mailboxes
        self._clock = clock

    async def run(self) -> None:
        """Write what is due, for ever."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Write what is due now."""
        now = self._clock.now()

        async def work(tx: ReadTransaction) -> list[NoticeDay]:
            return list(await tx.notice_days_due(now, now + LAST_APART))

        for day in await self._store.read(work):
            await self._write(day, now)

    async def _write(self, day: NoticeDay, now: datetime) -> None:
        async def work(mtx: MailboxTransaction) -> None:
            current = await mtx.tx.notice_day(day.account, day.day)
            if current is None:
                return
            raw = await _message(mtx, current, now)
            flags = mark_of(mtx.voice)
            content = await show(
                mtx, day.account, raw, now, instead_of=current.content, flags=flags
            )
            writes = current.writes + 1
            await mtx.tx.keep_notice_day(
                replace(current, writes=writes, written_at=now, due_at=None, content=content)
            )

        await self._mailboxes.write(work)


async def _message(mtx: MailboxTransaction, day: NoticeDay, now: datetime) -> bytes:
    tx, voice = mtx.tx, mtx.voice
    figures = [one for one in await tx.day_figures(day.day, day.day) if one.account == day.account]
    words = collected(
        await tx.address(day.account) or "",
        day.day,
        await tx.notices(day.account, day.day),
        figures[0] if figures else None,
        voice,
    )
    name = hashlib.sha256(f"{day.account} {day.day} {now.isoformat()}".encode()).hexdigest()
    return compose(f"notices.{name[:24]}", voice.marked(words.subject), words.text, now)
