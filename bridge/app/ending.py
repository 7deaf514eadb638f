"""Ending what runs: in its own time, or at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from bridge.app.listeners import Stoppable
from bridge.clock import Clock

log = structlog.get_logger()


async def let_stop(parts: Sequence[Stoppable], clock: Clock, grace_s: float) -> None:
    """Let what is in hand come to its end, but not for ever.

    Args:
        parts: what has it in hand.
        clock: time.
        grace_s: how long it may take.
    """
    tasks = [asyncio.ensure_future(part.stop()) for part in parts]
    patience = asyncio.ensure_future(clock.sleep(grace_s))
    try:
        everything = asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.wait((everything, patience), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (*tasks, patience):
            task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            log.error("part_stop_failed", exc_info=outcome)


async def ended(task: asyncio.Task[None] | None) -> None:
    """End a task now, if there is one."""
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
