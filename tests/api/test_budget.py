"""The day's requests: what is kept for looks, for whom, how long, and over restarts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api.budget import ENOUGH_TO_LOOK, LEDGER_STEP, RequestBudget
from bridge.api.errors import NotSent
from bridge.api.hours import MORNING, NIGHT, NIGHT_WEIGHT, WATCH_DAY_S, WATCH_NIGHT_S
from bridge.api.purpose import BORROWING, FLOORS, OF_RECEIPTS, Purpose
from bridge.api.share import (
    FIRST_TEXTS,
    HALF,
    LEAD,
    LONGEST_S,
    Day,
    floor,
    look_interval_s,
    may_be_made,
    wait_s,
)
from bridge.clock import ROME
from tests.fakes import FakeClock

DAY_S = 86_400.0
BOUNDED = {Purpose.VERIFICATION}
"""There are no more of these than of something less urgent."""
OTHERS = [one for one in Purpose if one not in {Purpose.LOOK, *BORROWING, *BOUNDED}]


class Ledger:
    def __init__(self) -> None:
        self.counts: dict[date, dict[str, int]] = {}
        self.saves = 0

    async def load(self, day: date) -> Mapping[str, int]:
        return dict(self.counts.get(day, {}))

    async def save(self, day: date, purpose: str, count: int) -> None:
        self.saves += 1
        self.counts.setdefault(day, {})[purpose] = count


async def spend(budget: RequestBudget, times: int, purpose: Purpose = Purpose.LOOK) -> int:
    done = 0
    for _ in range(times):
        try:
            await budget.spend(purpose)
        except NotSent:
            break
        done += 1
    return done


@pytest.mark.parametrize(
    ("at", "share"),
    [
        (datetime(2026, 1, 14, 23, 0, tzinfo=UTC), 1.0),
        (datetime(2026, 1, 15, 6, 0, tzinfo=UTC), 15.5 / 17.25),
        (datetime(2026, 1, 15, 13, 30, tzinfo=UTC), 8.0 / 17.25),
        (datetime(2026, 1, 15, 21, 0, tzinfo=UTC), 0.5 / 17.25),
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), 1.0),  # of 23 hours
        (datetime(2026, 10, 25, 6, 0, tzinfo=UTC), 15.5 / 17.5),  # of 25
    ],
)
async def test_an_hour_of_the_night_is_worth_a_quarter_of_one_of_the_day(
    at: datetime, share: float
) -> None:
    budget = RequestBudget(FakeClock(at), 10_000)
    kept = math.ceil(FLOORS[Purpose.BODY] * 10_000 * share)
    assert await spend(budget, 10_000, Purpose.BODY) == 10_000 - kept


async def test_looks_may_use_a_whole_day_and_no_more(clock: FakeClock) -> None:
    budget = RequestBudget(clock, 25)
    assert await spend(budget, 100) == 25
    assert (await budget.use()).remaining == 0
    with pytest.raises(NotSent) as refusal:
        await budget.spend(Purpose.LOOK)
    assert refusal.value.kind == "budget"
    assert refusal.value.retry_after_s == 14 * 3600  # 09:00 UTC is 10:00 in Rome


@pytest.mark.parametrize("purpose", [one for one in OTHERS if one not in OF_RECEIPTS])
@pytest.mark.parametrize("per_day", [10, 100, 1440])
async def test_nobody_else_touches_what_looks_need(per_day: int, purpose: Purpose) -> None:
    clock = FakeClock(datetime(2026, 1, 14, 23, 0, tzinfo=UTC))
    budget = RequestBudget(clock, per_day)
    taken = await spend(budget, per_day, purpose)
    assert taken == per_day - floor(purpose, Day(per_day, 0, DAY_S, DAY_S)) <= per_day / 2
    assert await spend(budget, per_day, Purpose.LOOK) == per_day - taken


@pytest.mark.parametrize("purpose", OTHERS)
@pytest.mark.parametrize("is_short", [False, True])
def test_looks_until_midnight_are_left_where_the_evening_is_worth_little(
    purpose: Purpose, *, is_short: bool
) -> None:
    """On a day whose requests are for its busy hours, an evening has a small share of them."""
    evening = Day(
        1_440, 1_410, DAY_S, DAY_S / 5, share=0.01, is_short=is_short, watch=25, watch_s=720
    )
    assert floor(purpose, evening) >= 25
    assert not may_be_made(purpose, replace(evening, used=1_415))
    assert may_be_made(Purpose.LOOK, replace(evening, used=1_415))
    assert look_interval_s(30, replace(evening, used=1_415)) == 720
    few = replace(evening, per_day=30, used=10, watch=60)
    assert floor(purpose, few) <= 30 / 5


async def test_what_is_done_together_is_begun_where_all_of_it_may_be_made() -> None:
    clock = FakeClock(datetime(2026, 1, 14, 23, 0, tzinfo=UTC))
    budget, room = (
        RequestBudget(clock, 100),
        100 - floor(Purpose.DELETION, Day(100, 0, DAY_S, DAY_S)),
    )
    assert await budget.has_room(Purpose.DELETION, 24)
    await spend(budget, room - 4, Purpose.DELETION)
    assert await budget.has_room(Purpose.DELETION, 4)
    assert not await budget.has_room(Purpose.DELETION, 5)
    await spend(budget, 4)
    assert not await budget.has_room(Purpose.DELETION, 1)


async def test_a_twentieth_of_a_day_is_room_enough() -> None:
    clock = FakeClock(datetime(2026, 1, 14, 23, 0, tzinfo=UTC))
    budget, room = (
        RequestBudget(clock, 100),
        100 - floor(Purpose.DELETION, Day(100, 0, DAY_S, DAY_S)),
    )
    await spend(budget, room - 5, Purpose.DELETION)
    assert await budget.has_room(Purpose.DELETION, 24)
    assert await RequestBudget(clock, 0).has_room(Purpose.DELETION, 24)


def test_the_urgent_come_first() -> None:
    floors = [FLOORS[purpose] for purpose in Purpose]
    assert floors == sorted(floors)
    assert min(FLOORS[purpose] for purpose in OTHERS) >= 0.5


@given(
    per_day=st.integers(1, 5000),
    used=st.integers(0, 5000),
    left_s=st.floats(0, DAY_S),
    purpose=st.sampled_from(OTHERS),
)
def test_a_refusal_says_when_to_try_again(
    per_day: int, used: int, left_s: float, purpose: Purpose
) -> None:
    day = Day(per_day, min(used, per_day), DAY_S, left_s)
    if may_be_made(purpose, day):
        return
    after_s = wait_s(purpose, day)
    assert after_s <= max(left_s, 1.0)
    if day.remaining and after_s < left_s:
        later = Day(per_day, day.used, DAY_S, left_s - after_s - 0.01)
        assert may_be_made(purpose, later)


async def test_what_is_kept_melts_towards_midnight(clock: FakeClock) -> None:
    budget = RequestBudget(clock, 1440)
    await spend(budget, 1440, Purpose.BODY)
    with pytest.raises(NotSent) as refusal:
        await budget.spend(Purpose.BODY)
    assert refusal.value.retry_after_s is not None
    await clock.advance(refusal.value.retry_after_s + 1)
    assert await spend(budget, 1440, Purpose.BODY) >= 1
    await clock.advance(budget_left_s(clock) - 30)
    assert await spend(budget, 1440, Purpose.BODY) > 400


def budget_left_s(clock: FakeClock) -> float:
    return (datetime(2026, 1, 15, 23, 0, tzinfo=UTC) - clock.now()).total_seconds()


@pytest.mark.parametrize(
    ("used", "left_s", "expected"),
    [
        (0, DAY_S, 5),
        (140, DAY_S, 5),
        (240, DAY_S, DAY_S / 1200),
        (720, DAY_S / 2, 5),
        (1340, DAY_S / 2, DAY_S / 200),
        (1440, 3600, 3600),
        (1432, 600, 600 / 8),
        (1430, 600, 5),
    ],
    ids=[
        "fresh",
        "a burst",
        "after the burst",
        "half way",
        "running low",
        "used up",
        "no lead at midnight",
        "even at midnight",
    ],
)
def test_a_low_budget_stretches_the_interval(used: int, left_s: float, expected: float) -> None:
    assert look_interval_s(5, Day(1440, used, DAY_S, left_s)) == pytest.approx(expected)


@given(wanted=st.floats(1, 900), per_day=st.integers(24, 5000))
def test_looks_last_the_whole_day_and_never_pause_for_long(wanted: float, per_day: int) -> None:
    left_s, used = DAY_S, 0
    while left_s > 0:
        assert used < per_day
        used += 1
        pause_s = look_interval_s(wanted, Day(per_day, used, DAY_S, left_s))
        assert pause_s <= max(wanted, 2 * DAY_S / per_day)
        left_s -= pause_s


@pytest.mark.parametrize("purpose", Purpose)
async def test_without_a_limit_nothing_is_refused(clock: FakeClock, purpose: Purpose) -> None:
    budget = RequestBudget(clock, 0, Ledger())
    assert await spend(budget, 5000, purpose) == 5000
    use = await budget.use()
    assert (use.used, use.remaining, use.is_used_up) == (5000, None, False)
    assert await budget.look_interval_s(1) == 1


async def test_the_next_roman_day_is_whole(clock: FakeClock) -> None:
    budget = RequestBudget(clock, 3, Ledger())
    await spend(budget, 4)
    await clock.advance(13 * 3600)
    use = await budget.use()
    assert (use.remaining, use.refused, use.is_used_up) == (0, frozenset({Purpose.LOOK}), True)
    await clock.advance(3600)
    use = await budget.use()
    assert (use.remaining, use.refused, use.is_used_up) == (3, frozenset(), False)


async def test_what_nobody_misses_leaves_room_for_all_others(clock: FakeClock) -> None:
    budget = RequestBudget(clock, 1440, Ledger())
    await spend(budget, 1440, Purpose.CONFIRMATION)
    use = await budget.use()
    assert (use.refused, use.is_used_up) == (frozenset({Purpose.CONFIRMATION}), False)
    for purpose in (Purpose.QUOTA, Purpose.COMMAND, Purpose.BODY, Purpose.DELETION, Purpose.LOOK):
        assert await spend(budget, 10, purpose) == 10


@pytest.mark.parametrize(("before_s", "is_used_up"), [(60, False), (899, False), (901, True)])
async def test_the_last_request_shortly_before_midnight_is_no_trouble(
    clock: FakeClock, before_s: float, is_used_up: bool
) -> None:
    """Looks are spread so that they last until then, and not longer."""
    budget = RequestBudget(clock, 3, Ledger())
    await clock.advance(14 * 3600 - before_s)
    for refused in (frozenset[Purpose](), frozenset({Purpose.LOOK})):
        await spend(budget, 3)
        use = await budget.use()
        assert (use.remaining, use.refused, use.is_used_up) == (0, refused, is_used_up)


async def test_a_crash_loses_at_most_a_step(clock: FakeClock) -> None:
    ledger = Ledger()
    spent = await spend(RequestBudget(clock, 1000, ledger), 21)
    left = (await RequestBudget(clock, 1000, ledger).use()).remaining
    assert left is not None
    assert 1000 - spent - LEDGER_STEP < left <= 1000 - spent
    assert ledger.saves == 3


async def test_restarts_never_give_more_than_the_budget(clock: FakeClock) -> None:
    ledger = Ledger()
    total = 0
    for _ in range(10):
        total += await spend(RequestBudget(clock, 40, ledger), 7)
    assert total <= 40


async def test_a_failed_write_does_not_spend_for_free(clock: FakeClock) -> None:
    class Failing(Ledger):
        async def save(self, day: date, purpose: str, count: int) -> None:
            raise OSError("disk full")

    budget = RequestBudget(clock, 5, Failing())
    with pytest.raises(OSError, match="disk full"):
        await budget.spend(Purpose.LOOK)
    assert (await budget.use()).used == 1


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), 23),
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), 25),
    ],
    ids=["clocks forward", "clocks back"],
)
async def test_days_with_a_clock_change_are_as_long_as_they_are(now: datetime, hours: int) -> None:
    clock = FakeClock(now)
    budget = RequestBudget(clock, 100)
    assert await spend(budget, 100, Purpose.SEARCH) == 50
    await spend(budget, 50)
    with pytest.raises(NotSent) as refusal:
        await budget.spend(Purpose.LOOK)
    assert refusal.value.retry_after_s == hours * 3600
    await clock.advance(hours * 3600)
    assert (await budget.use()).remaining == 100


def test_a_budget_is_not_negative(clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="negative"):
        RequestBudget(clock, -1)


def test_looks_of_several_requests_come_so_much_later() -> None:
    day = Day(1440, 720, DAY_S, DAY_S * 0.75)
    costly = replace(day, look_cost=2.0)
    assert look_interval_s(5, costly) == pytest.approx(2 * look_interval_s(5, day))


def test_looks_leave_what_the_texts_they_bring_up_take() -> None:
    day = Day(1440, 540, DAY_S, DAY_S * 0.75)
    with_texts = replace(day, texts=0.5)
    assert look_interval_s(5, with_texts) == pytest.approx(1.5 * look_interval_s(5, day))


@given(used=st.integers(0, 1439), cost=st.floats(1, 9), texts=st.floats(0, 9))
def test_pages_and_texts_put_looks_off_the_further_the_less_is_left(
    used: int, cost: float, texts: float
) -> None:
    """No further than ``LONGEST_S`` while that is half: below, texts are to have their part."""
    plain = Day(1440, used, DAY_S, DAY_S / 2, watch=60, watch_s=WATCH_DAY_S)
    costly = replace(plain, look_cost=cost, texts=texts)
    most_s = LONGEST_S * max(HALF * plain.even_share / plain.remaining, 1)
    interval_s = look_interval_s(5, costly)
    assert interval_s <= max(look_interval_s(5, plain), most_s)
    assert interval_s <= WATCH_DAY_S or plain.remaining < plain.watch


@pytest.mark.parametrize(("cost", "texts"), [(2.0, 0.0), (1.5, 0.5), (9.0, 3.0)])
def test_looks_that_take_more_than_a_page_do_not_run_ahead(cost: float, texts: float) -> None:
    day = Day(1440, 144, DAY_S, DAY_S)
    assert look_interval_s(5, day) == 5
    half_way = replace(day, used=72, look_cost=1.5)
    assert look_interval_s(5, half_way) == 5
    assert look_interval_s(5, replace(half_way, used=73)) > 5
    assert look_interval_s(5, replace(day, used=0, look_cost=cost, texts=texts)) == 5
    assert look_interval_s(5, replace(day, used=1, look_cost=cost, texts=texts)) > 5
    assert pytest.approx(0.1) == LEAD


def test_what_comes_in_masses_hides_no_newest_page_for_long() -> None:
    """The page alone is looked at as often as the requests allow, or each 200 seconds."""
    for used, expected_s in ((1_000, LONGEST_S), (1_420, DAY_S / 2 / 20)):
        day = Day(1440, used, DAY_S, DAY_S / 2, look_cost=9.0, watch=60, watch_s=WATCH_DAY_S)
        assert look_interval_s(5, day) == pytest.approx(expected_s)


@pytest.mark.parametrize("purpose", [Purpose.CONFIRMATION, Purpose.RECEIPT])
def test_where_looks_take_more_receipts_texts_leave_them_more(purpose: Purpose) -> None:
    day = Day(1440, 0, DAY_S, DAY_S)
    costly = replace(day, look_cost=2.0, texts=0.5)
    assert 1440 - floor(purpose, costly) == pytest.approx((1440 - floor(purpose, day)) / 2.5, abs=1)
    assert floor(Purpose.BODY, costly) == floor(Purpose.BODY, day)


async def test_by_night_looks_do_not_run_ahead(clock: FakeClock) -> None:
    budget = RequestBudget(clock, 1440)
    await clock.advance(14 * 3_600)  # midnight
    for interval_s, used in ((5, 0), (17.25 * 3_600 / 1440 / NIGHT_WEIGHT, 3)):
        await spend(budget, used)
        assert await budget.look_interval_s(5) == pytest.approx(interval_s, rel=0.01)
    await clock.advance(8 * 3_600)
    assert await budget.look_interval_s(5) == 5


async def test_requests_are_kept_for_the_hours_that_need_them(clock: FakeClock) -> None:
    needs = [0.0] * 24
    needs[14:18] = [180.0] * 4
    budgets = [RequestBudget(clock, 1440) for _ in range(2)]
    budgets[1].expects(needs)
    await clock.advance(3 * 3_600)  # 13 o'clock
    left = [1440 - await spend(one, 1440, Purpose.BODY) for one in budgets]
    plain = 9 + 2 * NIGHT_WEIGHT
    whole = 15 + 9 * NIGHT_WEIGHT
    assert left[0] == pytest.approx(0.5 * 1440 * plain / whole, abs=1)
    assert left[1] == pytest.approx(0.5 * (720 + 720 * plain / whole), abs=1)


async def test_looks_until_midnight_are_kept_whatever_other_hours_need(clock: FakeClock) -> None:
    needs = [0.0] * 24
    needs[9] = 10_000.0
    budget = RequestBudget(clock, 1440)
    budget.expects(needs)
    await clock.advance(2 * 3_600)  # noon: that hour is over
    looks = 10.25 * 3_600 / WATCH_DAY_S + 1.75 * 3_600 / WATCH_NIGHT_S
    assert 1440 - await spend(budget, 1440, Purpose.BODY) == math.ceil(looks)


@pytest.mark.parametrize("purpose", [Purpose.LOOK, Purpose.NEWS], ids=["pages", "a gap"])
async def test_what_a_look_takes_is_learnt(clock: FakeClock, purpose: Purpose) -> None:
    budget = RequestBudget(clock, 1_100)
    for _ in range(200):
        await clock.advance(60)
        await spend(budget, 1)
        await spend(budget, 2, purpose)
    use = await budget.use()
    assert use.remaining == 500
    left_s = (8 * 60 + 40) * 60 + NIGHT_WEIGHT * 2 * 3_600  # at 13:20
    assert await budget.look_interval_s(1) == pytest.approx(3 * left_s / 500)


async def test_texts_that_only_confirm_leave_others_a_quarter(clock: FakeClock) -> None:
    budget = RequestBudget(clock, 1440)
    await spend(budget, 1440, Purpose.CONFIRMATION)
    share = 1440 * (await budget.use()).left_s / DAY_S
    assert await spend(budget, 1440, Purpose.BODY) >= 0.24 * share


BORROWERS = sorted(BORROWING, key=lambda one: one.value)
RECEIPTS = sorted(OF_RECEIPTS, key=lambda one: one.value)


# -- what comes just now ---------------------------------------------------------------------------


@pytest.mark.parametrize("hour", [0, 9, 21])
@pytest.mark.parametrize("purpose", BORROWERS)
async def test_what_comes_now_borrows_from_the_hours_to_come_and_no_minute_is_blind(
    purpose: Purpose, hour: int
) -> None:
    """Whatever came: 15 minutes by day and 60 by night never pass without a look."""
    clock = FakeClock(datetime(2026, 1, 14, 23, 0, tzinfo=UTC) + timedelta(hours=hour))
    budget = RequestBudget(clock, 1440)
    even_share = 1440 * (await budget.use()).left_s / DAY_S
    while await spend(budget, 1440, purpose):
        left = (await budget.use()).remaining or 0
        assert left < 0.2 * even_share
        last = clock.now()
        while clock.now() - last < timedelta(seconds=await budget.look_interval_s(5)):
            await clock.advance(60)
        assert await spend(budget, 1) == 1
        local = last.astimezone(ROME).time()
        apart_s = (clock.now() - last).total_seconds()
        assert apart_s <= (900 if MORNING <= local < NIGHT else 3_600)
        if clock.now() - last > timedelta(hours=24 - hour):
            break


async def test_a_gap_leaves_the_texts_of_what_it_lists_a_little(clock: FakeClock) -> None:
    budget = RequestBudget(clock, 1440)
    await spend(budget, 1440, Purpose.NEWS)
    assert 10 <= await spend(budget, 1440, Purpose.ARRIVAL) <= 30
    use = await budget.use()
    assert use.refused == {Purpose.NEWS, Purpose.ARRIVAL}


@pytest.mark.parametrize("needed", [0.0, 1.0])
@pytest.mark.parametrize(
    ("coming", "may_lead", "may_read"),
    [(None, False, True), (0.0, True, True), (119.0, True, True), (121.0, False, False)],
    ids=["nothing came", "nothing comes", "it would do", "it would not"],
)
async def test_a_first_day_keeps_its_requests_for_what_may_come(
    clock: FakeClock, needed: float, coming: float | None, *, may_lead: bool, may_read: bool
) -> None:
    """From ten o'clock until night twelve hours are left; a day before would tell better."""
    budget = RequestBudget(clock, 1440)
    budget.expects([0.0] * 18 + [needed] + [0.0] * 5, coming)
    day = budget._day(await budget._today())
    assert may_be_made(Purpose.RECEIPT, day) is (may_read or needed > 0)
    behind = replace(day, used=day.per_day - math.floor(0.95 * day.even_share))
    assert (look_interval_s(5, behind) == 5) is (may_lead or needed > 0)
    await clock.advance(12 * 3_600)
    assert await spend(budget, 1, Purpose.RECEIPT) == 1


