"""How a day's requests are shared out: what each purpose leaves, and how far apart looks are. Pure.

It rests on two figures. The *even share* are the requests that would be left now if the day's were
made evenly, an hour of the night for a quarter of one of the day. The *watch* are those that it
takes to look each ``WATCH_DAY_S`` by day and each ``WATCH_NIGHT_S`` by night until midnight. Looks
may use all that is left. What came just now, rows and texts, borrows from the hours to come, which
may be quiet: it leaves the watch and little more. Everything else leaves ``FLOORS`` of the even
share, half of it at least. Where busy hours are expected, the day is shared out accordingly, and
what is no news leaves what those need; nothing is borrowed where the days before needed all there
is. The share melts towards midnight, and what is kept for looks with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bridge.api.hours import UNLIMITED
from bridge.api.purpose import BORROWING, FLOORS, FOR_NEWS, OF_RECEIPTS, Purpose

HALF = 0.5
"""The part of the even share below which looks come further apart than ``LONGEST_S``, and beyond
which nothing is borrowed."""

FIRST_TEXTS = 1 / 40
"""The part of a day's requests that such texts may take at once."""

LEAD = 0.1
"""By how much of the even share looks may run ahead of the even pace at busy hours: what is sent is
seen to sooner then. By night that would go for looks that find nothing, and where looks take more
than a page for the pages that further looks would save."""

LONGEST_S = 200.0
"""Looks come at least so often as long as half of the even share is left: what comes just after one
is known within five minutes, also where the next takes a minute and a half to read. Much further
apart would save little, for each row that comes has to be listed once in any case."""

SEVERAL_PAGES = 2.0
"""Pages that looks take where masses come."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day at one moment: requests it has and had, its length and what is left of it.

    ``share`` is the part of its requests that would be left had they been made evenly, None if all
    hours are worth the same; ``pace`` is how fast it falls now, 1 where they are. A look takes
    ``look_cost`` requests of late, and ``texts`` for what it brings up; ``needed`` are those that
    the hours that are left are expected to need, as far as they are kept for that, and ``is_short``
    says that a whole day needs all there is; ``may_lead`` that a day before tells what this one
    needs, or that something came, and not so much that there would be too few until night.
    ``watch`` are those that looks so far apart as ``watch_s`` take until midnight. ``receipts``
    texts of receipts may be fetched now.
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
    may_lead: bool = True
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
        kept = min(day.watch + FLOORS[purpose] * day.even_share, kept)
    return kept if purpose is Purpose.LOOK else max(kept, _watch(day))


def _watch(day: Day) -> float:
    """Return the looks that everything else leaves, however little the hours to come are worth.

    Of few requests they are no more than half of what would be left by the clock.
    """
    return min(day.watch, HALF * day.per_day * day.left_s / day.length_s)


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
    may_lead = day.pace >= 1 and day.may_lead
    lead = LEAD * max(2 - day.look_cost - day.texts, 0.0) if may_lead else 0.0
    if day.remaining >= (1 - lead) * day.even_share and day.remaining > _watch(day):
        return wanted_s
    a_request_s = day.lasting_s(day.left_share) / day.remaining
    look_s = (day.look_cost + day.texts) * a_request_s
    if day.look_cost >= SEVERAL_PAGES and may_be_made(Purpose.NEWS, day):
        return max(wanted_s, min(look_s, LONGEST_S))
    longest_s = LONGEST_S * max(HALF * day.even_share / day.remaining, 1.0)
    interval_s = max(wanted_s, a_request_s, min(look_s, longest_s, day.watch_s))
    if day.remaining < day.watch or not day.watch:
        return interval_s
    if day.remaining <= (_watch(day) if day.is_short else _kept(Purpose.NEWS, day)):
        return max(wanted_s, day.watch_s)
    return min(interval_s, max(wanted_s, day.watch_s))
