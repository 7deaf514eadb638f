"""A store whose process can be killed at any commit, just before it or just after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from bridge.store.base import ReadWork, Store, Work

T = TypeVar("T")


@dataclass
class Crash:
    """Everything in memory is lost at the commit that is ``commits`` away from now.

    ``written``: on its far side, so that it is kept and nobody heard; else just before it.
    """

    commits: int
    written: bool


class FragileStore:
    """A store that can be told to crash; callers of a crashed one never hear again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._crash: Crash | None = None
        self._under_way: set[asyncio.Task[Any]] = set()
        self.crashes = asyncio.Event()
        self.reads = 0
        self._reading = 0

    def crash(self, crash: Crash | None) -> None:
        """Arm a crash, or call off the one that was armed."""
        self._crash = crash

    @property
    def failing(self) -> str | None:
        return self._store.failing

    async def write(self, work: Work[T], committed: Callable[[T], None] | None = None) -> T:
        dies = self._is_due()
        if dies is not None and not dies.written:
            self.crashes.set()
        await self._alive()
        task = asyncio.ensure_future(self._store.write(work, committed))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        result = await asyncio.shield(task)
        if dies is not None:
            self.crashes.set()
        await self._alive()
        return result

    async def beside(self, writing: Coroutine[Any, Any, T]) -> T:
        """Await what is written beside the store, so that ``quiet`` waits for it as well."""
        task = asyncio.ensure_future(writing)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        result = await asyncio.shield(task)
        await self._alive()
        return result

    def _is_due(self) -> Crash | None:
        if self._crash is None or self.crashes.is_set():
            return None
        self._crash.commits -= 1
        return self._crash if self._crash.commits == 0 else None

    async def read(self, work: ReadWork[T]) -> T:
        await self._alive()
        self.reads += 1
        return await self._read(self._store.read(work))

    async def scan(self, work: ReadWork[T]) -> T:
        await self._alive()
        return await self._read(self._store.scan(work))

    async def _read(self, reading: Coroutine[Any, Any, T]) -> T:
        self._reading += 1
        try:
            return await reading
        finally:
            self._reading -= 1

    async def close(self) -> None:
        await self._store.close()

    async def quiet(self) -> None:
        """Return when no commit is on its way and everybody has heard of the last."""
        ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
        while True:
            await asyncio.sleep(0)
            if ready or self._reading:
                continue
            if not self._under_way:
                return
            await asyncio.wait(self._under_way)

    async def _alive(self) -> None:
        if self.crashes.is_set():
            await asyncio.Event().wait()
