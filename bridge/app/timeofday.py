"""Whether this machine's time of day is the service's: an alarm while it is not.

The plan's day, times in receipts and the dates of messages go by it. What must not go wrong with a
clock that ran ahead (what counts as submitted twice, what is forgotten after its retention, when a
mailbox that looks empty is believed) goes by ``Clock.earliest`` and waits.

Failure: ``StoreFailed`` ends ``run``; who runs it begins again.
"""

from __future__ import annotations

from datetime import timedelta

from bridge.alarms import AlarmKind, Notice
from bridge.app.everywhere import settle_everywhere
from bridge.clock import TOLERATED, Clock
from bridge.mailbox import Mailboxes

LOOK_EVERY_S = 60.0
LOOKS = 2
"""So often in a row it must be seen: one odd answer tells nothing."""


class TimeOfDay:
    """Raises and ends the alarm.

    Args:
        mailboxes: the single writer.
        clock: what heard the service's time.
    """

    def __init__(self, mailboxes: Mailboxes, clock: Clock) -> None:
        self._mailboxes = mailboxes
        self._clock = clock
        self._is_wrong: bool | None = None
        self._looks = 0

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Raise the alarm, or end it, where that is new."""
        ahead = self._clock.ahead()
        if ahead is None:
            return
        is_wrong = abs(ahead) > TOLERATED
        self._looks = self._looks + 1 if is_wrong is not self._is_wrong else 0
        if self._looks < LOOKS:
            return
        words = clock_is_wrong(ahead) if is_wrong else None
        await settle_everywhere(self._mailboxes, AlarmKind.CLOCK, words, self._clock.now())
        self._is_wrong, self._looks = is_wrong, 0


def clock_is_wrong(ahead: timedelta) -> Notice:
    """Say by how much this machine's clock and the service's differ."""
    minutes = abs(round(ahead.total_seconds() / 60))
    by = f"{minutes // 60} h {minutes % 60} min"
    italian = "avanti" if ahead > timedelta(0) else "indietro"
    english = "ahead" if ahead > timedelta(0) else "behind"
    return Notice(
        f"Orologio errato / Wrong clock: {by}",
        f"L'orologio di questa macchina è {italian} di {by} rispetto a quello del servizio. Le "
        "date dei messaggi e il giorno del piano possono essere errati; nulla viene dimenticato o "
        "inviato due volte per questo. Regolarlo (NTP).",
        f"This machine's clock is {by} {english} of the service's. Dates of messages and the "
        "plan's day may be wrong; nothing is forgotten or sent twice for that. Set it right (NTP).",
    )
