"""Messages on their way to a client, taken in batches small enough to make nobody wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from bridge.imapserver.view import View
from bridge.model import ContentId

T = TypeVar("T")

BATCH_MESSAGES = 512
BATCH_BYTES = 512 * 1024

LARGE_BYTES = 1024 * 1024
"""What is asked of a message's texts is sent in pieces where it can be more than this."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some messages: sequence numbers, positions in the index, contents.

    ``positions`` is a ``range`` where they are neighbours; ``missed`` counts messages that the
    client still numbers and that are gone.
    """

    numbers: Sequence[int]
    positions: Sequence[int]
    contents: Sequence[ContentId]
    missed: int


def take(values: Sequence[T], positions: Sequence[int]) -> Sequence[T]:
    """Return the values at positions; neighbours in one copy."""
    if isinstance(positions, range):
        return values[positions.start : positions.stop]
    return [values[at] for at in positions]


class Batches:
    """Sequence numbers in batches, each as the index is when it is asked for.

    ``texts`` and ``field_sets`` say how many of each message are wanted: of texts a batch has at
    most ``BATCH_BYTES``, or one message.

    Args:
        view: the mailbox as the client sees it.
        numbers: sequence numbers, rising.
        texts: how many texts are wanted of each message; a batch has ``BATCH_BYTES`` of them at
            most, or one message.
        field_sets: how many sets of header fields are wanted of each message.
    """

    def __init__(
        self, view: View, numbers: Sequence[int], *, texts: int = 0, field_sets: int = 0
    ) -> None:
        self._view = view
        self._numbers = numbers
        self._texts = texts
        self._most = max(BATCH_MESSAGES // max(field_sets, 1), 1)
        self._at = 0

    def __iter__(self) -> Iterator[Batch]:
        while chunk := self._chunk():
            self._at += len(chunk)
            yield batch_of(self._view, chunk)

    def upcoming(self) -> Batch | None:
        """Return what comes next as things stand now, None after the last."""
        chunk = self._chunk()
        batch = batch_of(self._view, chunk) if chunk else None
        return batch if batch is not None and batch.numbers else None

    def _chunk(self) -> Sequence[int]:
        chunk = self._numbers[self._at : self._at + self._most]
        if self._texts and len(chunk) > 1:
            chunk = chunk[: _fitting(self._view, chunk, BATCH_BYTES // self._texts)]
        return chunk


def batch_of(view: View, numbers: Sequence[int]) -> Batch:
    """Return the messages of these numbers that are still there."""
    if view.all_told():
        positions: Sequence[int] = (
            range(numbers.start - 1, numbers.stop - 1)
            if isinstance(numbers, range)
            else [number - 1 for number in numbers]
        )
        return Batch(numbers, positions, _contents(view, positions), 0)
    found = [(number, at) for number in numbers if (at := view.position(number)) is not None]
    positions = [at for _, at in found]
    left = [number for number, _ in found]
    return Batch(left, positions, _contents(view, positions), len(numbers) - len(left))


def _contents(view: View, positions: Sequence[int]) -> Sequence[ContentId]:
    return cast(Sequence[ContentId], take(view.index.contents, positions))


def _fitting(view: View, numbers: Sequence[int], most_bytes: int) -> int:
    """Return how many of the first messages, one at least, are not too long together."""
    sizes, left_bytes = view.index.sizes, most_bytes
    for count, number in enumerate(numbers):
        at = view.position(number)
        left_bytes -= 0 if at is None else sizes[at]
        if left_bytes < 0:
            return max(count, 1)
    return len(numbers)
