"""Reads that ask one thing, on the event loop; all others are told to go to a thread.

Which works ask for more is found out by running them, and remembered by where they stand in the
source; what asks for more today may ask once tomorrow, so that is tried again at times.

Failure: what is not well here is a thread's to do again, and to fail by.
"""

from __future__ import annotations

import asyncio

import psycopg
from psycopg.errors import QueryCanceled

from bridge.store.base import ReadWork
from bridge.store.postgres.connection import failure
from bridge.store.postgres.question import NoAnswer, Questioner
from bridge.store.postgres.reader import Reader
from bridge.store.postgres.single import NeedsSnapshot, Question, ReadOutcome, answered, asked_by

TRIED_AGAIN = 50
"""After so many reads on a thread a work may ask once again."""


class ShortReads:
    """See the module.

    Args:
        reader: has the connections.
        loop: where is asked.
        at_once: how many connections are asked on at the same time.
        most_s: how long an answer may take.
    """

    def __init__(
        self, reader: Reader, loop: asyncio.AbstractEventLoop, at_once: int, most_s: float
    ) -> None:
        self._reader = reader
        self._questioner = Questioner(loop, most_s)
        self._at_once = at_once
        self._room = asyncio.Semaphore(at_once)
        self._several: dict[object, int] = {}
        self._listens = not isinstance(loop, getattr(asyncio, "ProactorEventLoop", ()))

    async def read(self, work: ReadWork[object]) -> ReadOutcome | None:
        """Return what came of a work, None if it is a thread's.

        Raises:
            StoreFailed: the answer took too long.
        """
        place = getattr(work, "__code__", None)
        if place is None or not self._listens or self._asks_for_more(place):
            return None
        try:
            asked = asked_by(work)
            if isinstance(asked, ReadOutcome):
                return asked
            rows = await self._ask(asked)
            return None if rows is None else ReadOutcome(answered(work, rows))
        except NeedsSnapshot:
            self._several[place] = TRIED_AGAIN
            return None

    async def close(self) -> None:
        """Wait for what is being asked."""
        for _ in range(self._at_once):
            await self._room.acquire()

    def _asks_for_more(self, place: object) -> bool:
        left = self._several.get(place, 0)
        if left:
            self._several[place] = left - 1
        return left > 0

    async def _ask(self, question: Question) -> list[tuple[object, ...]] | None:
        async with self._room:
            connection = self._reader.take()
            if connection is None:  # a thread opens one
                return None
            try:
                return await self._questioner.ask(connection, question)
            except (NoAnswer, QueryCanceled) as error:
                raise failure(error, self._reader.name) from error
            except psycopg.Error:
                return None
            finally:
                self._reader.put_back(connection)
