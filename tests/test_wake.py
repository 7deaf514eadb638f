from __future__ import annotations

import asyncio

import pytest

from bridge.wake import Wake, first_of, rest
from tests.fakes import FakeClock, settle


async def test_a_rest_ends_with_a_call_or_with_its_time(clock: FakeClock) -> None:
    wake = Wake()
    for end in (lambda: wake.call(), None):
        resting = asyncio.ensure_future(rest(wake, clock, 30))
        await clock.advance(29)
        assert not resting.done()
        if end is not None:
            end()
        await clock.advance(1)
        assert resting.done()


async def test_a_call_before_anybody_waits_is_not_lost(clock: FakeClock) -> None:
    wake = Wake()
    wake.call()
    wake.call()
    await asyncio.wait_for(rest(wake, clock, 30), 5)
    again = asyncio.ensure_future(rest(wake, clock, 30))
    await settle()
    assert not again.done()  # two calls are one
    again.cancel()


async def test_a_rest_leaves_nobody_asleep(clock: FakeClock) -> None:
    wake = Wake()
    wake.call()
    await rest(wake, clock, 30)
    resting = asyncio.ensure_future(rest(wake, clock, 30))
    await settle()
    resting.cancel()
    await asyncio.gather(resting, return_exceptions=True)
    await settle()
    assert clock.next_wake_s is None


@pytest.mark.parametrize("turns", range(8))
async def test_who_rests_can_be_ended_at_any_moment_of_a_wake_up(
    clock: FakeClock, turns: int
) -> None:
    wake = Wake()

    async def work() -> None:
        while True:
            await rest(wake, clock, 30.0)

    working = asyncio.create_task(work())
    await settle()
    wake.call()
    for _ in range(turns):
        await asyncio.sleep(0)
    working.cancel()
    await settle()
    assert working.cancelled()


async def test_the_first_to_end_ends_the_wait_and_its_fault_is_raised() -> None:
    cancelled = asyncio.Event()

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("oops")

    with pytest.raises(ValueError, match="oops"):
        await first_of(for_ever(), fails())
    assert cancelled.is_set()
