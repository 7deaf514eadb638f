"""Whole days on a virtual clock: how long the inbox is not looked at, whoever else asks the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import cast

import pytest

from bridge.api.budget import RequestBudget
from bridge.api.errors import NotSent
from bridge.api.hours import MORNING, NIGHT, NIGHT_WEIGHT, WATCH_DAY_S, WATCH_NIGHT_S
from bridge.api.purpose import BORROWING, Purpose
from bridge.api.share import LONGEST_S
from bridge.clock import ROME, JumpAware
from bridge.mailbox import Mailboxes
from bridge.model import AccountId
from bridge.sync.interval import Situation, wanted_s
from bridge.sync.pace import Pace
from bridge.sync.pages import InboxClient
from bridge.sync.settings import SyncAccount
from tests.selected import some

DAYS = 2
SPRING = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)  # the clock goes forward on that day
AUTUMN = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)  # and back
WINTER = datetime(2026, 1, 14, 23, 0, tzinfo=UTC)
BOUNDED = {Purpose.LOOK, Purpose.VERIFICATION, *BORROWING}
"""Nobody makes more of these than something else calls for."""
OTHERS = [purpose for purpose in Purpose if purpose not in BOUNDED]


class SteppingClock(JumpAware):
    """A clock for one task alone: whoever sleeps is there at once."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed_s = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        return self._elapsed_s

    async def sleep(self, duration_s: float) -> None:
        self._elapsed_s += max(duration_s, 0.0)


class Watched:
    """Mailboxes of which one is open all day, or none."""

    def __init__(self, count: int) -> None:
        self._count = count

    def watchers(self, account: AccountId) -> int:
        return self._count


class Counts:
    def __init__(self) -> None:
        self._counts: dict[date, dict[str, int]] = {}

    async def load(self, day: date) -> Mapping[str, int]:
        return dict(self._counts.get(day, {}))

    async def save(self, day: date, purpose: str, count: int) -> None:
        self._counts.setdefault(day, {})[purpose] = count


@dataclass
class Days:
    """Some days of one account, look by look."""

    per_day: int
    interval_s: float = 60.0
    is_watched: bool = True
    sends_a_day: int = 0
    is_greedy: bool = False
    restart_every: int = 0
    start: datetime = WINTER
    looks: list[datetime] = field(default_factory=list)
    others: int = 0

    async def pass_by(self) -> None:
        clock, counts = SteppingClock(self.start), Counts()
        budget, pace = self._begin(clock, counts)
        send_at = self.start + timedelta(hours=9)
        while clock.now() < self.start + timedelta(days=DAYS):
            try:
                await budget.spend(Purpose.LOOK)
                self.looks.append(clock.now())
            except NotSent as error:
                await pace.pause(error)
                continue
            if self.sends_a_day and clock.now() >= send_at:
                send_at = max(send_at, clock.now()) + timedelta(hours=8) / self.sends_a_day
                pace.sent()
                for purpose in (Purpose.ARRIVAL, Purpose.ARRIVAL, Purpose.STATUS):
                    await self._other(budget, purpose)
            while self.is_greedy and [p for p in OTHERS if await self._other(budget, p)]:
                pass
            if self.restart_every and len(self.looks) % self.restart_every == 0:
                budget, pace = self._begin(clock, counts)
            pace.looked()
            assert await pace.rest(lambda: False)

    def _begin(self, clock: SteppingClock, counts: Counts) -> tuple[RequestBudget, Pace]:
        budget = RequestBudget(clock, self.per_day, counts)
        client = cast("InboxClient", None)
        account = SyncAccount(AccountId(1), "a@pec.invalid", client, budget)
        mailboxes = cast("Mailboxes", Watched(int(self.is_watched)))
        return budget, Pace(account, mailboxes, clock, Random(1), self.interval_s)

    async def _other(self, budget: RequestBudget, purpose: Purpose) -> bool:
        try:
            await budget.spend(purpose)
        except NotSent:
            return False
        self.others += 1
        return True

    def longest_s(self) -> dict[tuple[date, bool], float]:
        """Return the longest time without a look by the day in Rome, and whether by night."""
        longest: dict[tuple[date, bool], float] = {}
        end = self.start + timedelta(days=DAYS)
        for one, other in zip(self.looks, [*self.looks[1:], end], strict=True):
            began, ended = one.astimezone(ROME), other.astimezone(ROME)
            is_night = not MORNING <= began.time() <= ended.time() < NIGHT
            key = ended.date(), is_night
            longest[key] = max(longest.get(key, 0.0), (other - one).total_seconds())
        return longest


