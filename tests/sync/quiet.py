"""Until nobody waits for a thread or a database: so long a clock of ours has to stand still.

Else hours would pass on it while a busy machine writes one row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bridge.store.base import Store
from tests.fakes import settle


class Quiet:
    """What a store and the loop's threads were asked and have not answered yet."""

    def __init__(self) -> None:
        self._under_way = 0
        self._answered = asyncio.Event()

    def watch(self, store: Store) -> None:
        """Count what this store, and the threads of the loop that runs, are asked from now on."""
        loop = asyncio.get_running_loop()
        for asked, name in [(store, "write"), (store, "read"), (store, "scan")]:
            vars(asked)[name] = self._counted(getattr(asked, name))
        run_in_executor = loop.run_in_executor

        def counted(*arguments: Any) -> asyncio.Future[Any]:
            future = run_in_executor(*arguments)
            self._under_way += 1
            future.add_done_callback(lambda _: self._is_answered())
            return future

        vars(loop)["run_in_executor"] = counted

    async def wait(self) -> None:
        """Wait until all is answered, and what came of it as well."""
        await settle()
        while self._under_way:
            self._answered.clear()
            await self._answered.wait()
            await settle()

    def _counted(self, ask: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def asking(*arguments: Any, **named: Any) -> Any:
            self._under_way += 1
            try:
                return await ask(*arguments, **named)
            finally:
                self._is_answered()

        return asking

    def _is_answered(self) -> None:
        self._under_way -= 1
        self._answered.set()
