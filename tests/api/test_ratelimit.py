from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from bridge.api.errors import NotSent
from bridge.api.ratelimit import LEAD_S, LEDGER_STEP, RequestBudget, SendPacer
from tests.fakes import FakeClock


class Sends:
    """Sends that take a while to get ready and to be answered."""

    def __init__(self, clock: FakeClock, pacer: SendPacer) -> None:
        self.starts: list[float] = []
        self._clock = clock
        self._pacer = pacer

    async def one(self, ready_s: float = 0.0, answer_s: float = 0.0) -> None:
        async with self._pacer.turn() as start:
            await self._clock.sleep(ready_s)
            await start()
            self.starts.append(round(self._clock.monotonic(), 6))
            await start()  # a transport without hooks may ask twice
            await self._clock.sleep(answer_s)

    async def fails(self) -> None:
        async with self._pacer.turn():
            raise ConnectionError


async def finish(clock: FakeClock, *works: Awaitable[None], within_s: float = 60) -> list[object]:
    tasks = [asyncio.ensure_future(work) for work in works]
    await clock.advance(within_s)
    assert all(task.done() for task in tasks)
    return [task.exception() for task in tasks]


async def test_starts_keep_their_distance_however_long_answers_take(clock: FakeClock) -> None:
    sends = Sends(clock, SendPacer(clock, 1.0))
    await finish(clock, *(sends.one(answer_s=5.0) for _ in range(5)))
    assert sends.starts == [0.0, 1.0, 2.0, 3.0, 4.0]


async def test_making_ready_within_the_lead_costs_no_pace(clock: FakeClock) -> None:
    sends = Sends(clock, SendPacer(clock, 1.0))
    readiness = [0.0, LEAD_S, LEAD_S / 2, 0.0, LEAD_S]
    await finish(clock, *(sends.one(ready_s=ready_s) for ready_s in readiness))
    assert sends.starts == [0.0, 1.0, 2.0, 3.0, 4.0]


async def test_a_slow_start_moves_the_next_one(clock: FakeClock) -> None:
    sends = Sends(clock, SendPacer(clock, 1.0))
    await finish(clock, sends.one(ready_s=3.0), sends.one(), sends.one(ready_s=0.5))
    gaps = [after - before for before, after in zip(sends.starts, sends.starts[1:], strict=False)]
    assert sends.starts[0] == 3.0
    assert min(gaps) >= 1.0


async def test_a_send_that_never_started_needs_no_distance(clock: FakeClock) -> None:
    sends = Sends(clock, SendPacer(clock, 1.0))
    errors = await finish(clock, sends.fails(), sends.one())
    assert isinstance(errors[0], ConnectionError)
    assert sends.starts == [0.0]


async def test_a_cancelled_wait_lets_the_next_one_in(clock: FakeClock) -> None:
    sends = Sends(clock, SendPacer(clock, 10.0))
    first = asyncio.ensure_future(sends.one())
    second = asyncio.ensure_future(sends.one())
    third = asyncio.ensure_future(sends.one())
    await clock.advance(1.0)
    second.cancel()
    await clock.advance(20.0)
    assert first.done()
    assert second.cancelled()
    assert third.done()
    assert sends.starts == [0.0, 10.0]


@pytest.mark.parametrize(
    ("ago_s", "first_start_s"),
    [(0.25, 0.75), (1.0, 0.0), (500.0, 0.0), (-3600.0, 1.0)],
    ids=["just now", "an interval ago", "long ago", "in the future"],
)
async def test_the_distance_outlives_a_restart(
    clock: FakeClock, ago_s: float, first_start_s: float
) -> None:
    last = clock.now() - timedelta(seconds=ago_s)
    sends = Sends(clock, SendPacer(clock, 1.0, last_start=last))
    await finish(clock, sends.one(), sends.one())
    assert sends.starts == [first_start_s, first_start_s + 1.0]


def test_a_negative_interval_is_refused(clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="negative"):
        SendPacer(clock, -1.0)


class Ledger:
    def __init__(self) -> None:
        self.counts: dict[date, int] = {}
        self.saves = 0

    async def load(self, day: date) -> int:
        return self.counts.get(day, 0)

    async def save(self, day: date, count: int) -> None:
        self.saves += 1
        self.counts[day] = count


async def spend(budget: RequestBudget, times: int) -> int:
    done = 0
    for _ in range(times):
        try:
            await budget.spend()
        except NotSent:
            break
        done += 1
    return done


async def test_a_day_allows_so_many_and_no_more(clock: FakeClock) -> None:
    budget = RequestBudget(clock, 25)
    assert await spend(budget, 100) == 25
    assert await budget.remaining() == 0
    with pytest.raises(NotSent) as refusal:
        await budget.spend()
    assert refusal.value.kind == "budget"


async def test_the_next_roman_day_is_whole(clock: FakeClock) -> None:
    budget = RequestBudget(clock, 3, Ledger())
    await spend(budget, 3)
    with pytest.raises(NotSent) as refusal:
        await budget.spend()
    wait_s = refusal.value.retry_after_s
    assert wait_s == 14 * 3600  # 09:00 UTC is 10:00 in Rome
    await clock.advance(wait_s - 1)
    assert await budget.remaining() == 0
    await clock.advance(1)
    assert await budget.remaining() == 3


async def test_a_crash_loses_at_most_a_step(clock: FakeClock) -> None:
    ledger = Ledger()
    spent = await spend(RequestBudget(clock, 100, ledger), 21)
    left = await RequestBudget(clock, 100, ledger).remaining()
    assert 100 - spent - LEDGER_STEP < left <= 100 - spent
    assert ledger.saves == 3


async def test_restarts_never_give_more_than_the_budget(clock: FakeClock) -> None:
    ledger = Ledger()
    total = 0
    for _ in range(10):
        total += await spend(RequestBudget(clock, 40, ledger), 7)
    assert total <= 40


async def test_a_failed_write_does_not_spend_for_free(clock: FakeClock) -> None:
    class Failing(Ledger):
        async def save(self, day: date, count: int) -> None:
            raise OSError("disk full")

    budget = RequestBudget(clock, 5, Failing())
    with pytest.raises(OSError, match="disk full"):
        await budget.spend()
    assert await budget.remaining() <= 5


@pytest.mark.parametrize(
    ("now", "left_s"),
    [
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), 23 * 3600),
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), 25 * 3600),
    ],
    ids=["clocks forward", "clocks back"],
)
def test_days_with_a_clock_change(now: datetime, left_s: float) -> None:
    assert RequestBudget(FakeClock(now), 1).day_left_s() == left_s


def test_an_empty_budget_is_refused(clock: FakeClock) -> None:
    make: Callable[[], RequestBudget] = lambda: RequestBudget(clock, 0)  # noqa: E731
    with pytest.raises(ValueError, match="at least one"):
        make()