def check(days: Days, intervals: float, day_s: float = 0.0, night_s: float = 0.0) -> None:
    """Let the longest time without a look be so many intervals of the even pace, or as wanted.

    By night an interval is as many times longer as its hours are worth less.

    Args:
        days: what passed.
        intervals: how many.
        day_s: what it may be by day in any case.
        night_s: likewise by night.
    """
    worth_s = 15 * 3_600 + NIGHT_WEIGHT * 10 * 3_600
    even_s = worth_s / days.per_day if days.per_day else 0.0
    wanted = wanted_s(Situation(days.interval_s, watched=days.is_watched))
    longest = days.longest_s()
    assert len({day for day, _ in longest}) >= DAYS
    for (_, is_night), seconds in longest.items():
        most_s = intervals * even_s / (NIGHT_WEIGHT if is_night else 1)
        assert seconds <= max(wanted, most_s, night_s if is_night else day_s) + 2


DAYS_AND_LIMITS = pytest.mark.parametrize(
    ("per_day", "start"),
    [
        pytest.param(100, SPRING, id="100-spring"),
        pytest.param(100, AUTUMN, id="100-fall"),
        pytest.param(1440, WINTER, id="1440-plain"),
        pytest.param(100, WINTER, id="100-plain", marks=pytest.mark.slow),
        pytest.param(1440, SPRING, id="1440-spring", marks=pytest.mark.slow),
        pytest.param(1440, AUTUMN, id="1440-fall", marks=pytest.mark.slow),
    ],
)


@pytest.mark.slow
@DAYS_AND_LIMITS
async def test_with_a_client_all_day_and_nothing_sent(per_day: int, start: datetime) -> None:
    days = Days(per_day, start=start)
    await days.pass_by()
    check(days, 1.2)


@pytest.mark.slow
async def test_with_the_shortest_interval() -> None:
    days = Days(1440, interval_s=1)
    await days.pass_by()
    check(days, 1.2, LONGEST_S)  # what was looked too often is made up for at once


@pytest.mark.slow
async def test_without_a_limit_looks_are_as_wanted() -> None:
    days = Days(0, sends_a_day=20)
    await days.pass_by()
    check(days, 0)


@pytest.mark.slow
@DAYS_AND_LIMITS
async def test_with_200_sends_a_day(per_day: int, start: datetime) -> None:
    days = Days(per_day, sends_a_day=200, start=start)
    await days.pass_by()
    check(days, 2, WATCH_DAY_S, WATCH_NIGHT_S)  # what came borrowed from the evening
    assert days.others >= 50


@pytest.mark.slow
@pytest.mark.parametrize("per_day", some([100, 10, 1440], 1))
@pytest.mark.parametrize("is_watched", [True, False])
async def test_whatever_everybody_else_takes(per_day: int, is_watched: bool) -> None:
    days = Days(per_day, is_watched=is_watched, is_greedy=True)
    await days.pass_by()
    check(days, 2.2)
    assert days.others >= DAYS * per_day * 0.3


@pytest.mark.slow
@pytest.mark.parametrize("restart_every", [50])
async def test_over_restarts(restart_every: int) -> None:
    days = Days(1440, restart_every=restart_every, is_greedy=True)
    await days.pass_by()
    check(days, 2.5)  # each restart may count some too many
