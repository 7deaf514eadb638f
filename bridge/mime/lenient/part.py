"""The parts of a message and where they lie in its bytes; stored with the message.

The tree answers what a FETCH of a section or a BINARY needs without reading a header again.
Stored form: one byte for the format, then 15 bytes for each part, parents before children:
kind and encoding (1), number of children (2), and as offsets into the message the start of the
header, the start of the body and the end (4 each), all little-endian.

RFCs: 3501 §6.4.5, 2046, 3516.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from bridge.mime.grammar.transfer import Encoding

_FORMAT = b"\x01"
_PART = struct.Struct("<BHIII")


class PartKind(IntEnum):
    """What a part can hold: nothing more, other parts, or one whole message."""

    LEAF = 0
    MULTIPART = 1
    MESSAGE = 2


@dataclass(frozen=True, slots=True)
class BodyPart:
    """One part: its header is ``raw[header_start:body_start]``, its body ``raw[body_start:end]``.

    A MULTIPART has any number of children (none, if its boundary never comes), a MESSAGE has
    one: the message within.
    """

    kind: PartKind
    encoding: Encoding
    header_start: int
    body_start: int
    end: int
    children: tuple[BodyPart, ...] = ()

    def __post_init__(self) -> None:
        """Refuse offsets out of order."""
        if not 0 <= self.header_start <= self.body_start <= self.end:
            raise ValueError("a part's offsets must not run backwards")


def encode_parts(root: BodyPart) -> bytes:
    """Return the stored form of a tree of parts."""
    return _FORMAT + b"".join(_packed(root))


def _packed(part: BodyPart) -> Iterator[bytes]:
    kind = part.kind | part.encoding << 4
    children = len(part.children)
    yield _PART.pack(kind, children, part.header_start, part.body_start, part.end)
    for child in part.children:
        yield from _packed(child)


def decode_parts(stored: bytes) -> BodyPart:
    """Return the tree of parts that ``encode_parts`` made ``stored`` from.

    Raises:
        ValueError: ``stored`` is no such thing.
    """
    if stored[:1] != _FORMAT:
        raise ValueError("not a stored tree of parts")
    try:
        return _unpacked(_PART.iter_unpack(memoryview(stored)[1:]))
    except (struct.error, StopIteration, RuntimeError) as fault:
        raise ValueError("a stored tree of parts is damaged") from fault


def _unpacked(rows: Iterator[tuple[int, int, int, int, int]]) -> BodyPart:
    kind, children, header_start, body_start, end = next(rows)
    return BodyPart(
        _KINDS[kind & 0x0F],
        _ENCODINGS[kind >> 4],
        header_start,
        body_start,
        end,
        tuple([_unpacked(rows) for _ in range(children)]),
    )


_KINDS = tuple(PartKind)
_ENCODINGS = tuple(Encoding)
