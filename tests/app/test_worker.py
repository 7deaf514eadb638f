from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from bridge.app.worker import FIRST_PAUSE_S, LONGEST_PAUSE_S, Work, Workers
from tests.fakes import FakeClock, settle


@contextlib.asynccontextmanager
async def running(workers: Workers) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(workers.run())
    await settle()
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Failing:
    """Work that fails, or ends, each time after ``lasts_s``."""

    def __init__(self, clock: FakeClock, fault: Exception | None, lasts_s: float = 0.0) -> None:
        self.began_at_s: list[float] = []
        self._clock = clock
        self._fault = fault
        self._lasts_s = lasts_s

    async def __call__(self) -> None:
        self.began_at_s.append(self._clock.monotonic())
        await self._clock.sleep(self._lasts_s)
        if self._fault is not None:
            raise self._fault


async def for_ever() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("fault", [ValueError("oops"), None], ids=["fails", "just ends"])
async def test_work_that_ends_is_begun_again_more_and_more_rarely(
    clock: FakeClock, fault: Exception | None
) -> None:
    work = Failing(clock, fault)
    with capture_logs() as logs:
        async with running(Workers({"it": work}, clock)):
            await clock.advance(1 + 2 + 4 + 8 + 16 + 32 + 60 + 60)
    gaps = [later - earlier for earlier, later in pairwise(work.began_at_s)]
    assert gaps == [1, 2, 4, 8, 16, 32, 60, 60]
    assert {(one["work"], one["log_level"]) for one in logs} == {("it", "error")}
    assert all(one["exc_info"] is fault for one in logs)


async def test_work_that_lasted_is_begun_again_soon(clock: FakeClock) -> None:
    work = Failing(clock, ValueError("oops"), lasts_s=LONGEST_PAUSE_S + 1)
    with capture_logs() as logs:
        async with running(Workers({"it": work}, clock)):
            await clock.advance(5 * (LONGEST_PAUSE_S + 1 + FIRST_PAUSE_S))
    assert {one["again_in_s"] for one in logs} == {FIRST_PAUSE_S}


async def test_work_that_fails_does_not_stop_the_rest(clock: FakeClock) -> None:
    others: list[str] = []

    async def other() -> None:
        while True:
            others.append("turn")
            await clock.sleep(1)

    with capture_logs():
        works: dict[str, Work] = {"bad": Failing(clock, ValueError()), "good": other}
        async with running(Workers(works, clock)) as task:
            await clock.advance(10)
            assert not task.done()
    assert len(others) == 11


async def test_nothing_is_begun_again_while_stopping(clock: FakeClock) -> None:
    told = asyncio.Event()

    async def until_told() -> None:
        await told.wait()

    workers = Workers({"it": until_told}, clock)
    with capture_logs() as logs:
        async with running(workers) as task:
            workers.stopping()
            told.set()
            await task
    assert logs == []


async def test_cancelling_ends_everything(clock: FakeClock) -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await for_ever()
        finally:
            ended.append("it")

    async with running(Workers({"a": work, "b": work}, clock)):
        pass
    assert ended == ["it", "it"]


async def test_works_give_their_place_to_others(clock: FakeClock) -> None:
    order: list[str] = []

    def work(name: str) -> Work:
        async def run() -> None:
            order.append(f"{name} begins")
            try:
                await clock.sleep(1e6)
            finally:
                order.append(f"{name} ends")

        return run

    async def make() -> dict[str, Work]:
        order.append("made")
        return {"c": work("c")}

    workers = Workers({"a": work("a"), "b": work("b")}, clock)
    async with running(workers) as task:
        await workers.replace(make)
        await settle()
        assert order == ["a begins", "b begins", "a ends", "b ends", "made", "c begins"]
        assert not task.done()


async def test_others_that_cannot_be_made_end_all(clock: FakeClock) -> None:
    async def make() -> dict[str, Work]:
        raise OSError("no disk")

    workers = Workers({"a": Failing(clock, None, 1e6)}, clock)
    async with running(workers) as task:
        with pytest.raises(OSError, match="no disk"):
            await workers.replace(make)
        await settle()
        with pytest.raises(OSError, match="no disk"):
            task.result()