@pytest.mark.parametrize("purpose", BORROWERS)
async def test_nothing_is_borrowed_where_the_days_before_needed_all(
    clock: FakeClock, purpose: Purpose
) -> None:
    """Then some of what comes is shown at every hour, and not all of it until noon."""
    needs = [0.0] * 24
    needs[8:18] = [(1440 - ENOUGH_TO_LOOK) / 10] * 10
    enough, short = RequestBudget(clock, 1440), RequestBudget(clock, 1440)
    enough.expects(needs)
    short.expects([*needs[:8], needs[8] + 1, *needs[9:]])
    await spend(enough, 1440, purpose)
    await spend(short, 1440, purpose)
    lefts = [(await one.use()).remaining or 0 for one in (enough, short)]
    assert lefts[0] < 120
    assert lefts[1] > 500


# -- texts of receipts -----------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", RECEIPTS)
async def test_receipts_texts_are_fetched_at_half_the_pace_after_the_first_ones(
    clock: FakeClock, purpose: Purpose
) -> None:
    """So that a burst does not find the day's requests gone for those of its own beginning."""
    budget = RequestBudget(clock, 1440)
    first = int(FIRST_TEXTS * 1440)
    assert await spend(budget, 1440, purpose) == first
    with pytest.raises(NotSent) as refusal:
        await budget.spend(purpose)
    an_hour = 1440 / (15 + 9 * NIGHT_WEIGHT)
    assert refusal.value.retry_after_s == pytest.approx(3_600 / (HALF * an_hour))
    await clock.advance(1_800)
    assert await spend(budget, 1440, purpose) == int(HALF * an_hour / 2)


