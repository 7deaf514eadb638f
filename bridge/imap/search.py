"""Search keys, and what NOT, OR and parentheses make of them (RFC 3501 §6.4.4 and extensions).

A search is a program in postfix order: each key pushes the messages it names, each operator
takes what it joins from the top. However deep a client nests its keys, nothing here recurses:
not the parser, not the evaluation, not the comparison or printing of a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
class TextKey:
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


class Operator(Enum):
    """What joins the one (NOT) or two (OR, AND) results before it."""

    NOT = "not"
    OR = "or"
    AND = "and"


SearchKey = (
    All
    | Numbers
    | HasFlag
    | TextKey
    | Header
    | Dated
    | Sized
    | Within
    | ModSeqAtLeast
    | ObjectId
    | SaveDateSupported
)

Step = SearchKey | Operator


@dataclass(frozen=True, slots=True)
class Program:
    """A whole search; its steps leave one result.

    Raises:
        ValueError: they leave none, or several, or an operator has nothing to join.
    """

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        results = 0
        for step in self.steps:
            if isinstance(step, Operator):
                results -= step is not Operator.NOT
                if results < 1:
                    raise ValueError(f"{step} has too little before it")
            else:
                results += 1
        if results != 1:
            raise ValueError(f"{results} results are left")

    @property
    def keys(self) -> Iterator[SearchKey]:
        """The keys alone, in order."""
        return (step for step in self.steps if not isinstance(step, Operator))

    @property
    def conjuncts(self) -> Iterator[Program]:
        """The searches that must all match: what AND joins at the outermost level."""
        starts: list[int] = []  # of the steps whose result each step leaves
        for at, step in enumerate(self.steps):
            if step is Operator.NOT:
                starts.append(starts[at - 1])
            else:
                starts.append(starts[starts[at - 1] - 1] if isinstance(step, Operator) else at)
        waiting = [len(self.steps) - 1]
        while waiting:
            at = waiting.pop()
            if self.steps[at] is Operator.AND:
                waiting += (at - 1, starts[at - 1] - 1)
            else:
                yield Program(self.steps[starts[at] : at + 1])

    @property
    def uses_modseq(self) -> bool:
        """Whether MODSEQ is among the keys, which makes the session CONDSTORE aware."""
        return any(isinstance(step, ModSeqAtLeast) for step in self.steps)


def joined(programs: Sequence[Program]) -> Program:
    """Return the search for what all of one program or more match."""
    steps = list(programs[0].steps)
    for program in programs[1:]:
        steps += (*program.steps, Operator.AND)
    return Program(tuple(steps))
