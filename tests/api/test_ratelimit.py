from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from bridge.api.ratelimit import LEAD_S, SendPacer
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
