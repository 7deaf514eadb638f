"""Search keys as a tree (RFC 3501 §6.4.4 and its extensions)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from bridge.imap.sequence import SequenceSet


@dataclass(frozen=True, slots=True)
class All:
    """ALL: every message."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """A set of sequence numbers, or with ``uid`` of UIDs."""

    numbers: SequenceSet
    uid: bool


@dataclass(frozen=True, slots=True)
class HasFlag:
    r"""A flag by its name, ``\\Recent`` too."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A substring of a field: "subject", "from", "to", "cc", "bcc", "body" or "text"."""

    field: str
    needle: str


@dataclass(frozen=True, slots=True)
class Header:
    """A substring of a header field; "" asks only that the field is there."""

    name: str
    needle: str


class DateField(Enum):
    """Which date is compared."""

    INTERNAL = "internal"
    SENT = "sent"
    SAVED = "saved"


@dataclass(frozen=True, slots=True)
class Dated:
    """A date before, on or since a day: ``how`` is -1, 0 or 1 (since: that day and later)."""

    field: DateField
    how: int
    day: date


@dataclass(frozen=True, slots=True)
class Sized:
    """LARGER or SMALLER than so many bytes."""

    larger: bool
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Within:
    """OLDER or YOUNGER than so many seconds (RFC 5032)."""

    older: bool
    interval_s: int


@dataclass(frozen=True, slots=True)
class ModSeqAtLeast:
    """MODSEQ (RFC 7162 §3.1.5)."""

    modseq: int


@dataclass(frozen=True, slots=True)
class ObjectId:
    """EMAILID, or with ``thread`` THREADID (RFC 8474 §6)."""

    identifier: str
    thread: bool


@dataclass(frozen=True, slots=True)
class SaveDateSupported:
    """SAVEDATESUPPORTED (RFC 8514 §4.3)."""


@dataclass(frozen=True, slots=True)
class Not:
    """NOT."""

    key: SearchKey


@dataclass(frozen=True, slots=True)
class Or:
    """OR."""

    left: SearchKey
    right: SearchKey


@dataclass(frozen=True, slots=True)
class And:
    """All of these."""

    keys: tuple[SearchKey, ...]


SearchKey = (
    All
    | Numbers
    | HasFlag
    | Text
    | Header
    | Dated
    | Sized
    | Within
    | ModSeqAtLeast
    | ObjectId
    | SaveDateSupported
    | Not
    | Or
    | And
)


def uses_modseq(key: SearchKey) -> bool:
    """Say whether MODSEQ is among the keys, which makes the session CONDSTORE aware."""
    match key:
        case ModSeqAtLeast():
            return True
        case Not(inner):
            return uses_modseq(inner)
        case Or(left, right):
            return uses_modseq(left) or uses_modseq(right)
        case And(keys):
            return any(map(uses_modseq, keys))
        case _:
            return False
