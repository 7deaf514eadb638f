"""What an input costs, by counting: turns that others had, bytes that were held."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass


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
