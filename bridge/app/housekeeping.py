"""What is thrown away in time: texts that no message shows any more.

The archive's own retention is sync's to see to.
"""

from __future__ import annotations

import structlog

from bridge.clock import Clock
from bridge.mailbox import Mailboxes

log = structlog.get_logger()

INTERVAL_S = 3600.0


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
                log.info("texts forgotten", count=dropped)
            await self._clock.sleep(INTERVAL_S)

    async def tidy(self) -> int:
        """Throw away what is due; return how much that was."""
        dropped = 0
        while batch := await self._mailboxes.drop_orphans():
            dropped += batch
        return dropped
