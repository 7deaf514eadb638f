"""What an input costs: turns that others had, bytes that were held, seconds computed."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Protocol, TypeVar

Given = TypeVar("Given")


@dataclass(slots=True)
class Turns:
    """How often somebody else had the loop."""

    count: int = 0


@contextlib.asynccontextmanager
async def others() -> AsyncIterator[Turns]:
    """Count the loop's turns meanwhile."""
    turns = Turns()

    async def turn() -> None:
        while True:
            turns.count += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(turn())
    try:
        yield turns
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass(slots=True)
class Peak:
    """The most that was held at once, in bytes."""

    size_bytes: int = 0


@contextlib.contextmanager
def peak() -> Iterator[Peak]:
    """Measure what Python objects take meanwhile."""
    found = Peak()
    tracemalloc.start()
    try:
        before_bytes = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        yield found
        found.size_bytes = tracemalloc.get_traced_memory()[1] - before_bytes
    finally:
        tracemalloc.stop()


FLOOR_S = 0.01
"""Less than this is taken for it: what is so quick is measured badly, and costs nobody anything."""


def computed_s(work: Callable[[], object], tries: int = 3) -> float:
    """Return the seconds that this thread computes, of several tries the least."""
    least = float("inf")
    for _ in range(tries):
        begun = time.thread_time()
        work()
        least = min(least, time.thread_time() - begun)
    return least


def assert_linear(work: Callable[[Given], object], make: Callable[[int], Given], size: int) -> None:
    """Require that each doubling of the input costs at most 2.5 times as much, from ``size`` on.

    What does not hold at once gets another chance, as the machine may be busy, and a last one from
    four times the size: what is dearer only behind some length grows no faster from there.
    """
    for least, tries in ((size, 1), (size, 3), (4 * size, 10)):
        once_s = computed_s(partial(work, make(least)))
        taken_s = computed_s(partial(work, make(4 * least)), tries)
        allowed_s = 2.5**2 * max(once_s, FLOOR_S)
        if taken_s <= allowed_s:
            return
    raise AssertionError(f"4 times as much took {taken_s:.3f} s, {allowed_s:.3f} s were allowed")


class _Trace(Protocol):
    """What ``sys.settrace`` takes."""

    def __call__(self, frame: FrameType, event: str, argument: object, /) -> _Trace: ...


def steps(work: Callable[[], object]) -> int:
    """Count the lines of Python that ``work`` runs in this thread, generators' among them."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> _Trace:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
