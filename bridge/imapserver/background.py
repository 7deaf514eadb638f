"""Work that no command waits for: what a FETCH learned is kept for the next.

A failure is logged and harms nobody: the work is one that may be done again, or left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import structlog

log = structlog.get_logger()

LIMIT = 32
"""Works under way; one more is left undone, so that a FETCH of everything fills no memory."""


class Background:
    """Tasks under way; ``finish`` waits for all of them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    def start(self, work: Coroutine[object, object, object]) -> None:
        """Run ``work`` on its own, unless ``LIMIT`` are under way already."""
        if len(self._tasks) >= LIMIT:
            work.close()
            return
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def finish(self) -> None:
        """Wait for all that was started."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("imap_background_work_failed", exc_info=task.exception())
