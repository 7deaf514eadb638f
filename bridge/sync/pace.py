"""One account's pace: when to look again, after success and after trouble.

Asks ``interval`` with what is known of the moment (who watches, what was sent, how often it
failed in a row) and the day's budget, which may stretch the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

from bridge.api.errors import NotSent, is_left_for_later
from bridge.api.share import LONGEST_S
from bridge.clock import Clock
from bridge.language import say
from bridge.mailbox import Mailboxes
from bridge.sync import interval
from bridge.sync.interval import Situation
from bridge.sync.settings import NextLook, SyncAccount

LOOK_ROUND_S = 2.0
"""How often a resting account notices a client, the end of a send, an expunge."""

WATCHED_RETRY_S = 60.0
"""The longest pause after trouble with the API while a client has a mailbox open."""

BEHIND_S = LONGEST_S
"""How far apart looks are wanted while the day's requests do not suffice to list what came: what
they leave goes into that.
"""

PERSON_NEEDED = frozenset({"credentials", "payment"})

FOR_A_PERSON = say("a pause after a refusal")
AFTER_AN_ERROR = say("a pause after an error")
USED_UP = say("the day's requests are used up")
SPREAD = say("the day's requests are spread over what is left of it")
NOBODY_LOOKS = say("nobody has a mailbox open, and nothing was sent lately")
IN_TURN = say("looks are that far apart")


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
        self._is_behind = False
        self._account = account
        self._mailboxes = mailboxes
        self._clock = clock
        self._random = random
        self._interval_s = interval_s
        self._sent_s: float | None = None
        self._seen_s: float | None = None
        self._looked_s = clock.monotonic()
        self._failures = 0
        self._pause: tuple[float, str] | None = None

    def sent(self) -> None:
        """A send ended: receipts are due."""
        self._sent_s = self._clock.monotonic()

    def looked(self) -> None:
        """A look has ended: the time to the next one runs from here."""
        self._looked_s = self._clock.monotonic()

    def worked(self) -> None:
        """The API answered sensibly."""
        self._failures = 0

    def lags(self, *, is_behind: bool) -> None:
        """Note whether all that came is listed by now, or not for want of requests."""
        self._is_behind = is_behind

    @property
    def is_watched(self) -> bool:
        """Whether a client has a mailbox open."""
        return self._mailboxes.watchers(self._account.id) > 0

    async def next_look_s(self) -> float:
        """Return how long after a look the next one is due, as things stand now."""
        return await self._account.budget.look_interval_s(self._wanted_s())

    async def next_look(self) -> NextLook:
        """Return when the next look is due, as things stand now, and why not sooner."""
        now, now_s = self._clock.now(), self._clock.monotonic()
        if self._pause is not None:
            at_s, why = self._pause
        else:
            wanted_s = self._wanted_s()
            interval_s = await self._account.budget.look_interval_s(wanted_s)
            at_s = self._looked_s + interval_s
            is_slow = wanted_s > max(self._interval_s, interval.SHORTEST_S)
            is_spread = self._is_behind or interval_s > wanted_s
            why = SPREAD if is_spread else NOBODY_LOOKS if is_slow else IN_TURN
        return NextLook(now + timedelta(seconds=max(at_s - now_s, 0.0)), why)

    def _wanted_s(self) -> float:
        """Return the interval that is wanted now, the day's requests apart."""
        now_s = self._clock.monotonic()
        if self.is_watched:
            self._seen_s = now_s
        situation = Situation(
            self._interval_s,
            self.is_watched,
            None if self._sent_s is None else now_s - self._sent_s,
            None if self._seen_s is None else now_s - self._seen_s,
        )
        return max(interval.wanted_s(situation), BEHIND_S if self._is_behind else 0.0)

    async def rest(self, is_called: Callable[[], bool]) -> bool:
        """Wait until the next look is due, which may become sooner meanwhile.

        Returns:
            False if something else called before that.
        """
        while (left_s := self._looked_s + await self.next_look_s() - self._clock.monotonic()) > 0:
            if is_called():
                return False
            await self._clock.sleep(min(left_s, LOOK_ROUND_S))
        return True

    async def pause(self, error: Exception, *, of_looks: bool = True) -> None:
        """Take note of a failure, and wait as long as it asks for.

        Where nothing is known of how long that is, a client that opens a mailbox ends a long
        wait early. ``of_looks``: it is the next look that waits.
        """
        after_s = error.retry_after_s if isinstance(error, NotSent) else None
        needs_person = isinstance(error, NotSent) and error.kind in PERSON_NEEDED
        if is_left_for_later(error):  # nothing failed
            wait_s, why, is_open = after_s or interval.SHORTEST_S, USED_UP, False
        else:
            wait_s = self._retry_s(after_s, needs_person=needs_person)
            why = FOR_A_PERSON if needs_person else AFTER_AN_ERROR
            is_open = after_s is None and not needs_person
        if of_looks:
            self._pause = (self._clock.monotonic() + wait_s, why)
        try:
            await self._wait(wait_s, is_open)
        finally:
            if of_looks:
                self._pause = None

    async def _wait(self, wait_s: float, is_open: bool) -> None:
        """Wait so long; if ``is_open``, a client ends it early."""
        if not is_open:
            await self._clock.sleep(wait_s)
            return
        began_s = self._clock.monotonic()
        while True:
            most_s = min(wait_s, WATCHED_RETRY_S) if self.is_watched else wait_s
            left_s = began_s + most_s - self._clock.monotonic()
            if left_s <= 0:
                return
            await self._clock.sleep(min(left_s, LOOK_ROUND_S))

    def _retry_s(self, after_s: float | None, *, needs_person: bool) -> float:
        self._failures += 1
        grown = interval.probe_s if needs_person else interval.retry_s
        return grown(self._failures, after_s, self._random.random())
