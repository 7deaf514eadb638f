"""Work on many rows that leaves others their turn.

An API without pages lists a whole mailbox in one answer. A few rows are worked on at once, for a
thread would take longer than they do. What each row takes by itself is done on the event loop, some
rows a turn: a thread that computes takes the interpreter from the loop whenever that lets go of it,
and each statement of the store lets go of it once for every row.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MANY_ROWS = 200
"""More rows than this are worked on by a thread: a common page, and some more, are not."""

ROWS_A_TURN = 100
"""How many rows are worked on at once on the event loop: about a millisecond."""

TURN_S = 0.0001
"""How long a thread may compute on many rows while the loop waits; see ``ShortTurns``."""

Row = TypeVar("Row")


class ShortTurns:
    """Lets threads take short turns while one of them computes on many rows.

    The loop waits for a thread's whole turn each time that it has let go of the interpreter, as it
    does for every row of the store and every piece of an answer. Short turns at all times would
    make reads slower whose rows a thread of the store hands over.
    """

    def __init__(self) -> None:
        self._taken = 0
        self._usual_s = 0.0

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Have short turns meanwhile."""
        if not self._taken:
            self._usual_s = sys.getswitchinterval()
            sys.setswitchinterval(TURN_S)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
            if not self._taken:
                sys.setswitchinterval(self._usual_s)


SHORT_TURNS = ShortTurns()
"""The process's, as the interpreter's interval is."""


async def of_each(rows: Sequence[Row], make: Callable[[Row], T]) -> tuple[T, ...]:
    """Return what ``make`` makes of each row, in order."""
    made: list[T] = []
    for start in range(0, len(rows), ROWS_A_TURN):
        if start:
            await asyncio.sleep(0)
        made += map(make, rows[start : start + ROWS_A_TURN])
    return tuple(made)


async def in_turns(rows: Sequence[T]) -> AsyncIterator[T]:
    """Give the rows, in order."""
    for at, row in enumerate(rows):
        if at and at % ROWS_A_TURN == 0:
            await asyncio.sleep(0)
        yield row


async def aside(rows: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what ``work`` makes of so many rows; it touches nothing but its arguments."""
    if rows <= MANY_ROWS:
        return work(*args, **kwargs)
    with SHORT_TURNS.taken():
        return await asyncio.to_thread(work, *args, **kwargs)
