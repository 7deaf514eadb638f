"""Background work that is kept going: what fails is logged and begun again, alone.

A part that dies must neither stop the others nor be missing unnoticed: mail clients go on
reading while sync is down, and what is queued goes on leaving. So each work runs under a loop of
its own, with a pause that doubles from ``FIRST_PAUSE_S`` to ``LONGEST_PAUSE_S``. Every part keeps
what matters in the store, so beginning again loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from bridge.clock import Backoff, Clock

log = structlog.get_logger()

Work = Callable[[], Awaitable[None]]

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


class Workers:
    """Runs background work until it is told to stop.

    Args:
        works: each by its name in the log; a work runs for ever, or until it is stopped itself.
        clock: for the pauses.
    """

    def __init__(self, works: Mapping[str, Work], clock: Clock) -> None:
        self._works = works
        self._clock = clock
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self._next: asyncio.Future[Mapping[str, Work]] | None = None

    async def run(self) -> None:
        """Run all until cancelled, or until every work has ended after ``stopping``.

        Raises:
            Exception: what was to take their place could not be made.
        """
        while True:
            async with asyncio.TaskGroup() as group:
                self._tasks = [
                    group.create_task(self._keep_going(name, work), name=name)
                    for name, work in self._works.items()
                ]
            if self._next is None:
                return
            self._works = await self._next
            self._next, self._stopping = None, False

    def stopping(self) -> None:
        """Begin nothing again from here on."""
        self._stopping = True

    async def replace(self, make: Callable[[], Awaitable[Mapping[str, Work]]]) -> None:
        """End what runs, make what is to run in its place, and have ``run`` go on with that.

        Raises:
            Exception: ``make`` failed; ``run`` ends with the same.
        """
        self.stopping()
        self._next = asyncio.get_running_loop().create_future()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            self._next.set_result(await make())
        except BaseException as error:
            self._next.set_exception(error)
            raise

    async def _keep_going(self, name: str, work: Work) -> None:
        backoff, failures = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S), 0
        while not self._stopping:
            began_s = self._clock.monotonic()
            try:
                await work()
                fault: Exception | None = None
            except Exception as error:
                fault = error
            if self._stopping and fault is None:
                return
            if self._clock.monotonic() - began_s > LONGEST_PAUSE_S:
                failures = 0
            pause_s = backoff.wait_s(failures)
            log.error("worker_failed", work=name, again_in_s=pause_s, exc_info=fault)
            await self._clock.sleep(pause_s)
            failures += 1
