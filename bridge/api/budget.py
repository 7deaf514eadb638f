"""The day's requests: who may make one now, so that looking for new mail lasts until midnight.

``RequestBudget`` is the one authority: every GET passes it, whoever makes it, under the
``Purpose`` it is made for. ``share`` says how the day's are shared out.

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
from datetime import date, datetime, timedelta
from typing import Protocol

from bridge.api.errors import NotSent, is_left_for_later
from bridge.api.hours import (
    LEAST_OTHER,
    UNLIMITED,
    Hours,
    midnight,
    until_night_h,
    watch_s,
    worth_of,
)
from bridge.api.purpose import OF_RECEIPTS, SPARED, Purpose
from bridge.api.refusals import Refusals, refusal
from bridge.api.requests_left import RequestsLeft
from bridge.api.share import (
    FIRST_TEXTS,
    Day,
    floor,
    look_interval_s,
    may_be_made,
    receipts_a_second,
    wait_s,
)
from bridge.clock import ROME, Clock

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

LEDGER_STEP = 10
"""The most requests written down ahead: one commit for ten reads; a crash loses at most these."""

TOGETHER_PART = 20
"""What is done together waits for one such part of the day's requests at the most."""

MONTH = timedelta(days=30)

ENOUGH_TO_LOOK = 240
"""Requests that keep a day in sight: each five minutes from 7 to 22 o'clock, each ten at night, and
some for what moves meanwhile. No subscription keeps anybody from these: once it is used up, the
service takes the credit or refuses."""


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
    asked, if there is one. ``refused`` are the purposes that had to wait, and ``missed`` those that
    did so for long (``refusals``); ``left_s`` is what is left of the day. ``told`` is how many the
    API itself says are left, if it does.
    """

    day: date
    per_day: int
    made: Mapping[Purpose, int]
    refused: frozenset[Purpose]
    left_s: float = math.inf
    told: int | None = None
    subscribed: Subscribed | None = None
    missed: frozenset[Purpose] = frozenset()

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
        """Whether, well before midnight, nothing is left or something is missed."""
        is_early = self.left_s > NEAR_MIDNIGHT_S
        return is_early and (bool(self.missed - SPARED) or self.remaining == 0)


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
    """One day's, from ``begin`` to ``end``: requests made, written down, refused.

    Looks take ``look_cost`` each of late, the one under way ``look_requests`` so far, of these
    ``newest_cost`` and ``newest_requests`` for the newest page alone, and bring up ``texts`` that
    are fetched, so far ``look_texts``. ``heard`` is what the API said last of the day's requests,
    when ``heard_at`` were made. ``receipts`` texts of receipts might be fetched after the last one
    of them, at ``receipts_at``. ``is_own``: something of it happened here.
    """

    day: date
    begin: datetime
    end: datetime
    made: dict[Purpose, int] = field(default_factory=dict)
    written: dict[Purpose, int] = field(default_factory=dict)
    refusals: Refusals = field(default_factory=Refusals)
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
    is_own: bool = False

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
        self.refusals.granted(purpose)

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
        self._coming: float | None = None
        self._lock = asyncio.Lock()

    async def spend(self, purpose: Purpose) -> None:
        """Take one request from today's.

        Raises:
            NotSent: kind "budget"; it is not to be made now.
        """
        async with self._lock:
            counts = await self._today()
            counts.is_own = True
            day = self._day(counts)
            if not may_be_made(purpose, day):
                counts.refusals.refused(purpose, self._clock.now())
                raise NotSent(
                    refusal(purpose, day),
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

    async def has_room(self, purpose: Purpose, requests: int) -> bool:
        """Tell whether so many requests of a purpose may be made now, for what is done together.

        A twentieth of the day's is enough in any case.
        """
        async with self._lock:
            day = self._day(await self._today())
        if day.per_day == UNLIMITED:
            return True
        wanted = min(requests, max(day.per_day // TOGETHER_PART, 1))
        return day.remaining - floor(purpose, day) >= wanted

    def count_anew(self) -> None:
        """Go on from what is written down: another bridge may have made requests meanwhile."""
        self._counts = None

    async def use(self) -> Use:
        """Return what became of today's requests so far."""
        async with self._lock:
            counts = await self._today()
            day, refusals = self._day(counts), counts.refusals
            return Use(
                counts.day,
                day.per_day,
                dict(counts.made),
                frozenset(refusals.purposes),
                day.left_s,
                told=counts.told,
                subscribed=self._subscribed,
                missed=refusals.missed,
            )

    async def heard(self, told: RequestsLeft) -> None:
        """Take note of what the API itself says is left: the lower of the two figures counts."""
        if not told.is_of_a_day:
            return
        async with self._lock:
            counts = await self._today()
            counts.is_own = True
            counts.heard, counts.heard_at = told, sum(counts.made.values())

    def subscribed(self, left: Subscribed | None) -> None:
        """Take note of what a subscription leaves, None where there is none."""
        self._subscribed = left

    def expects(self, needs: Sequence[float], coming: float | None = None) -> None:
        """Take note of the requests that each hour of a day in Rome will need, looks apart.

        The day's are shared out accordingly, the rest as ever. What is not needed after all is
        there for later hours.

        Args:
            needs: those of each hour, as earlier days had it; none if there was none.
            coming: those an hour for what comes now, None if nothing came today.
        """
        self._needs, self._coming = needs, coming

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
        hours = Hours(counts.begin, self._clock.now(), counts.end)
        worth = worth_of(per_day, self._needs)
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
            watch_s=watch_s(self._clock.now()),
        )
        if per_day == UNLIMITED:
            return day
        if sum(self._needs) > 0:
            return replace(day, receipts=self._receipts(counts, day))
        coming = (self._coming or 0.0) * until_night_h(self._clock.now())
        if coming > day.remaining:
            return replace(day, may_lead=False, receipts=0.0)
        may_lead = self._coming is not None
        return replace(day, may_lead=may_lead, receipts=self._receipts(counts, day))

    def _receipts(self, counts: _Counts, day: Day) -> float:
        """Return how many texts of receipts may be fetched now."""
        most = max(FIRST_TEXTS * day.per_day, 1.0)
        if counts.receipts_at is None:
            return most
        since_s = (self._clock.now() - counts.receipts_at).total_seconds()
        return min(counts.receipts + max(since_s, 0.0) * receipts_a_second(day), most)

    async def _today(self) -> _Counts:
        """Return the day's counts: another bridge's, if it makes them, until one is made here."""
        now, counts = self._clock.now(), self._counts
        if counts is None or not counts.is_own or not counts.begin <= now < counts.end:
            today = now.astimezone(ROME).date()
            begin, end = midnight(today), midnight(today + timedelta(days=1))
            kept = await self._ledger.load(today) if self._ledger is not None else {}
            made = {one: kept[one.value] for one in Purpose if one.value in kept}
            counts = self._counts = _Counts(today, begin, end, made, dict(made))
        return counts
