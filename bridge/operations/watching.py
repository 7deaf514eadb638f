"""Waiting for what a commit may bring: looks anew after commits, at most once a second."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bridge.clock import Clock
from bridge.mailbox import Mailboxes
from bridge.wake import Wake, rest

T = TypeVar("T")

READ_EVERY_S = 1.0
"""The least time between two looks of a wait."""


async def watched(
    look: Callable[[], Awaitable[T]],
    is_enough: Callable[[T], bool],
    changing: Mailboxes,
    clock: Clock,
    wait_s: float,
) -> T:
    """Look until it is enough or the time is over; return what was seen last.

    Args:
        look: looks into the store.
        is_enough: tells whether what was seen ends the wait.
        changing: whose commits are waited for.
        clock: time.
        wait_s: how long to wait at the most.
    """
    end_s = clock.monotonic() + wait_s
    news = Wake()
    unwatch = changing.on_commit(news.call)
    try:
        while True:
            looked_s = clock.monotonic()
            seen = await look()
            left_s = end_s - clock.monotonic()
            if is_enough(seen) or left_s <= 0:
                return seen
            await rest(news, clock, left_s)
            soonest_s = min(looked_s + READ_EVERY_S, end_s)
            await clock.sleep(soonest_s - clock.monotonic())
    finally:
        unwatch()
