"""The day's requests: who may make one now, so that looking for new mail lasts until midnight.

``RequestBudget`` is the one authority: every GET passes it, whoever makes it, under the
``Purpose`` it is made for. The policy is pure (``floor``, ``wait_s``, ``look_interval_s``) and
rests on one figure, the *even share*: the requests that would be left now if the day's were made
evenly, an hour of the night for a quarter of one of the day. Looks may use all that is left.
Everything else leaves them ``FLOORS`` of the even share, half of it at least: whatever else
happens, looks come no more than twice as far apart as the even pace has them. Where busy hours are
expected (``expects``), the day is shared out accordingly, and what is no news leaves what those
need. The share melts towards midnight, and what is kept for looks with it.

Counts are kept for each account and day (Europe/Rome), over restarts. They are written ahead in
steps, so that a crash can only make them too high.

Where the API's answers say how many requests of the day are left (``told``), the lower figure
counts, also where the settings set no limit. So does what a subscription has left (``subscribed``),
shared out evenly over the days until it ends; a day has enough to look in any case.

Failure: ``NotSent`` of kind "budget", with the seconds until it is worth another try.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import Protocol

from bridge.api.errors import NotSent, is_left_for_later
from bridge.api.requests_left import RequestsLeft
from bridge.clock import ROME, Clock
from bridge.language import Sentence, say


class Purpose(Enum):
    """What a request is made for."""

    LOOK = "look"
    BODY = "body"
    SEARCH = "search"
    STATUS = "status"
    NEWS = "news"
    LISTING = "listing"
    DELETION = "deletion"
    COMMAND = "command"
    QUOTA = "quota"
    RECEIPT = "receipt"
    CONFIRMATION = "confirmation"
    RECONCILIATION = "reconciliation"
    CLEARING = "clearing"


FLOORS: Mapping[Purpose, float] = {
    Purpose.LOOK: 0.0,
    Purpose.BODY: 0.50,
    Purpose.SEARCH: 0.50,
    Purpose.STATUS: 0.50,
    Purpose.NEWS: 0.51,
    Purpose.LISTING: 0.53,
    Purpose.DELETION: 0.55,
    Purpose.COMMAND: 0.60,
    Purpose.QUOTA: 0.60,
    Purpose.RECEIPT: 0.70,
    Purpose.CONFIRMATION: 0.75,
    Purpose.RECONCILIATION: 0.80,
    Purpose.CLEARING: 0.80,
}
"""How much of the even share each purpose leaves, the most urgent first: texts of what came, so
that what is listed is shown; the evidence of an uncertain send; the gap that a look found, which
later looks would not come by, and other pages that list what is new; then deletions, what a person
asks for at the command line, and texts of receipts that prove more with them. Texts that only
confirm what is known, the day's pass over all that is listed and what the settings clear come last,
and leave three quarters of the share and more to the rest: none is to take a request from an
incoming message, however many there are."""

SPARED: frozenset[Purpose] = frozenset(
    {Purpose.CLEARING, Purpose.CONFIRMATION, Purpose.QUOTA, Purpose.RECONCILIATION}
)
"""Purposes that nobody misses if they have to wait a while."""

FOR_NEWS: frozenset[Purpose] = frozenset(
    {Purpose.LOOK, Purpose.NEWS, Purpose.BODY, Purpose.SEARCH, Purpose.STATUS}
)
"""Purposes that requests are kept for where busy hours are expected."""

OF_RECEIPTS: frozenset[Purpose] = frozenset({Purpose.CONFIRMATION, Purpose.RECEIPT})
"""Texts whose rows said what counts, or most of it."""

MORNING, NIGHT = time(7), time(22)
NIGHT_WEIGHT = 0.25
"""An hour before ``MORNING`` or after ``NIGHT``, in Rome, is worth so much of one of the day: mail
comes and is read by day, and what nights save is there when much comes at once."""

LEAD = 0.1
"""By how much of the even share looks may run ahead of the even pace at busy hours: what is sent is
seen to sooner then. By night that would go for looks that find nothing."""

NEAR_MIDNIGHT_S = 900.0
"""So shortly before midnight the last request may have been made: a look is often so far apart."""

ONE_LOOK = timedelta(seconds=4)
"""Requests for looks so close together are one look's."""

