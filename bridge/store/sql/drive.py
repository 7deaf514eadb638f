"""How works run: on a thread, to the end, without an event loop."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar, cast

T = TypeVar("T")


def drive(awaitable: Awaitable[T]) -> T:
    """Run a work to its end without an event loop; its transaction never suspends.

    Raises:
        RuntimeError: the work awaited something else.
    """
    steps = awaitable.__await__()
    try:
        next(steps)
    except StopIteration as end:
        return cast(T, end.value)
    steps.close()
    raise RuntimeError("a work may await nothing but its transaction")
