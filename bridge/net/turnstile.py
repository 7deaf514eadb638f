"""One after the other through a loop that many have long work for: a piece of it each turn.

The loop takes up, each time round, everybody who can go on. Who is served in pieces so that others
have their turn holds those up by one piece; fifty of his kind hold them up by fifty.
"""

from __future__ import annotations

import asyncio


class Turnstile:
    """Lets one through each time the loop comes round, in the order they came."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def passed(self) -> None:
        """Wait for others, and for one's place among those who have more to do."""
        async with self._lock:
            await asyncio.sleep(0)
