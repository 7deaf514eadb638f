"""What the next batch of a FETCH needs, read while this one goes out.

What is read is found by the contents it is of, which never change: where another batch comes after
all, since messages went meanwhile, its own is read.

Failure: a read that failed fails whoever comes for it; of one that nobody comes for, nobody hears.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from typing import Any, TypeVar

from bridge.model import ContentId
from bridge.store.base import ReadWork, Store

T = TypeVar("T")


class ReadAhead:
    """The reads of one command.

    Args:
        store: what is read.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._begun: dict[Hashable, tuple[Sequence[ContentId], asyncio.Task[Any]]] = {}

    def begin(self, kind: Hashable, contents: Sequence[ContentId], work: ReadWork[object]) -> None:
        """Begin to read; at most one of a kind is remembered.

        Args:
            kind: what is read.
            contents: of which.
            work: how.
        """
        task = asyncio.ensure_future(self._store.read(work))
        task.add_done_callback(_hear)
        self._begun[kind] = contents, task

    async def read(self, kind: Hashable, contents: Sequence[ContentId], work: ReadWork[T]) -> T:
        """Return what was begun for these contents, or read it now."""
        begun = self._begun.pop(kind, None)
        if begun is not None and begun[0] == contents:
            found: T = await begun[1]
            return found
        return await self._store.read(work)


def _hear(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()
