"""The day's requests: who may make one now, so that looking for new mail lasts until midnight.

``RequestBudget`` is the one authority: every GET passes it, whoever makes it, under the
``Purpose`` it is made for. The policy is pure (``floor``, ``wait_s``, ``look_interval_s``) and
rests on two figures. The *even share* are the requests that would be left now if the day's were
made evenly, an hour of the night for a quarter of one of the day. The *watch* are those that it
takes to look each ``WATCH_DAY_S`` by day and each ``WATCH_NIGHT_S`` by night until midnight. Looks
may use all that is left. What came just now, rows and texts, borrows from the hours to come, which
may be quiet: it leaves the watch and little more. Everything else leaves ``FLOORS`` of the even
share, half of it at least. Where busy hours are expected (``expects``), the day is shared out
accordingly, and what is no news leaves what those need; nothing is borrowed where the days before
needed all there is. The share melts towards midnight, and what is kept for looks with it.

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
from dataclasses import dataclass, field, replace
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
    ARRIVAL = "arrival"
    NEWS = "news"
    BODY = "body"
    SEARCH = "search"
    STATUS = "status"
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
    Purpose.ARRIVAL: 0.0,
    Purpose.NEWS: 0.02,
    Purpose.BODY: 0.50,
    Purpose.SEARCH: 0.50,
    Purpose.STATUS: 0.50,
    Purpose.LISTING: 0.53,
    Purpose.DELETION: 0.55,
    Purpose.COMMAND: 0.60,
    Purpose.QUOTA: 0.60,
    Purpose.RECEIPT: 0.70,
    Purpose.CONFIRMATION: 0.75,
    Purpose.RECONCILIATION: 0.80,
    Purpose.CLEARING: 0.80,
}
"""How much of the even share each purpose leaves, the most urgent first: texts of what came just
now, so that what is listed is shown; the gap that a look found, which later looks would not come
by; texts of what came days before, as an import brings them, and of rows that are alike; the
evidence of an uncertain send; other pages that list what is new; then deletions, what a person asks
for at the command line, and texts of receipts that prove more with them. Texts that only confirm
what is known, the day's pass over all that is listed and what the settings clear come last, and
leave three quarters of the share and more to the rest: none is to take a request from an incoming
message, however many there are."""

BORROWING: frozenset[Purpose] = frozenset({Purpose.ARRIVAL, Purpose.NEWS})
"""Purposes that need leave only the watch beside their part of the share: most of what comes in an
hour is followed by quieter ones. Where the days before needed all there is, they leave ``HALF`` of
the share too, so that some of what comes is shown at every hour and not all of it until noon."""

HALF = 0.5
"""The part of the even share below which looks come further apart than ``LONGEST_S``, and beyond
which nothing is borrowed."""

SPARED: frozenset[Purpose] = frozenset(
    {Purpose.CLEARING, Purpose.CONFIRMATION, Purpose.QUOTA, Purpose.RECONCILIATION}
)
"""Purposes that nobody misses if they have to wait a while."""

FOR_NEWS: frozenset[Purpose] = frozenset(
    {
        Purpose.LOOK,
        Purpose.ARRIVAL,
        Purpose.NEWS,
        Purpose.BODY,
        Purpose.SEARCH,
        Purpose.STATUS,
    }
)
"""Purposes that requests are kept for where busy hours are expected."""

OF_RECEIPTS: frozenset[Purpose] = frozenset({Purpose.CONFIRMATION, Purpose.RECEIPT})
"""Texts whose rows said what counts, or most of it: no faster than half of the even pace after the
first ones, and the slower the more a look takes. A burst is not to find the day's requests spent on
texts of its own first receipts."""

FIRST_TEXTS = 1 / 40
"""The part of a day's requests that such texts may take at once."""

MORNING, NIGHT = time(7), time(22)
NIGHT_WEIGHT = 0.25
"""An hour before ``MORNING`` or after ``NIGHT``, in Rome, is worth so much of one of the day: mail
comes and is read by day, and what nights save is there when much comes at once."""

LEAD = 0.1
"""By how much of the even share looks may run ahead of the even pace at busy hours: what is sent is
seen to sooner then. By night that would go for looks that find nothing, and where looks take more
than a page for the pages that further looks would save."""

WATCH_DAY_S, WATCH_NIGHT_S = 720.0, 2_700.0
WATCH_DAY = (MORNING, time(22, 15))
"""Whatever came before, looks come so often until midnight. A quarter of an hour by day, the last
one before ``NIGHT`` too, and an hour by night are not to pass without one."""

