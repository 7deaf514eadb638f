"""What becomes of each part of a submitted message: text that is shown, or a file.

Decides by headers alone and decodes nothing. Of alternatives the HTML one is shown, else the last
text, but none that is empty; inline text is the text even if it has a name, and a named text is a
file only beside an unnamed one, or if its name is that of another kind of file. Whatever is not
shown is a file: no part is lost, but for alternatives that say nothing a better one doesn't.

RFCs: 2046 §5.1 (multipart), 2183 (dispositions), 2387 (related).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bridge.mime.strict.attachment import name_of, type_by_name
from bridge.mime.strict.part import SubmittedPart

_TEXTS = ("text/plain", "text/html")
_SHADOWS = {"text/enriched", "text/richtext", "text/x-amp-html", "text/watch-html"}
"""Alternatives that say nothing a better one doesn't."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The leaves that are shown, and those that are files, each in the message's order."""

    shown: tuple[SubmittedPart, ...]
    attached: tuple[SubmittedPart, ...]


def outlined(message: SubmittedPart) -> Outline:
    """Return what becomes of each part.

    Raises:
        Unreadable: the name of a part cannot be had.
    """
    placing = _Placing(message)
    placing.place(message)
    files = {part.start for part in placing.attached}
    return Outline(
        tuple(placing.shown), tuple(part for part in _leaves(message) if part.start in files)
    )


class _Placing:
    """Collects; ``names_count`` if a named text is a file, there being one without a name."""

    def __init__(self, message: SubmittedPart) -> None:
        self.shown: list[SubmittedPart] = []
        self.attached: list[SubmittedPart] = []
        self._names_count = any(
            _is_text(one) and not name_of(one) and not one.is_empty for one in _leaves(message)
        )

    def place(self, part: SubmittedPart, *, named: bool = False) -> None:
        """Put a part's leaves where they belong; ``named``: it is the text, whatever its name."""
        match part.content_type:
            case "multipart/alternative":
                self._place_best(part)
            case "multipart/related":
                self._place_related(part, named=named)
            case kind if kind.startswith("multipart/"):
                for child in part.children:
                    self.place(child)
            case _ if self._is_shown(part, named=named):
                self.shown.append(part)
            case _:
                self.attached.append(part)

    def _place_best(self, part: SubmittedPart) -> None:
        """Of alternatives show the HTML one, else the last text; files among them stay files."""
        best = self._best(part.children)
        for child in part.children:
            if child is best:
                self.place(child, named=True)
            elif child.children:
                rest = _Placing(child)
                rest.place(child)
                self.attached.extend(rest.attached)
            elif not _is_text(child) and child.content_type not in _SHADOWS:
                self.attached.append(child)

    def _best(self, alternatives: tuple[SubmittedPart, ...]) -> SubmittedPart | None:
        saying = [one for one in alternatives if not _says_nothing(one)]
        for wanted in ("text/html", "text/plain"):
            for child in reversed(saying or alternatives):
                if self._has(child, wanted, named=True):
                    return child
        return None

    def _has(self, part: SubmittedPart, wanted: str, *, named: bool) -> bool:
        """Say whether a text of that type would be shown."""
        if not part.children:
            return part.content_type == wanted and self._is_shown(part, named=named)
        if part.content_type == "multipart/related":
            return self._has(_root(part), wanted, named=named)
        named = part.content_type == "multipart/alternative"
        return any(self._has(child, wanted, named=named) for child in part.children)

    def _place_related(self, part: SubmittedPart, *, named: bool) -> None:
        root = _root(part)
        for child in part.children:
            if child is root:
                self.place(child, named=named)
            else:
                self.attached.extend(_leaves(child))

    def _is_shown(self, part: SubmittedPart, *, named: bool) -> bool:
        """Whether a part is text to be read in its place, and not a file."""
        if not _is_text(part):
            return False
        return named or not (name := name_of(part)) or not (self._names_count or _is_files(name))


def _is_files(name: str) -> bool:
    """Whether a name's extension says that its file is no text, whatever its type says."""
    return type_by_name(name) not in (*_TEXTS, "application/octet-stream")


def _is_text(part: SubmittedPart) -> bool:
    return part.content_type in _TEXTS and part.disposition != "attachment"


def _root(related: SubmittedPart) -> SubmittedPart:
    start = related.parameter("start").strip().strip("<>")
    named = (one for one in related.children if start and one.content_id == start)
    return next(named, None) or _typed_root(related)


def _typed_root(related: SubmittedPart) -> SubmittedPart:
    """Return the first part, or the first of the root's type if that one cannot be the root."""
    first = related.children[0]
    kind = related.parameter("type").lower() or "text/html"
    if first.content_type.startswith(("text/", "multipart/")):
        return first
    return next((one for one in related.children if one.content_type == kind), first)


def _says_nothing(part: SubmittedPart) -> bool:
    return all(one.is_empty for one in _leaves(part))


def _leaves(part: SubmittedPart) -> Iterator[SubmittedPart]:
    return (one for one in part.walk() if not one.children)
