"""How many bytes of messages may be under way at once, over all connections, and in what turn."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.net.turnstile import Turnstile


class ByteBudget:
    """Bytes that are taken while a message is received and checked, and given back after it."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._used_bytes = 0

    @property
    def used_bytes(self) -> int:
        """What is taken now."""
        return self._used_bytes

    def take(self, size_bytes: int) -> bool:
        """Take so many bytes; False if there are not that many left, and none is taken."""
        if self._used_bytes + size_bytes > self._limit_bytes:
            return False
        self._used_bytes += size_bytes
        return True

    def give(self, size_bytes: int) -> None:
        """Give back what was taken."""
        self._used_bytes -= size_bytes


@dataclass(frozen=True, slots=True)
class Budgets:
    """What messages under way may take, in memory and on the disk; and whose bytes come next."""

    memory: ByteBudget
    disk: ByteBudget
    turnstile: Turnstile = field(default_factory=Turnstile)
