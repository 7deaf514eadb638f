"""How late the event loop is, for the page's figures."""

from __future__ import annotations

from collections import deque

from bridge.clock import Clock

LAG_EVERY_S = 0.5
LAG_OF_S = 60.0


class LoopLag:
    """How late the event loop is: the longest of the last minute, whoever asks how often.

    Args:
        clock: time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late: deque[tuple[float, float]] = deque()

    async def run(self) -> None:
        """Measure for ever."""
        while True:
            begun_s = self._clock.monotonic()
            await self._clock.sleep(LAG_EVERY_S)
            now_s = self._clock.monotonic()
            self._late.append((now_s, now_s - begun_s - LAG_EVERY_S))
            while now_s - self._late[0][0] > LAG_OF_S:
                self._late.popleft()

    def longest_s(self) -> float:
        """Return the longest wait in seconds."""
        return max((late_s for _, late_s in self._late), default=0.0)
