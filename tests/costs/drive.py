"""Drive every row of ``tests.costs.hostile``, one after the other, and note what each cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field

from tests.costs.hostile import ROWS
from tests.costs.watched import turns
from tests.costs.world import World

ROW_S = 300.0
AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a row cost the daemon and another user.

    ``held_s`` is the longest that the loop had to wait for what the daemon computed (``watched``);
    ``faults`` is what did not work.
    """

    name: str
    took_s: float
    noop_s: float
    held_s: float
    submit_s: float
    before_mb: float
    peak_mb: float
    after_mb: float
    faults: list[str] = field(default_factory=list)


async def drive(world: World, names: Iterable[str] = ROWS) -> AsyncIterator[Cost]:
    """Give the cost of each row."""
    for name in names:
        yield await _cost(world, name)


async def _cost(world: World, name: str) -> Cost:
    faults = []
    world.forget_peak()
    before_kb = world.memory_kb()
    await world.worst()
    began_s = time.monotonic()
    try:
        async with asyncio.timeout(ROW_S):
            await ROWS[name](world)
    except (TimeoutError, AssertionError, OSError) as error:
        faults.append(f"the row itself: {type(error).__name__} {error}"[:200])
    finally:
        world.api.instead = None
        await world.hang_up()
    took_s = time.monotonic() - began_s
    await asyncio.sleep(AFTER_S)
    try:
        await world.works()
    except (TimeoutError, OSError) as error:
        faults.append(f"afterwards: {type(error).__name__} {error}"[:200])
    worst = await world.worst()
    return Cost(
        name,
        round(took_s, 1),
        round(worst["noop_s"], 3),
        round(max(_held_s(world, began_s), default=0.0), 3),
        round(worst["submit_s"], 3),
        round(before_kb / 1024, 1),
        round(world.memory_kb("VmHWM") / 1024, 1),
        round(world.memory_kb() / 1024, 1),
        faults + worst["faults"],
    )


def _held_s(world: World, since_s: float) -> Iterator[float]:
    return (turn.held_s for turn in turns(world.folder, since_s) if not turn.is_starved)
