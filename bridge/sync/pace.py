"""One account's pace: when to look again, after success and after trouble.

Asks ``interval`` with what is known of the moment: who watches, what was sent, what the budget
has left, how often it failed in a row.
"""

from __future__ import annotations

from random import Random

from bridge.api.errors import NotSent
from bridge.clock import Clock
from bridge.mailbox import Mailboxes
from bridge.sync import interval
from bridge.sync.interval import Situation
from bridge.sync.settings import SyncAccount

LOOK_ROUND_S = 2.0
"""How often a resting account notices that a client came or a send ended."""

PERSON_NEEDED = frozenset({"credentials", "payment"})


class Pace:
    """See the module."""

    def __init__(
        self,
        account: SyncAccount,
        mailboxes: Mailboxes,
        clock: Clock,
        random: Random,
        interval_s: float,
    ) -> None:
        self._account = account
        self._mailboxes = mailboxes
        self._clock = clock
        self._random = random
        self._interval_s = interval_s
        self._sent_s: float | None = None
        self._seen_s: float | None = None
        self._failures = 0

    def sent(self) -> None:
        """A send ended: receipts are due."""
        self._sent_s = self._clock.monotonic()

    def worked(self) -> None:
        """The API answered sensibly."""
        self._failures = 0

    def retry_s(self, error: Exception) -> float:
        """Take note of a failure, and return how long to wait."""
        self._failures += 1
        after_s = error.retry_after_s if isinstance(error, NotSent) else None
        needs_person = isinstance(error, NotSent) and error.kind in PERSON_NEEDED
        grown = interval.probe_s if needs_person else interval.retry_s
        return grown(self._failures, after_s, self._random.random())

    async def next_look_s(self) -> float:
        """Return how long after a look the next one is due, as things stand now."""
        now_s = self._clock.monotonic()
        is_watched = self._mailboxes.watchers(self._account.id) > 0
        if is_watched:
            self._seen_s = now_s
        situation = Situation(
            self._interval_s,
            is_watched,
            None if self._sent_s is None else now_s - self._sent_s,
            None if self._seen_s is None else now_s - self._seen_s,
        )
        budget = self._account.budget
        return interval.within_budget_s(
            interval.wanted_s(situation),
            await budget.remaining(),
            budget.per_day,
            budget.day_left_s(),
        )

    async def rest(self) -> None:
        """Wait until the next look is due, which may become sooner meanwhile."""
        began_s = self._clock.monotonic()
        while (left_s := began_s + await self.next_look_s() - self._clock.monotonic()) > 0:
            await self._clock.sleep(min(left_s, LOOK_ROUND_S))

    async def has_spare(self) -> bool:
        """Tell whether today's requests allow for more than looking at what is new."""
        budget = self._account.budget
        kept = interval.reserve(self._interval_s, budget.per_day, budget.day_left_s())
        return await budget.remaining() > kept
