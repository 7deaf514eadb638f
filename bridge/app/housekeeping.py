"""What is done now and then: texts that no message shows go, new ones get into the search's index.

After an upgrade that reads texts in another way, those stored before are read anew, newest first.

The archive's own retention is sync's to see to.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from bridge.clock import Clock
from bridge.mailbox import Mailboxes, MailboxTransaction

log = structlog.get_logger()

INTERVAL_S = 3600.0
EVENTS_KEPT = timedelta(days=90)
EVENTS_A_BATCH = 1_000
INDEX_PAUSE_S = 0.125
"""Between two batches of texts read anew or on their way into the index: nobody is to notice."""


class Housekeeping:
    """Tidies up once an hour, in batches small enough to make nobody wait."""

    def __init__(self, mailboxes: Mailboxes, clock: Clock) -> None:
        self._mailboxes = mailboxes
        self._clock = clock

    async def run(self) -> None:
        """Tidy up for ever."""
        while True:
            dropped = await self.tidy()
            if dropped:
                log.info("texts_dropped", count=dropped)
            await self.forget_events()
            while await self._mailboxes.renew_texts():
                await self._clock.sleep(INDEX_PAUSE_S)
            while await self._mailboxes.index_bodies():
                await self._clock.sleep(INDEX_PAUSE_S)
            await self._clock.sleep(INTERVAL_S)

    async def tidy(self) -> int:
        """Throw away what is due; return how much that was."""
        dropped = 0
        while batch := await self._mailboxes.drop_orphans():
            dropped += batch
        return dropped

    async def forget_events(self) -> None:
        """Let events go that are older than what is promised."""
        before = self._clock.now() - EVENTS_KEPT

        async def work(mtx: MailboxTransaction) -> int:
            return await mtx.tx.drop_events(before, EVENTS_A_BATCH)

        while await self._mailboxes.write(work) == EVENTS_A_BATCH:
            await self._clock.sleep(INDEX_PAUSE_S)
