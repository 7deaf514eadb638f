"""Whose turn it is to have a process: one at a time, and a small one beside it. No I/O.

Owners take turns, so whoever has many things waiting, or one that takes all of its time, holds up
each of the others by one of his at most; and what is small never waits for what is large.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    is_small: bool
    place: asyncio.Future[str]


_ANY, _SMALL = "any", "small"


class OwnersTurns:
    """See the module; ``small_bytes`` is how large something small may be."""

    def __init__(self, small_bytes: int) -> None:
        self._small_bytes = small_bytes
        self._free = {_SMALL, _ANY}
        self._waiting: dict[object, deque[_Waiting]] = {}

    @contextlib.asynccontextmanager
    async def taken(self, owner: object, size_bytes: int) -> AsyncIterator[None]:
        """Wait for a turn of this owner's, and have it meanwhile."""
        place = await self._take(owner, size_bytes <= self._small_bytes)
        try:
            yield
        finally:
            self._give_back(place)

    async def _take(self, owner: object, is_small: bool) -> str:
        one = _Waiting(is_small, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(owner, deque()).append(one)
        self._let_in()
        try:
            return await one.place
        except asyncio.CancelledError:
            if one.place.done() and not one.place.cancelled():  # it came at the same moment
                self._give_back(one.place.result())
            else:
                self._remove(owner, one)
            raise

    def _give_back(self, place: str) -> None:
        self._free.add(place)
        self._let_in()

    def _let_in(self) -> None:
        for place in (_SMALL, _ANY):
            if place not in self._free:
                continue
            for owner, waiting in self._waiting.items():
                one = next((one for one in waiting if one.is_small or place == _ANY), None)
                if one is not None:
                    self._remove(owner, one)
                    self._free.discard(place)
                    one.place.set_result(place)
                    break

    def _remove(self, owner: object, one: _Waiting) -> None:
        """Take one from those waiting; its owner's next one comes after all others'."""
        waiting = self._waiting.pop(owner)
        waiting.remove(one)
        if waiting:
            self._waiting[owner] = waiting
