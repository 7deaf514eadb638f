"""The text of a message that SEARCH looks through: decoded, and folded for comparing.

Header values lose their folds and encoded words, bodies their transfer encoding and charset, HTML
its markup. What has no declared charset, or not the one it declares, is read as UTF-8 and else as
Windows-1252. Never raises; a character that can't be stored (a lone surrogate) is left out.

RFCs: 3501 §6.4.4; 2047; 2231 §4; 5051 (i;unicode-casemap), from which ``fold`` departs in leaving
accents out as well, so that ``perche`` finds ``perché``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple
from unicodedata import normalize

from bridge.mime.header import Fields, unfold
from bridge.mime.markup import markup_text
from bridge.mime.parse_text import decode_text, decode_words
from bridge.mime.part import PartKind
from bridge.mime.split import Entity, split
from bridge.mime.transfer import decode_leniently, encoding_of

MOST_BODY_CHARACTERS: Final = 1 << 18
"""Kept of a message's body text with the message; beyond that ``body_text`` has to be asked."""

_MOST_WORDS_BYTES = 1 << 16  # of one field are searched for encoded words
_NO_LETTERS = (
    "\0\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u2060\u20d0-\u20ff"
    "\ud800-\udfff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff"
)
_IGNORED = re.compile(f"[{_NO_LETTERS}]+")
"""Accents and vowel points, and what has no width: nobody types them to find a word.

Marks that make another letter (of Japanese, of the scripts of India) are not among them.
"""
_SURROGATES = re.compile("[\ud800-\udfff]+")


def fold(text: str) -> str:
    """Return ``text`` as it is compared: without case, accents, and differences of width.

    Line ends become one LF. Folding twice is folding once.
    """
    if not text.isascii():
        text = _IGNORED.sub("", normalize("NFKD", text))
    if text.isascii():
        text = text.lower().replace("\0", "")
    else:
        text = _IGNORED.sub("", normalize("NFKD", text.casefold()))
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def storable(text: str) -> str:
    """Return ``text`` without lone surrogates, which some charsets let through."""
    return text if text.isascii() else _SURROGATES.sub("", text)


def decode_value(value: bytes) -> str:
    """Return a header field's value as text in one line."""
    value = unfold(value)
    if b"=?" not in value:
        if value.isascii():
            return value.decode("ascii")
        return decode_text(value, "").text
    text = decode_text(value, "").text
    text = decode_words(text[:_MOST_WORDS_BYTES]) + text[_MOST_WORDS_BYTES:]
    return text.replace("\r", " ").replace("\n", " ")


def header_values(fields: Fields) -> list[tuple[str, str]]:
    """Return the fields of a header decoded, names in lower case."""
    return [(name.decode("ascii", "replace"), decode_value(value)) for name, value in fields]


def header_text(values: list[tuple[str, str]]) -> str:
    """Return decoded fields as folded lines ``name:value``."""
    return fold(_lines(values))


def _lines(values: list[tuple[str, str]]) -> str:
    return "\n".join([f"{name}:{value}" for name, value in values])


def text_of(values: list[tuple[str, str]], name: str) -> str:
    """Return the folded values of the fields with this name, joined by line ends."""
    return fold("\n".join([value for each, value in values if each == name]))


class Passage(NamedTuple):
    """What there is to read in one part, decoded but not folded.

    ``heading`` is its header as lines ``name:value``, "" for the message's own; ``text`` its body
    with markup taken away, "" if that is no text.
    """

    part: Entity
    heading: str
    text: str


def passages(raw: bytes, root: Entity) -> Iterator[Passage]:
    """Yield the texts of each part in order."""
    for part in _walk(root):
        heading = "" if part is root else _lines(header_values(part.fields))
        yield Passage(part, heading, _part_text(raw, part) if _is_readable(part) else "")


def _walk(part: Entity) -> Iterator[Entity]:
    """Yield a part and all within; without recursion, since generators nest dearly."""
    waiting = [part]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += reversed(part.children)


def _is_readable(part: Entity) -> bool:
    """Say whether a part is text, or a report on messages (``message/delivery-status``)."""
    if part.kind is not PartKind.LEAF:
        return False
    return part.is_text or (
        part.content_type is not None and part.content_type.kind.lower() == b"message"
    )


def is_markup(part: Entity) -> bool:
    """Say whether a text part is HTML."""
    return part.content_type is not None and part.content_type.subkind.lower() == b"html"


def _part_text(raw: bytes, part: Entity) -> str:
    body = decode_leniently(raw[part.body_start : part.end], encoding_of(part.fields))
    charset = _charset_of(part)
    text = (
        body.decode("ascii") if body.isascii() and not charset else decode_text(body, charset).text
    )
    return markup_text(text) if is_markup(part) else text


def _charset_of(part: Entity) -> str:
    if part.content_type is None:
        return ""
    for name, value in part.content_type.parameters:
        folded = name.lower()
        if folded == b"charset":
            return value.decode("ascii", "replace")
        if folded == b"charset*":
            return value.rpartition(b"'")[2].decode("ascii", "replace")
    return ""


def folded_body(found: Iterable[Passage], most: int) -> tuple[str, bool]:
    """Return the folded texts, and whether that is all; cut after ``most`` characters."""
    kept: list[str] = []
    left = most
    for _part, heading, text in found:
        for piece in (heading, text):
            if piece:
                kept.append(fold(piece[:left]))
                left -= len(piece) + 1
                if left < 0:
                    return "\n".join(kept), False
    return "\n".join(kept), True


def body_text(raw: bytes) -> str:
    """Return all of a message's folded body text, however long; see ``ingest.SearchText.body``."""
    return folded_body(passages(raw, split(raw)), most=1 << 62)[0]
