"""HTML as the text its reader sees, for searching and previews.

Not a browser: tags, comments, scripts and styles go and leave nothing in their place, what begins
a line of its own gives a line end, references become characters. Time is linear in the size,
whatever the bytes; what is cut off in the middle (an unfinished comment or style) swallows the
rest, as browsers have it. HTML §13.2.5.41 to §13.2.5.51 (comments).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

from bridge.limits import KIB

SLICE_CHARS: Final = 16 * KIB
"""Looked through by one call of a pattern, at up to 0.7 microseconds for each ``<``."""

_TO_TAG_END: Final = r"(?:(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+|[^<>]*+)>"
_HIDDEN = re.compile(r"(?i)<(?:(!--)|(script|style|title|template)\b[^<>]*+>)")
_EMPTY_COMMENT = re.compile(r"-?>")
_HIDDEN_ENDS = {
    "!--": re.compile(r"--!?>"),
    "script": re.compile(r"(?i)</script\b[^<>]*+>?"),
    "style": re.compile(r"(?i)</style\b[^<>]*+>?"),
    "title": re.compile(r"(?i)</title\b[^<>]*+>?"),
    "template": re.compile(r"(?i)</template\b[^<>]*+>?"),
}
_BREAK = re.compile(
    r"(?i) ?</?(?:address|article|aside|blockquote|body|br|caption|center|dd|div|dl|dt|fieldset"
    r"|figcaption|figure|footer|form|h[1-6]|head|header|hr|html|li|main|nav|ol|option|p|pre"
    r"|section|table|tbody|tfoot|thead|tr|ul)\b" + _TO_TAG_END + " ?"
)
_CELL = re.compile(r"(?i)</?t[dh]\b" + _TO_TAG_END)
_TAG = re.compile(r"(?i)<(?:/?[a-z]|!doctype)" + _TO_TAG_END + r"|<(?:[!?]|/(?![a-z]))[^>]*+>")
"""A tag, or what counts as a comment although it is none: that ends at the first ``>``."""
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{8,});?")
"""Above every character, and too much for the standard library once there are enough digits."""


_OPEN = re.compile(r"(?i)<(?:[!?]|/(?![a-z]))")
"""Where what counts as a comment begins."""


def markup_text(markup: str) -> str:
    """Return what a reader sees of ``markup``, one line for each block of it."""
    if "<" in markup:
        pieces: list[str] = []
        for piece in _pieces(_shown(markup)):
            _append(pieces, _in_lines(piece))
        markup = "".join(pieces).rstrip(" \n")
    if "&" in markup:
        markup = "".join(map(_without_references, _between_references(markup)))
    return markup


def _shown(markup: str) -> str:
    """Return ``markup`` without the elements whose content is never shown, and comments."""
    pieces: list[str] = []
    at = 0
    while opening := _search(_HIDDEN, markup, at):
        pieces.append(markup[at : opening.start()])
        ending = _ending(markup, opening)
        at = ending.end() if ending else len(markup)
    pieces.append(markup[at:])
    return "".join(pieces)


def _ending(markup: str, opening: re.Match[str]) -> re.Match[str] | None:
    kind = (opening[1] or opening[2]).lower()
    at = opening.end()
    empty = _EMPTY_COMMENT.match(markup, at) if opening[1] else None
    return empty or _search(_HIDDEN_ENDS[kind], markup, at)


def _search(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str] | None:
    """Search a slice at a time, so that others have their turn between.

    A match begins with the only ``<`` in it, or else is of four characters at the most.
    """
    while at < len(text):
        end = at + SLICE_CHARS
        found = pattern.search(text, at, end)
        last = found.start() if found else text.rfind("<", at, end)
        if last >= 0 and (found := pattern.match(text, last)):
            return found
        at = end if end >= len(text) else max(end - 3, at + 1)
    return None


def _pieces(markup: str) -> Iterator[str]:
    """Yield ``markup`` in pieces of some length that no tag goes across."""
    at = 0
    while len(markup) - at > SLICE_CHARS:
        cut = at + SLICE_CHARS
        no_tag = _OPEN.search(markup, max(markup.rfind(">", at, cut), at), cut + 2)
        last = markup.rfind("<", at, cut)
        if no_tag and no_tag.start() < cut:
            cut = max(markup.find(">", no_tag.start()) + 1, cut)
        elif last >= 0 and (tag := _TAG.match(markup, last)):
            cut = max(tag.end(), cut)
        yield markup[at:cut]
        at = cut
    yield markup[at:]


def _in_lines(piece: str) -> str:
    """Return a piece as lines without needless blanks, but for one at either end."""
    text = _BREAK.sub("\n", _with_single_blanks(piece))
    text = _CELL.sub(" ", text)
    end = text.rfind(">") + 1  # behind it a tag would be looked for in vain, each to the end
    text = _TAG.sub("", text[:end]) + text[end:]
    first, *others = map(_with_single_blanks, text.split("\n"))
    if not others:
        return first
    last = others.pop()
    between = filter(None, (line.strip(" ") for line in others))
    return "\n".join([first.rstrip(" "), *between, last.lstrip(" ")])


def _with_single_blanks(text: str) -> str:
    """Return ``text`` with one blank for each run of them."""
    words = " ".join(text.split())
    if not words:
        return " " if text else ""
    return f"{' ' * text[0].isspace()}{words}{' ' * text[-1].isspace()}"


def _append(pieces: list[str], piece: str) -> None:
    """Add a piece of lines: no blank where a line begins or ends, and no line without a word."""
    last = pieces[-1][-1] if pieces else "\n"
    if last in " \n":
        piece = piece.lstrip(" \n" if last == "\n" else " ")
    if piece.startswith("\n") and last == " ":
        pieces[-1] = pieces[-1][:-1]
    if piece:
        pieces.append(piece)


def _between_references(text: str) -> Iterator[str]:
    """Yield ``text`` in pieces of some length that no reference goes across."""
    at = 0
    while len(text) - at > SLICE_CHARS:
        cut = text.rfind("&", at + 1, at + SLICE_CHARS)
        if cut < 0 and text[at] == "&":
            cut = text.find("&", at + 1)
        cut = at + SLICE_CHARS if cut < 0 and text[at] != "&" else cut
        if cut < 0:
            break
        yield text[at:cut]
        at = cut
    yield text[at:]


def _without_references(text: str) -> str:
    return html.unescape(_LONG_REFERENCE.sub("\N{REPLACEMENT CHARACTER}", text))
