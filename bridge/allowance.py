"""How many bytes of messages may be worked on in memory at once; whoever has none left waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator


class Allowance:
    """Bytes that are taken in turn; more than all of them are given to one who is alone."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._used_bytes = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def used_bytes(self) -> int:
        """What is taken now."""
        return self._used_bytes

    @contextlib.asynccontextmanager
    async def taken(self, size_bytes: int) -> AsyncIterator[None]:
        """Wait until there are so many, and take them meanwhile."""
        await self._take(size_bytes)
        try:
            yield
        finally:
            self._used_bytes -= size_bytes
            self._let_in()

    async def _take(self, size_bytes: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size_bytes, turn))
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # its turn came at the same moment
                self._used_bytes -= size_bytes
            else:
                self._waiting.remove((size_bytes, turn))
            self._let_in()
            raise

    def _let_in(self) -> None:
        while self._waiting:
            size_bytes, turn = self._waiting[0]
            if self._used_bytes and self._used_bytes + size_bytes > self._limit_bytes:
                return
            self._waiting.popleft()
            self._used_bytes += size_bytes
            turn.set_result(None)
