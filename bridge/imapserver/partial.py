"""PARTIAL: a window of a result, counted from either end (RFC 9394 §3.1)."""

from __future__ import annotations

from collections.abc import Sequence


def partial_of(numbers: Sequence[int], wanted: tuple[int, int]) -> Sequence[int]:
    """Return the part of ``numbers`` that ``wanted`` names.

    ``(1, 100)`` is the first hundred, ``(-1, -100)`` the last; the order stays.
    """
    first, last = wanted
    if first > 0:
        return numbers[first - 1 : last]
    count = len(numbers)
    return numbers[max(count + last, 0) : max(count + first + 1, 0)]