NEWS_WEIGHT = 0.1
"""How much the last look counts for what looks take: nights say little of the day."""

COSTLIEST_LOOK = 25.0
"""Requests that a look is taken to need at the most: the newest page and its gap (``listing``)."""

LONGEST_S = 240.0
"""Looks come at least so often as long as there are requests for the newest page alone: none is to
wait for it longer because much comes."""

LEDGER_STEP = 10
"""The most requests written down ahead: one commit for ten reads; a crash loses at most these."""

UNLIMITED = 0

MONTH = timedelta(days=30)
HOUR = timedelta(hours=1)

LEAST_OTHER = 0.25
"""The part of a day's requests that is shared out evenly whatever the hours are known to need."""

ENOUGH_TO_LOOK = 240
"""Requests that keep a day in sight: each five minutes from 7 to 22 o'clock, each ten at night, and
some for what moves meanwhile. No subscription keeps anybody from these: once it is used up, the
service takes the credit or refuses."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day at one moment: requests it has and had, its length and what is left of it.

    ``share`` is the part of its requests that would be left had they been made evenly, None if all
    hours are worth the same; ``pace`` is how fast it falls now, 1 where they are. A look takes
    ``look_cost`` requests of late, and ``texts`` for what it brings up; ``needed`` are those that
    the hours that are left are expected to need, as far as they are kept for that.
    """

    per_day: int
    used: int
    length_s: float
    left_s: float
    share: float | None = None
    pace: float = 1.0
    look_cost: float = 1.0
    texts: float = 0.0
    needed: float = 0.0

    @property
    def remaining(self) -> int:
        """Requests left."""
        return max(self.per_day - self.used, 0)

    @property
    def even_share(self) -> float:
        """Requests that would be left had they been made evenly."""
        return self.per_day * self.left_share

    @property
    def left_share(self) -> float:
        """The part of its requests that would be left had they been made evenly."""
        return self.left_s / self.length_s if self.share is None else self.share

    def lasting_s(self, share: float) -> float:
        """Return how long such a part of the day lasts, at the pace of now."""
        return share * self.length_s / self.pace


def kept_share(purpose: Purpose, day: Day) -> float:
    """Return how much of the even share is left by requests of this purpose.

    Receipts' texts leave the more the more a look takes: where much comes, rows are what counts.
    """
    if purpose in OF_RECEIPTS:
        return 1 - (1 - FLOORS[purpose]) / max(day.look_cost + day.texts, 1.0)
    return FLOORS[purpose]


def floor(purpose: Purpose, day: Day) -> int:
    """Return how many requests must be left after one of this purpose."""
    return math.ceil(_kept(purpose, day))


def _kept(purpose: Purpose, day: Day) -> float:
    needed = 0.0 if purpose in FOR_NEWS else min(day.needed, day.even_share)
    return needed + kept_share(purpose, day) * (day.even_share - needed)


def may_be_made(purpose: Purpose, day: Day) -> bool:
    """Tell whether a request of this purpose may be made now."""
    return day.per_day == UNLIMITED or day.remaining > floor(purpose, day)


def wait_s(purpose: Purpose, day: Day) -> float:
    """Return how long after a refusal one of this purpose may be made, if nobody makes others."""
    kept = _kept(purpose, day)
    if day.remaining < 1 or not kept:
        return day.left_s
    return max(day.lasting_s(day.left_share * (1 - (day.remaining - 1) / kept)), 1.0)


