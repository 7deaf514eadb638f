"""Memory that a burst took and nobody needs goes back to the system.

The C library keeps what was freed, in as many heaps as there were threads, for a next time that
may never come: after one large message the bridge would be large for ever. Where it is glibc, it
is told to take large blocks from the system one by one, so that each goes back as soon as it is
free, and to have few heaps. It is asked to give back what it can whenever the process has grown.

Failure: none; where nobody can be asked, nothing is done.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from collections.abc import Callable
from pathlib import Path

from bridge.clock import Clock

LOOK_EVERY_S = 20.0
GROWN_BYTES = 16 * 1024**2
"""Less is not worth a look at every heap."""

BLOCK_BYTES = 512 * 1024
"""Larger blocks are the system's again once they are freed."""

HEAPS = 2
"""For the loop and for the threads, which mostly wait for the interpreter's lock anyway."""

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
"""glibc's names for what ``mallopt`` sets."""

_STATUS = Path("/proc/self/statm")


class Memory:
    """Looks now and then whether the process has grown.

    Args:
        clock: time.
        resident_bytes: what the process takes; None where nobody can tell.
        give_back: asks the C library; None where it cannot be asked.
    """

    def __init__(
        self,
        clock: Clock,
        resident_bytes: Callable[[], int | None],
        give_back: Callable[[], object] | None,
    ) -> None:
        self._clock = clock
        self._resident_bytes = resident_bytes
        self._give_back = give_back
        self._usual_bytes = 0

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Have memory given back if the process has grown since that was done last."""
        now_bytes = self._resident_bytes()
        if now_bytes is None or self._give_back is None:
            return
        if now_bytes > self._usual_bytes + GROWN_BYTES:
            await asyncio.to_thread(self._give_back)
            now_bytes = self._resident_bytes() or now_bytes
        self._usual_bytes = now_bytes


def resident_bytes() -> int | None:
    """Return what this process takes of the machine's memory (Linux)."""
    if sys.platform != "linux":
        return None
    try:
        pages = int(_STATUS.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    import resource

    return pages * resource.getpagesize()


def keep_little() -> None:
    """Tell glibc to keep little of what is freed; nothing happens elsewhere."""
    try:
        tell = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    tell(_M_MMAP_THRESHOLD, BLOCK_BYTES)
    tell(_M_ARENA_MAX, HEAPS)


def give_back() -> Callable[[], object] | None:
    """Return glibc's ``malloc_trim``, with nothing to be kept; None elsewhere."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return lambda: trim(ctypes.c_size_t(0))