async def test_they_are_the_slower_the_more_a_look_takes(clock: FakeClock) -> None:
    budget = RequestBudget(clock, 10_000)
    for _ in range(200):
        await clock.advance(30)
        await spend(budget, 1)
        await spend(budget, 3, Purpose.NEWS)
    await spend(budget, 10_000, Purpose.CONFIRMATION)
    await clock.advance(3_600)
    an_hour = 10_000 / (15 + 9 * NIGHT_WEIGHT)
    taken = await spend(budget, 10_000, Purpose.CONFIRMATION)
    assert taken == pytest.approx(HALF * an_hour / 4, abs=1)


def test_looks_of_several_pages_stay_as_close_while_there_are_requests_for_these() -> None:
    """Further apart they would take more pages each; what only lists the newest waits longer."""
    watched = Day(1440, 1_240, DAY_S, DAY_S / 2, watch=60, watch_s=WATCH_DAY_S, look_cost=2.0)
    assert look_interval_s(5, watched) == LONGEST_S
    assert look_interval_s(5, replace(watched, look_cost=1.9)) > LONGEST_S
    assert look_interval_s(5, replace(watched, used=1_370)) > LONGEST_S  # pages are refused


async def test_what_is_refused_before_anything_is_made_is_remembered(clock: FakeClock) -> None:
    """As after a restart, when the day's requests are used up."""
    ledger = Ledger()
    before, budget = RequestBudget(clock, 100, ledger), RequestBudget(clock, 100, ledger)
    await spend(before, 100)
    with pytest.raises(NotSent):
        await budget.spend(Purpose.STATUS)
    assert (await budget.use()).refused == {Purpose.STATUS}


async def test_deletions_that_wait_for_their_turn_do_not_use_a_day_up(clock: FakeClock) -> None:
    budget = RequestBudget(clock, 100)
    await spend(budget, 100, Purpose.DELETION)
    use = await budget.use()
    assert use.refused == {Purpose.DELETION}
    assert not use.is_used_up


async def test_one_that_asks_for_nothing_shows_what_another_bridge_wrote_down(
    clock: FakeClock,
) -> None:
    ledger = Ledger()
    leads, follows = RequestBudget(clock, 1440, ledger), RequestBudget(clock, 1440, ledger)
    assert (await follows.use()).used == 0
    await leads.spend(Purpose.LOOK)
    assert (await follows.use()).used == ledger.counts[(await leads.use()).day]["look"] > 0
    before = (await follows.use()).used
    await follows.spend(Purpose.LOOK)  # it took over
    assert (await follows.use()).used == before + 1
    leads.count_anew()  # and the first one takes over again
    assert (await leads.use()).used > before
