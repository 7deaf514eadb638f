"""What a FETCH can ask for (RFC 3501 §6.4.5 and its extensions)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Item(Enum):
    """A plain item; the value is its name on the wire."""

    UID = "UID"
    FLAGS = "FLAGS"
    INTERNALDATE = "INTERNALDATE"
    RFC822_SIZE = "RFC822.SIZE"
    ENVELOPE = "ENVELOPE"
    BODY = "BODY"
    BODYSTRUCTURE = "BODYSTRUCTURE"
    MODSEQ = "MODSEQ"
    EMAILID = "EMAILID"
    THREADID = "THREADID"
    SAVEDATE = "SAVEDATE"
    PREVIEW = "PREVIEW"


@dataclass(frozen=True, slots=True)
class Section:
    """``BODY[…]``, ``BINARY[…]`` or one of the RFC822 names.

    ``path`` are part numbers; ``text`` is "", "HEADER", "TEXT", "MIME", "HEADER.FIELDS" or
    "HEADER.FIELDS.NOT"; ``names`` the fields in capitals; ``partial`` is (offset, length).
    ``shown`` is the item's name in the response, up to the partial's offset.
    """

    path: tuple[int, ...] = ()
    text: str = ""
    names: tuple[str, ...] = ()
    partial: tuple[int, int] | None = None
    peek: bool = False
    binary: bool = False
    shown: str = "BODY[]"


@dataclass(frozen=True, slots=True)
class BinarySize:
    """``BINARY.SIZE[…]`` (RFC 3516 §4.3)."""

    path: tuple[int, ...]


FetchItem = Item | Section | BinarySize
FAST = (Item.FLAGS, Item.INTERNALDATE, Item.RFC822_SIZE)
ALL = (*FAST, Item.ENVELOPE)
FULL = (*ALL, Item.BODY)
