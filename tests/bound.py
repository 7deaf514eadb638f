"""Work of a loop's round, with the round's value in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Tx = TypeVar("Tx")
Value = TypeVar("Value")
Result = TypeVar("Result")


def bound(work: Callable[[Tx, Value], Result], value: Value) -> Callable[[Tx], Result]:
    """Return ``work`` that still takes a transaction, with the value as it is now."""
    return lambda tx: work(tx, value)
