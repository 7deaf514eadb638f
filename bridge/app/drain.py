"""``drain``: take no more submissions, send what may leave, then end.

Unlike a stop, which cuts off what takes longer than some seconds, this waits as long as sending
takes; mail programs go on reading meanwhile. What waits for something else (its next try, the
plan, the window, a person) stays in the queue for the next start, and is counted.

Failure: ``OperationFailed`` when it was asked for before; ``StoreFailed`` passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from bridge.language import say
from bridge.net.manager import notify_status
from bridge.operations.accounts import Methods
from bridge.operations.control import OperationFailed, Progress
from bridge.store.base import ReadTransaction, Store

log = structlog.get_logger()

TELL_S = 1.0


class Drain:
    """See the module.

    Args:
        store: what waits.
        accept_no_more: stops listening for submissions; returns when those in hand are answered.
        rest: returns when nothing is under way and nothing more may leave now.
    """

    def __init__(
        self,
        store: Store,
        accept_no_more: Callable[[], Awaitable[None]],
        rest: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._accept_no_more = accept_no_more
        self._rest = rest
        self._begun = False
        self._done = asyncio.Event()

    def methods(self) -> Methods:
        """Return the operation by its name."""
        return {"drain": self._drain}

    @property
    def is_begun(self) -> bool:
        """Whether somebody asked for it."""
        return self._begun

    async def wait(self) -> None:
        """Return when the bridge was drained, which it is only if somebody asks for it."""
        await self._done.wait()

    async def _drain(self, _arguments: Mapping[str, Any], progress: Progress) -> Any:
        if self._begun:
            raise OperationFailed(say("The bridge is being drained already; it ends by itself."))
        self._begun = True
        try:
            log.info("draining_begun")
            notify_status("Draining: no more submissions are accepted.")
            await self._accept_no_more()
            at_first = await self._waiting()
            resting = asyncio.ensure_future(self._rest())
            try:
                while not resting.done():
                    await asyncio.wait([resting], timeout=TELL_S)
                    progress(max(at_first - await self._waiting(), 0), at_first)
            finally:
                resting.cancel()
            left = await self._waiting()
            log.info("drained", left=left)
            return {"left": left}
        finally:
            self._done.set()  # it accepts nothing any more, so it ends whatever happened

    async def _waiting(self) -> int:
        async def work(tx: ReadTransaction) -> int:
            return sum([await tx.waiting_count(id) for id in await tx.waiting_accounts()])

        return await self._store.read(work)
