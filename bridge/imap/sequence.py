"""Sequence sets and UID sets (RFC 3501 §9 ``sequence-set``, RFC 5182 ``$``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

STAR = 0
"""Stands for ``*``, the largest number in use."""


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """Ranges as written: ``(low, high)`` in either order, ``STAR`` for ``*``.

    ``saved`` is ``$``, the result of the last search that said SAVE (RFC 5182 §2.1).
    """

    ranges: tuple[tuple[int, int], ...] = ()
    saved: bool = False

    def resolve(self, largest: int) -> tuple[tuple[int, int], ...]:
        """Return disjoint ascending ranges with ``*`` as ``largest``.

        With no message (``largest`` 0) ``*`` names nothing.
        """
        spans = []
        for first, last in self.ranges:
            low, high = first or largest, last or largest
            if low and high:
                spans.append((min(low, high), max(low, high)))
        return merge(spans)

    def __str__(self) -> str:
        return "$" if self.saved else format_ranges(self.ranges)


def merge(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return the same numbers as disjoint ascending ranges."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def common(
    spans: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return what is in both of two sets of disjoint ascending ranges."""
    found = []
    at = other_at = 0
    while at < len(spans) and other_at < len(others):
        (low, high), (other_low, other_high) = spans[at], others[other_at]
        if max(low, other_low) <= min(high, other_high):
            found.append((max(low, other_low), min(high, other_high)))
        if high < other_high:
            at += 1
        else:
            other_at += 1
    return found


def ranges_of(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield runs of neighbours in ``numbers``, which ascend."""
    start = previous = None
    for number in numbers:
        if previous is not None and number == previous + 1:
            previous = number
            continue
        if start is not None and previous is not None:
            yield start, previous
        start = previous = number
    if start is not None and previous is not None:
        yield start, previous


def format_ranges(ranges: Iterable[tuple[int, int]]) -> str:
    """Return ranges as a client reads them: ``1,3:5,7:*``."""
    return ",".join(
        _number(low) if low == high else f"{_number(low)}:{_number(high)}" for low, high in ranges
    )


def format_numbers(numbers: Iterable[int]) -> str:
    """Return ascending numbers as the shortest set: ``1:3,7``."""
    return format_ranges(ranges_of(numbers))


def _number(number: int) -> str:
    return str(number) if number else "*"