NEAR_MIDNIGHT_S = 900.0
"""So shortly before midnight the last request may have been made: a look is often so far apart."""

ONE_LOOK = timedelta(seconds=4)
"""Requests for looks so close together are one look's."""

NEWS_WEIGHT = 0.1
"""How much the last look counts for what looks take: nights say little of the day."""

COSTLIEST_LOOK = 49.0
"""Requests that a look is taken to need at the most: the newest page and its gap (``listing``)."""

COSTLIEST_NEWEST = 3.0
"""Likewise, for the newest page alone: two to find it, or three to find out how pages are cut."""

LONGEST_S = 200.0
"""Looks come at least so often as long as half of the even share is left: what comes just after one
is known within five minutes, also where the next takes a minute and a half to read. Much further
apart would save little, for each row that comes has to be listed once in any case."""

SEVERAL_PAGES = 2.0
"""Pages that looks take where masses come."""

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
    the hours that are left are expected to need, as far as they are kept for that, and ``is_short``
    says that a whole day needs all there is. ``watch`` are those that looks so far apart as
    ``watch_s`` take until midnight. ``receipts`` texts of receipts may be fetched now.
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
    is_short: bool = False
    watch: float = 0.0
    watch_s: float = math.inf
    receipts: float = math.inf

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
    return FLOORS[purpose] + (HALF if purpose in BORROWING else 0.0)


def floor(purpose: Purpose, day: Day) -> int:
    """Return how many requests must be left after one of this purpose."""
    return math.ceil(_kept(purpose, day))


def _kept(purpose: Purpose, day: Day) -> float:
    needed = 0.0 if purpose in FOR_NEWS else min(day.needed, day.even_share)
    kept = needed + kept_share(purpose, day) * (day.even_share - needed)
    if purpose in BORROWING and not day.is_short:
        return min(day.watch + FLOORS[purpose] * day.even_share, kept)
    return kept


def may_be_made(purpose: Purpose, day: Day) -> bool:
    """Tell whether a request of this purpose may be made now."""
    if day.per_day == UNLIMITED:
        return True
    is_in_turn = purpose not in OF_RECEIPTS or day.receipts >= 1
    return is_in_turn and day.remaining > floor(purpose, day)


def receipts_a_second(day: Day) -> float:
    """Return how many texts of receipts may be fetched in a second, after the first ones."""
    return HALF / ((day.look_cost + day.texts) * day.lasting_s(1 / day.per_day))


def wait_s(purpose: Purpose, day: Day) -> float:
    """Return how long after a refusal one of this purpose may be made, if nobody makes others."""
    kept = _kept(purpose, day)
    if day.remaining < 1 or not kept:
        return day.left_s
    after_s = day.lasting_s(day.left_share * (1 - (day.remaining - 1) / kept))
    if purpose in OF_RECEIPTS and day.receipts < 1:
        after_s = max(after_s, (1 - day.receipts) / receipts_a_second(day))
    return max(min(after_s, day.left_s), 1.0)


