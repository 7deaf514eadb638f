"""Hours in which messages leave, and when each is expected to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.clock import ROME
from bridge.model import SubmissionState
from bridge.outbox.plan import Plan
from bridge.outbox.waiting import Waiting
from bridge.outbox.window import ALL_DAY, SendingPace, Window, expected
from bridge.simulator import Simulator
from tests.fakes import FakeClock
from tests.outbox.rig import ADDRESSES, Rig, starts, subjects

DAYTIME = Window.parse("08:00-20:00")
NIGHT = Window.parse("22:00-06:30")
HOUR_S = 3_600.0
EVENING = datetime(2026, 1, 15, 20, 30, tzinfo=ROME)
LARGE = Plan("standard", 3_500, "day")

TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
WINDOWS = st.builds(Window, st.times(), st.times())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ROME)


@pytest.mark.parametrize(
    ("window", "time", "opens"),
    [
        (DAYTIME, "2026-01-15T07:59", "2026-01-15T08:00"),
        (DAYTIME, "2026-01-15T08:00", "2026-01-15T08:00"),
        (DAYTIME, "2026-01-15T19:59", "2026-01-15T19:59"),
        (DAYTIME, "2026-01-15T20:00", "2026-01-16T08:00"),
        (NIGHT, "2026-01-15T06:29", "2026-01-15T06:29"),
        (NIGHT, "2026-01-15T12:00", "2026-01-15T22:00"),
        (NIGHT, "2026-01-15T23:00", "2026-01-15T23:00"),
        (ALL_DAY, "2026-01-15T23:00", "2026-01-15T23:00"),
        (DAYTIME, "2026-03-28T21:00", "2026-03-29T08:00"),
    ],
)
def test_when_it_opens(window: Window, time: str, opens: str) -> None:
    assert window.next_open(at(time)) == at(opens)


@given(WINDOWS, TIMES)
def test_it_opens_within_a_day_and_is_open_then(window: Window, now: datetime) -> None:
    opens = window.next_open(now)
    assert now <= opens <= now + timedelta(hours=26)
    assert window.is_open(opens) or opens.astimezone(ROME).time() != window.begin
    opened = window.opened(opens)
    assert opened is None or opened <= opens


def test_it_reads_what_it_writes() -> None:
    assert Window.parse(str(DAYTIME)) == DAYTIME
    assert Window.parse("") == ALL_DAY


def test_a_day_of_the_plan_at_the_pace_within_the_window() -> None:
    """3,500 submitted in the evening leave from eight in the morning, one a second."""
    times = list(expected([1] * 3_501, SendingPace(1.0, LARGE, DAYTIME), EVENING, 0))
    assert times[0] == at("2026-01-16T08:00")
    assert times[3_499] == at("2026-01-16T08:58:19")
    assert times[3_500] == at("2026-01-17T08:00")


def test_what_a_day_counted_is_not_counted_to_the_day_on_which_the_window_opens() -> None:
    used_up = Plan("standard", 10, "day")
    (first,) = expected([1], SendingPace(1.0, used_up, DAYTIME), EVENING, 10)
    assert first == DAYTIME.next_open(EVENING)
    pace = SendingPace(10.0, used_up, Window.parse("09:00-09:01"))
    times = [time.astimezone(ROME).day for time in expected([1] * 12, pace, first, 0)]
    assert times == 6 * times[:1] + 6 * [times[0] + 1]


def test_in_the_night_of_a_clock_change_an_hour_is_an_hour() -> None:
    full, begin = Plan("standard", 3, "day"), at("2027-03-27T23:00")
    times = list(expected([1] * 4, SendingPace(3_600.0, full), begin, 2))
    steps = [later - time for time, later in pairwise(times)]
    assert steps == [timedelta(hours=1)] * 3
    assert times[-1].astimezone(ROME).hour == 3


def test_what_the_plan_counted_already_is_not_there() -> None:
    times = list(expected([2, 2], SendingPace(1.0, LARGE), at("2026-01-15T12:00"), 3_497))
    assert times == [at("2026-01-15T12:00"), at("2026-01-16T00:00")]


@given(
    st.lists(st.integers(1, 5), max_size=40),
    st.floats(0.5, 20_000),
    st.integers(5, 30),
    WINDOWS,
    TIMES,
)
def test_nobody_is_expected_before_another_or_beyond_the_plan(
    recipients: list[int], interval_s: float, limit: int, window: Window, begin: datetime
) -> None:
    plan = Plan("standard", limit, "day")
    times = list(expected(recipients, SendingPace(interval_s, plan, window), begin, 0))
    assert times == sorted(times)
    assert all(one >= begin for one in times)
    days: dict[object, int] = {}
    for one, count in zip(times, recipients, strict=True):
        day = one.astimezone(ROME).date()
        days[day] = days.get(day, 0) + count
    assert all(count <= limit for count in days.values())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(EVENING.astimezone(UTC))


async def test_nothing_leaves_outside_the_window_but_what_is_forced(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    rig = await Rig.open(tmp_path, clock, simulator, window=DAYTIME)
    rig.start()
    forced = await rig.submit("subito")
    await rig.submit("domani")
    await rig.pass_time(60)
    assert simulator.sent == []
    await rig.decisions.retry(forced)
    await rig.pass_time(60)
    assert subjects(simulator) == ["subito"]
    await rig.pass_time(12 * HOUR_S)
    assert subjects(simulator) == ["subito", "domani"]
    assert starts(simulator)[1] >= (at("2026-01-16T08:00") - EVENING).total_seconds()
    await rig.close()


async def test_what_is_urgent_overtakes_its_account(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    rig = await Rig.open(tmp_path, clock, simulator)
    for number in range(3):
        await rig.submit(f"a{number}")
    await rig.submit("urgente", urgent=True)
    await rig.submit("b", account=1)
    await rig.submit("urgente anche", urgent=True)
    rig.start()
    await rig.pass_time(10)
    assert subjects(simulator) == ["urgente", "b", "urgente anche", "a0", "a1", "a2"]
    await rig.close()


async def test_waiting_for_the_window_is_no_alarm(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    rig = await Rig.open(tmp_path, clock, simulator, window=DAYTIME)
    addresses = dict(zip(rig.accounts, ADDRESSES, strict=True))
    waiting = Waiting(rig.store, rig.mailboxes, rig.clock, addresses, HOUR_S, DAYTIME)
    id = await rig.submit()
    for _ in range(12):
        await waiting.look()
        await clock.advance(HOUR_S)
    await waiting.look()
    assert await rig.alarms(0) == []
    await clock.advance(HOUR_S)
    await waiting.look()
    assert [alarm.kind for alarm in await rig.alarms(0)] == ["waiting"]
    assert await rig.state(id) is SubmissionState.QUEUED
    await rig.close()