def look_interval_s(wanted_s: float, day: Day) -> float:
    """Stretch the interval between looks so that they last until midnight.

    At busy hours looks may run ahead of the even pace, by ever less as the day goes on: by nothing
    in the end. They leave what the texts that they bring up take, as long as they are no further
    apart for that than where those may be fetched no more. What they take beyond the newest page
    puts them no further apart than ``LONGEST_S``.

    Args:
        wanted_s: how far apart they are wanted.
        day: the day at this moment.
    """
    if day.per_day == UNLIMITED:
        return wanted_s
    if day.remaining < 1:
        return max(wanted_s, day.left_s)
    lead = LEAD if day.pace >= 1 else 0.0
    if day.remaining >= (1 - lead) * day.even_share:
        return wanted_s
    a_request_s = day.lasting_s(day.left_share) / day.remaining
    most_s = day.look_cost * day.lasting_s(1 / day.per_day) / FLOORS[Purpose.BODY]
    with_texts_s = min((day.look_cost + day.texts) * a_request_s, most_s)
    look_s = max(day.look_cost * a_request_s, with_texts_s)
    return max(wanted_s, a_request_s, min(look_s, LONGEST_S))


async def within_budget(work: Awaitable[object]) -> bool:
    """Do what may be left for later; False if the day's requests do not allow for it now."""
    try:
        await work
    except NotSent as error:
        if not is_left_for_later(error):
            raise
        return False
    return True


@dataclass(frozen=True, slots=True)
class Use:
    """What became of a day's requests.

    ``per_day`` is 0 if there is no limit; ``subscribed`` is what a subscription had left when last
    asked, if there is one. ``refused`` are the purposes that had to wait; ``left_s``
    is what is left of the day. ``told`` is how many the API itself says are left, if it does.
    """

    day: date
    per_day: int
    made: Mapping[Purpose, int]
    refused: frozenset[Purpose]
    left_s: float = math.inf
    told: int | None = None
    subscribed: Subscribed | None = None

    @property
    def used(self) -> int:
        """How many were made."""
        return sum(self.made.values())

    @property
    def remaining(self) -> int | None:
        """How many are left, None if there is no limit."""
        known = [] if self.told is None else [max(self.told, 0)]
        if self.per_day != UNLIMITED:
            known.append(max(self.per_day - self.used, 0))
        return min(known, default=None)

    @property
    def is_used_up(self) -> bool:
        """Whether, well before midnight, nothing is left or something missed had to wait."""
        is_early = self.left_s > NEAR_MIDNIGHT_S
        return is_early and (bool(self.refused - SPARED) or self.remaining == 0)


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What a subscription leaves an account: so many requests until it ends, as of ``told_at``.

    Without an end it is taken for a month's.
    """

    available: int
    told_at: datetime
    until: datetime | None

    @property
    def a_day(self) -> int:
        """How many a day that is."""
        left = MONTH if self.until is None else self.until - self.told_at
        return int(self.available / max(left / timedelta(days=1), 1.0))


class RequestLedger(Protocol):
    """Where an account's counts survive a restart."""

    async def load(self, day: date) -> Mapping[str, int]:
        """Return the counts written down for ``day``, by the purpose's value."""

    async def save(self, day: date, purpose: str, count: int) -> None:
        """Write down the count of a purpose for ``day``; older days may be forgotten."""


@dataclass(slots=True)
class _Counts:
    """One day's, from ``begin`` to ``end``: requests made, written down, purposes refused.

    Looks take ``look_cost`` each of late, the one under way ``look_requests`` so far, and bring up
    ``texts`` that are fetched, so far ``look_texts``. ``heard`` is what the API said last of the
    day's requests, when ``heard_at`` were made.
    """

    day: date
    begin: datetime
    end: datetime
    made: dict[Purpose, int] = field(default_factory=dict)
    written: dict[Purpose, int] = field(default_factory=dict)
    refused: set[Purpose] = field(default_factory=set)
    heard: RequestsLeft | None = None
    heard_at: int = 0
    look_cost: float = 1.0
    look_requests: int = 0
    texts: float = 0.0
    look_texts: int = 0
    last_look_at: datetime | None = None

    def count(self, purpose: Purpose, now: datetime) -> None:
        """Take note of a request, and of what looks cost.

        Requests for the newest page that are close together are one look's. What it reads on for
        its gap is its own however long that takes, and so are the texts of what it brings up.
        """
        if purpose is Purpose.LOOK:
            self._look(now)
        elif purpose is Purpose.NEWS:
            self.look_requests += 1
        elif purpose is Purpose.BODY:
            self.look_texts += 1
        self.made[purpose] = self.made.get(purpose, 0) + 1

    def _look(self, now: datetime) -> None:
        if self.last_look_at is not None and now - self.last_look_at > ONE_LOOK:
            last, texts = (
                min(one, COSTLIEST_LOOK) for one in (self.look_requests, self.look_texts)
            )
            self.look_cost += NEWS_WEIGHT * (last - self.look_cost)
            self.texts += NEWS_WEIGHT * (texts - self.texts)
            self.look_requests = self.look_texts = 0
        self.look_requests += 1
        self.last_look_at = now

    @property
    def told(self) -> int | None:
        """How many requests the API would say are left now, None if it never said."""
        if self.heard is None:
            return None
        return self.heard.remaining - (sum(self.made.values()) - self.heard_at)


