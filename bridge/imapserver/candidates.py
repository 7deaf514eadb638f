"""The messages that a search may still name, fewer with each key that was asked.

What keys say is a number with one bit for each candidate, the first the highest: NOT, OR and AND
are then one operation each, and a hundred thousand messages take as many bits.

A message that was expunged and not yet told as such (a ghost) is looked at as it was last.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress

from bridge.imapserver.pace import CommandShare
from bridge.imapserver.view import Columns, View, columns_of

SLICE = 4096
FEW_OF = 8
"""One of so many candidates and fewer are picked out one by one."""

_HIT = re.compile(b"\1")
_DIGITS = bytes((48, 49)).ljust(256)
_VALUES = bytes(48) + bytes((0, 1)).ljust(208)


def bits_of(answers: Iterable[int]) -> int:
    """Return answers (0 and 1, or truths), at least one, as bits."""
    return int(bytes(answers).translate(_DIGITS), 2)


def answers_of(bits: int, count: int) -> bytes:
    """Return ``count`` bits as bytes 0 and 1."""
    return f"{bits:0{count}b}".encode().translate(_VALUES)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Some messages by sequence number, and the place of each in ``columns``."""

    numbers: Sequence[int]
    columns: Columns
    at: Sequence[int]

    def __len__(self) -> int:
        return len(self.at)

    def of(self, column: Sequence[int]) -> Sequence[int]:
        """Return what a column has of them, in order."""
        if isinstance(self.at, range):
            return column[self.at.start : self.at.stop]
        return [column[at] for at in self.at]

    @property
    def everything(self) -> int:
        """The bits that name all."""
        return (1 << len(self)) - 1

    def narrowed(self, bits: int) -> Candidates:
        """Return those that ``bits`` name."""
        if bits == self.everything:
            return self
        hits = answers_of(bits, len(self))
        if bits.bit_count() * FEW_OF < len(self):
            places = [hit.start() for hit in _HIT.finditer(hits)]
            return Candidates(
                [self.numbers[place] for place in places],
                self.columns,
                [self.at[place] for place in places],
            )
        return Candidates(
            list(compress(self.numbers, hits)), self.columns, list(compress(self.at, hits))
        )


async def candidates_in(
    view: View, spans: Sequence[tuple[int, int]], pace: CommandShare
) -> list[Candidates]:
    """Return the messages in ranges of sequence numbers: what is there, and ghosts."""
    columns = columns_of(view.index)
    if view.all_told():
        numbers = await _numbers(spans, pace)
        if isinstance(numbers, range):
            return [Candidates(numbers, columns, range(numbers.start - 1, numbers.stop - 1))]
        return [Candidates(numbers, columns, [number - 1 for number in numbers])]
    there: tuple[list[int], list[int]] = ([], [])
    gone: tuple[list[int], list[int]] = ([], [])
    told = columns
    for low, high in spans:
        for number in range(low, high + 1):
            await pace.spend(10)
            at = _place(columns.uids, view.uid(number))  # whatever the index is meanwhile
            ghost = view.ghost(number) if at is None else None
            if at is not None:
                there[0].append(number)
                there[1].append(at)
            elif ghost is not None:
                told = ghost[0]
                gone[0].append(number)
                gone[1].append(ghost[1])
    return [Candidates(there[0], columns, there[1]), Candidates(gone[0], told, gone[1])]


def _place(uids: Sequence[int], uid: int) -> int | None:
    at = bisect_left(uids, uid)
    return at if at < len(uids) and uids[at] == uid else None


async def _numbers(spans: Sequence[tuple[int, int]], pace: CommandShare) -> Sequence[int]:
    if len(spans) == 1:
        ((low, high),) = spans
        return range(low, high + 1)
    numbers: list[int] = []
    for low, high in spans:
        numbers += range(low, high + 1)
        await pace.spend(1 + (high - low) // 8)
    return numbers
