"""A message whose bytes are not in memory, as far as this package needs to know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Held(Protocol):
    """A message's bytes that are not in memory."""

    def __len__(self) -> int:
        """Return how many they are."""

    def pieces(self) -> Iterator[bytes]:
        """Give them a piece at a time; blocks."""

    def read(self, at: int, length_bytes: int) -> bytes:
        """Return a part of them; blocks."""