def look_interval_s(wanted_s: float, day: Day) -> float:
    """Stretch the interval between looks so that they last until midnight.

    At busy hours looks may run ahead of the even pace, by ever less as the day goes on: by nothing
    in the end. They leave what the texts that they bring up take. What they take beyond the newest
    page puts them no further apart than ``LONGEST_S`` while half of the even share is left, and
    further the less it is, so that texts have their part of it. Looks of several pages stay as
    close as long as there are requests for these: further apart they would take more of them each.
    Never are any further apart than ``watch_s`` while there is the watch for it, and just that once
    there is little more: what they leave goes into the pages that they found.

    Args:
        wanted_s: how far apart they are wanted.
        day: the day at this moment.
    """
    if day.per_day == UNLIMITED:
        return wanted_s
    if day.remaining < 1:
        return max(wanted_s, day.left_s)
    lead = LEAD * max(2 - day.look_cost - day.texts, 0.0) if day.pace >= 1 else 0.0
    if day.remaining >= (1 - lead) * day.even_share:
        return wanted_s
    a_request_s = day.lasting_s(day.left_share) / day.remaining
    look_s = (day.look_cost + day.texts) * a_request_s
    if day.look_cost >= SEVERAL_PAGES and may_be_made(Purpose.NEWS, day):
        return max(wanted_s, min(look_s, LONGEST_S))
    longest_s = LONGEST_S * max(HALF * day.even_share / day.remaining, 1.0)
    interval_s = max(wanted_s, a_request_s, min(look_s, longest_s, day.watch_s))
    if day.remaining < day.watch or not day.watch:
        return interval_s
    if not day.is_short and day.remaining <= _kept(Purpose.NEWS, day):
        return max(wanted_s, day.watch_s)
    return min(interval_s, max(wanted_s, day.watch_s))


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

    Looks take ``look_cost`` each of late, the one under way ``look_requests`` so far, of these
    ``newest_cost`` and ``newest_requests`` for the newest page alone, and bring up ``texts`` that
    are fetched, so far ``look_texts``. ``heard`` is what the API said last of the
    day's requests, when ``heard_at`` were made. ``receipts`` texts of receipts might be fetched
    after the last one of them, at ``receipts_at``.
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
    newest_cost: float = 1.0
    newest_requests: int = 0
    texts: float = 0.0
    look_texts: int = 0
    last_look_at: datetime | None = None
    receipts: float = 0.0
    receipts_at: datetime | None = None

    def count(self, purpose: Purpose, now: datetime) -> None:
        """Take note of a request, and of what looks cost.

        Requests for the newest page that are close together are one look's. What it reads on for
        its gap is its own however long that takes, and so are the texts of what it brings up.
        """
        if purpose is Purpose.LOOK:
            self._look(now)
        elif purpose is Purpose.NEWS:
            self.look_requests += 1
        elif purpose is Purpose.ARRIVAL:
            self.look_texts += 1
        self.made[purpose] = self.made.get(purpose, 0) + 1

    def _look(self, now: datetime) -> None:
        if self.last_look_at is not None and now - self.last_look_at > ONE_LOOK:
            last, texts = (
                min(one, COSTLIEST_LOOK) for one in (self.look_requests, self.look_texts)
            )
            self.look_cost += NEWS_WEIGHT * (last - self.look_cost)
            self.texts += NEWS_WEIGHT * (texts - self.texts)
            newest = min(self.newest_requests, COSTLIEST_NEWEST)
            self.newest_cost += NEWS_WEIGHT * (newest - self.newest_cost)
            self.look_requests = self.newest_requests = self.look_texts = 0
        self.look_requests += 1
        self.newest_requests += 1
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
            if purpose in OF_RECEIPTS:
                counts.receipts, counts.receipts_at = day.receipts - 1, self._clock.now()
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
        day = Day(
            per_day,
            used,
            length_s,
            min(left_s, length_s),
            share,
            pace,
            counts.look_cost,
            counts.texts,
            needed,
            is_short=sum(self._needs) > per_day - ENOUGH_TO_LOOK,
            watch=hours.watch() * counts.newest_cost,
            watch_s=_watch_s(self._clock.now()),
        )
        return day if per_day == UNLIMITED else replace(day, receipts=self._receipts(counts, day))

    def _receipts(self, counts: _Counts, day: Day) -> float:
        """Return how many texts of receipts may be fetched now."""
        most = max(FIRST_TEXTS * day.per_day, 1.0)
        if counts.receipts_at is None:
            return most
        since_s = (self._clock.now() - counts.receipts_at).total_seconds()
        return min(counts.receipts + max(since_s, 0.0) * receipts_a_second(day), most)

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
    Purpose.ARRIVAL: say("arrival"),
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

    def watch(self) -> float:
        """Return how many looks keep the inbox in sight until the day ends."""
        today = self.begin.astimezone(ROME).date()
        first, last = (datetime.combine(today, at, ROME) for at in WATCH_DAY)
        left_s = max((self.end - self.now).total_seconds(), 0.0)
        day_s = max((last - max(self.now, first)).total_seconds(), 0.0)
        return day_s / WATCH_DAY_S + (left_s - day_s) / WATCH_NIGHT_S

    def pace(self, worth: Sequence[float]) -> float:
        """Return how fast that falls now, 1 where all hours are worth the same."""
        hours = (self.end - self.begin) / HOUR
        starts = (self.begin + number * HOUR for number in range(round(hours)))
        whole = sum(worth[at.astimezone(ROME).hour] for at in starts)
        now = min(max(self.now, self.begin), self.end)
        return worth[now.astimezone(ROME).hour] * hours / whole


def _watch_s(at: datetime) -> float:
    """Return how far apart looks may be at the most."""
    begin, end = WATCH_DAY
    return WATCH_DAY_S if begin <= at.astimezone(ROME).time() < end else WATCH_NIGHT_S


def _midnight(day: date) -> datetime:
    """Return the moment a day begins in Rome, in UTC: days with a clock change are 23 or 25 h."""
    local = datetime(day.year, day.month, day.day, tzinfo=ROME)
    return local.astimezone(UTC)
