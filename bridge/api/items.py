"""A JSON object with one long list in it, read an item at a time.

An API without pages lists a whole mailbox in one answer. ``json.loads`` would read it in one step,
which holds the interpreter for as long, and make a dictionary of each row before the first of them
is looked at. Here each item is read and made into what is wanted of it before the next one is, and
whoever reads may do something else between. What it says of the rest, and which answers are none,
is what ``json.loads`` says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

Items: TypeAlias = Generator[None, None, T]
"""Work that stops after each item, until it is gone on with; what it returns is what it made."""

_BLANKS = re.compile(r"[ \t\n\r]*+")


def object_with_items(
    text: str, name: str, made: Callable[[object], T], decoder: json.JSONDecoder
) -> Items[tuple[object, list[T] | None]]:
    """Return what ``text`` says, and what is made of the items of its member ``name``.

    That member is None then. A list's items are meant, or the values of an object whose names are
    all numbers, as PHP writes a list with gaps. Where it is neither, or there is none, the items
    are None and the member is as it is.

    Args:
        text: what is to be read.
        name: of the member with the list.
        made: makes of an item what is wanted of it.
        decoder: reads all else.

    Raises:
        JSONDecodeError, ValueError, RecursionError: it is no JSON.
    """
    at = _past_blanks(text, 0)
    if text[at : at + 1] != "{":
        return decoder.decode(text), None
    members: dict[str, Any] = {}
    items: list[T] | None = None
    reader = _Reader(text, decoder)
    for key in reader.names(at):
        if key != name:
            members[key] = reader.value()
            continue
        members[key] = None
        items = yield from reader.items(made)
        if items is None:
            members[key] = reader.value()
    if _past_blanks(text, reader.at) != len(text):
        raise json.JSONDecodeError("Extra data", text, reader.at)
    return members, items


class _Reader:
    """Goes through a text; ``at`` is where it is."""

    def __init__(self, text: str, decoder: json.JSONDecoder) -> None:
        self.at = 0
        self._text = text
        self._decoder = decoder

    def value(self) -> Any:
        """Read the value that is here."""
        value, self.at = self._decoder.raw_decode(self._text, self.at)
        return value

    def names(self, start: int) -> Iterator[str]:
        """Give the names of an object's members; each value is to be read before the next name."""
        for _ in self._places(start, "}"):
            if self._text[self.at : self.at + 1] != '"':
                raise json.JSONDecodeError("Expecting a name", self._text, self.at)
            name = self.value()
            self._take(":")
            yield name

    def items(self, made: Callable[[object], T]) -> Items[list[T] | None]:
        """Read the items that are here; None if there are none, and nothing is read then."""
        start = self.at
        if self._text[start : start + 1] == "[":
            return (yield from self._listed(start, made))
        if self._text[start : start + 1] != "{":
            return None
        found: dict[str, T] = {}
        for name in self.names(start):
            if not name.isdigit():
                self.at = start
                return None
            found[name] = made(self.value())
            yield
        return list(found.values())

    def _listed(self, start: int, made: Callable[[object], T]) -> Items[list[T]]:
        found = []
        for _ in self._places(start, "]"):
            found.append(made(self.value()))
            yield
        return found

    def _places(self, start: int, end: str) -> Iterator[None]:
        """Go to each element between a bracket, which is at ``start``, and its end."""
        self.at = _past_blanks(self._text, start + 1)
        if self._text[self.at : self.at + 1] == end:
            self.at += 1
            return
        while True:
            yield
            self.at = _past_blanks(self._text, self.at)
            if self._text[self.at : self.at + 1] == end:
                self.at += 1
                return
            self._take(",")

    def _take(self, mark: str) -> None:
        at = _past_blanks(self._text, self.at)
        if self._text[at : at + 1] != mark:
            raise json.JSONDecodeError(f"Expecting {mark!r}", self._text, at)
        self.at = _past_blanks(self._text, at + 1)


def _past_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at