class RequestBudget:
    """The requests one account may make today.

    Args:
        clock: tells the day, in Europe/Rome.
        per_day: requests a day has; 0 for no limit.
        ledger: keeps the counts; None counts in memory only.

    Raises:
        ValueError: ``per_day`` is negative.
    """

    def __init__(self, clock: Clock, per_day: int, ledger: RequestLedger | None = None) -> None:
        if per_day < 0:
            raise ValueError("a budget is not negative")
        self.per_day = per_day
        self._clock = clock
        self._ledger = ledger
        self._step = min(LEDGER_STEP, max(per_day // 20, 1)) if per_day else LEDGER_STEP
        self._counts: _Counts | None = None
        self._subscribed: Subscribed | None = None
        self._needs: Sequence[float] = ()
        self._lock = asyncio.Lock()

    async def spend(self, purpose: Purpose) -> None:
        """Take one request from today's.

        Raises:
            NotSent: kind "budget"; it is not to be made now.
        """
        async with self._lock:
            counts = await self._today()
            day = self._day(counts)
            if not may_be_made(purpose, day):
                counts.refused.add(purpose)
                raise NotSent(
                    _refusal(purpose, day),
                    kind="budget",
                    retry_after_s=wait_s(purpose, day),
                )
            counts.count(purpose, self._clock.now())
            made = counts.made[purpose]
            if self._ledger is not None and made > counts.written.get(purpose, 0):
                ahead = made + self._step - 1
                await self._ledger.save(counts.day, purpose.value, ahead)
                counts.written[purpose] = ahead

    async def look_interval_s(self, wanted_s: float) -> float:
        """See the function of that name."""
        async with self._lock:
            counts = await self._today()
            return look_interval_s(wanted_s, self._day(counts))

    async def use(self) -> Use:
        """Return what became of today's requests so far."""
        async with self._lock:
            counts = await self._today()
            refused = frozenset(counts.refused)
            day, made = self._day(counts), dict(counts.made)
            told, bought = counts.told, self._subscribed
            return Use(counts.day, day.per_day, made, refused, day.left_s, told, bought)

    async def heard(self, told: RequestsLeft) -> None:
        """Take note of what the API itself says is left: the lower of the two figures counts."""
        if not told.is_of_a_day:
            return
        async with self._lock:
            counts = await self._today()
            counts.heard, counts.heard_at = told, sum(counts.made.values())

    def subscribed(self, left: Subscribed | None) -> None:
        """Take note of what a subscription leaves, None where there is none."""
        self._subscribed = left

    def expects(self, needs: Sequence[float]) -> None:
        """Take note of the requests that each hour of a day in Rome will need, looks apart.

        The day's are shared out accordingly, the rest as ever. What is not needed after all is
        there for later hours.
        """
        self._needs = needs

    def _day(self, counts: _Counts) -> Day:
        left_s = max((counts.end - self._clock.now()).total_seconds(), 0.0)
        length_s = (counts.end - counts.begin).total_seconds()
        per_day, used = self.per_day, sum(counts.made.values())
        if self._subscribed is not None:
            bought = max(self._subscribed.a_day, ENOUGH_TO_LOOK)
            per_day = min(per_day or bought, bought)
        if counts.heard is not None and counts.told is not None:
            per_day = per_day or counts.heard.limit
            used = max(used, per_day - counts.told)
        hours = _Hours(counts.begin, self._clock.now(), counts.end)
        worth = _worth(per_day, self._needs)
        share, pace = hours.share(worth), hours.pace(worth)
        needed = min(sum(self._needs), (1 - LEAST_OTHER) * per_day)
        needed *= hours.share(self._needs) if needed else 0.0
        cost, texts = counts.look_cost, counts.texts
        left_s = min(left_s, length_s)
        return Day(per_day, used, length_s, left_s, share, pace, cost, texts, needed)

    async def _today(self) -> _Counts:
        now, counts = self._clock.now(), self._counts
        if counts is None or not counts.begin <= now < counts.end:
            today = now.astimezone(ROME).date()
            begin, end = _midnight(today), _midnight(today + timedelta(days=1))
            kept = await self._ledger.load(today) if self._ledger is not None else {}
            made = {one: kept[one.value] for one in Purpose if one.value in kept}
            counts = self._counts = _Counts(today, begin, end, made, dict(made))
        return counts


_CALLED: Mapping[Purpose, Sentence] = {
    Purpose.LOOK: say("look"),
    Purpose.NEWS: say("news"),
    Purpose.SEARCH: say("search"),
    Purpose.STATUS: say("status"),
    Purpose.LISTING: say("listing"),
    Purpose.BODY: say("body"),
    Purpose.DELETION: say("deletion"),
    Purpose.COMMAND: say("command"),
    Purpose.QUOTA: say("quota"),
    Purpose.RECEIPT: say("receipt"),
    Purpose.CONFIRMATION: say("confirmation"),
    Purpose.RECONCILIATION: say("reconciliation"),
    Purpose.CLEARING: say("clearing"),
}
"""What a request is for, where a person reads it."""


def _refusal(purpose: Purpose, day: Day) -> Sentence:
    if day.remaining < 1:
        return say("Today's budget of {per_day} requests is used up.", per_day=day.per_day)
    return say(
        "Of today's {per_day} requests {remaining} are left, kept for looking for new mail until "
        "midnight (this one was for: {purpose}).",
        per_day=day.per_day,
        remaining=day.remaining,
        purpose=_CALLED[purpose],
    )


def _worth(per_day: int, needs: Sequence[float]) -> tuple[float, ...]:
    """Return what each hour of a day is worth: what it needs, and its part of all other requests.

    These are a quarter of the day's at the least: looks go on at every hour.
    """
    is_day = [MORNING.hour <= hour < NIGHT.hour for hour in range(24)]
    plain = [1.0 if one else NIGHT_WEIGHT for one in is_day]
    if per_day == UNLIMITED or not sum(needs):
        return tuple(plain)
    other = max(per_day - sum(needs), LEAST_OTHER * per_day) / sum(plain)
    return tuple(need + other * one for need, one in zip(needs, plain, strict=True))


@dataclass(frozen=True, slots=True)
class _Hours:
    """A day's hours in Rome, and where in them it is now."""

    begin: datetime
    now: datetime
    end: datetime

    def share(self, worth: Sequence[float]) -> float:
        """Return the part of a day that is left by the worth of its hours."""
        whole = left = 0.0
        at = self.begin
        while at < self.end:
            next_at = min(at + HOUR, self.end)
            value = worth[at.astimezone(ROME).hour]
            whole += value * ((next_at - at) / HOUR)
            left += value * (max(next_at - max(at, self.now), timedelta()) / HOUR)
            at = next_at
        return left / whole

    def pace(self, worth: Sequence[float]) -> float:
        """Return how fast that falls now, 1 where all hours are worth the same."""
        hours = (self.end - self.begin) / HOUR
        starts = (self.begin + number * HOUR for number in range(round(hours)))
        whole = sum(worth[at.astimezone(ROME).hour] for at in starts)
        now = min(max(self.now, self.begin), self.end)
        return worth[now.astimezone(ROME).hour] * hours / whole


def _midnight(day: date) -> datetime:
    """Return the moment a day begins in Rome, in UTC: days with a clock change are 23 or 25 h."""
    local = datetime(day.year, day.month, day.day, tzinfo=ROME)
    return local.astimezone(UTC)
