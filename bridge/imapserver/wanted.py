"""What a search looks for in the folded texts of headers, and whether a text holds it.

A header's text has a line for each field, ``name:value`` (``mime.ingest.searchtext.header_text``).
Pure; every look is linear in the text, whatever was asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

_IDENTIFICATION = re.compile(r"<[^<>]*>")


class HeaderTest(Protocol):
    """Something to look for.

    Attributes:
        clue: what is in every text that holds it, one with a line end before it.
        is_clue_all: whether whatever has the clue holds it.
    """

    @property
    def clue(self) -> str:
        """See the class."""

    @property
    def is_clue_all(self) -> bool:
        """See the class."""

    def is_in(self, text: str) -> bool:
        """Say whether a text holds it."""


@dataclass(frozen=True, slots=True)
class Anywhere:
    """A string, wherever it stands."""

    needle: str

    @property
    def clue(self) -> str:
        """See ``HeaderTest``."""
        return self.needle

    @property
    def is_clue_all(self) -> bool:
        """See ``HeaderTest``."""
        return True

    def is_in(self, text: str) -> bool:
        """Say whether a text holds it."""
        return self.needle in text


@dataclass(frozen=True, slots=True)
class InField:
    """A string in a field of that name."""

    name: str
    needle: str

    @property
    def clue(self) -> str:
        """See ``HeaderTest``."""
        return self.needle or f"\n{self.name}:"

    @property
    def is_clue_all(self) -> bool:
        """See ``HeaderTest``."""
        return not self.needle

    @property
    def identification(self) -> str:
        """The whole Message-ID that is looked for, "" where it is anything else."""
        is_whole = self.name == "message-id" and _IDENTIFICATION.fullmatch(self.needle)
        return self.needle if is_whole else ""

    def is_in(self, text: str) -> bool:
        """Say whether a field of a header holds it."""
        start = f"{self.name}:"
        at = 0 if text.startswith(start) else _line_with(start, text, 0)
        while at >= 0:
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            if text.find(self.needle, at + len(start), end) >= 0:
                return True
            at = _line_with(start, text, end)
        return False


def _line_with(start: str, text: str, after: int) -> int:
    """Return where the next line begins that begins with ``start``, -1 if none does."""
    at = text.find(f"\n{start}", after)
    return at + 1 if at >= 0 else -1


@dataclass(frozen=True, slots=True)
class Across:
    """The end of a field's name and the beginning of its value."""

    name: str
    value: str

    @property
    def clue(self) -> str:
        """See ``HeaderTest``."""
        return f"{self.name}:{self.value}"

    @property
    def is_clue_all(self) -> bool:
        """See ``HeaderTest``."""
        return False

    def is_in(self, text: str) -> bool:
        """Say whether a field of a header is named and begins so."""
        wanted = f"{self.name}:{self.value}"
        if wanted not in text:
            return False
        for line in text.split("\n"):
            name, colon, value = line.partition(":")
            if colon and name.endswith(self.name) and value.startswith(self.value):
                return True
        return False


def across_colon(needle: str) -> Across | None:
    """Return how a field's name and value are kept: without the blank between them."""
    name, blank, value = needle.partition(": ")
    return Across(name, value) if blank and ":" not in name else None
