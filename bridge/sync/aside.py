"""Work on many rows, away from the event loop: others have their turn meanwhile.

An API without pages lists a whole mailbox in one answer. A few rows are worked on at once, for a
thread would take longer than they do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MANY_ROWS = 200
"""More rows than this are worked on by a thread: a common page, and some more, are not."""


async def aside(rows: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what ``work`` makes of so many rows; it touches nothing but its arguments."""
    if rows <= MANY_ROWS:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
