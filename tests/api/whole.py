"""Items that are read one after the other, read to their end."""

from __future__ import annotations

from typing import TypeVar

from bridge.api.items import Items

T = TypeVar("T")


def whole(items: Items[T]) -> T:
    """Return what is made of items."""
    while True:
        try:
            next(items)
        except StopIteration as ended:
            made: T = ended.value
            return made
