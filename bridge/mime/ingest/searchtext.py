"""The text of a message that SEARCH looks through: decoded, and folded for comparing.

Header values lose their folds and encoded words, bodies their transfer encoding and charset, HTML
its markup; charsets are read as ``charset.decode`` has it. Never raises; a character that can't be
stored (a lone surrogate) is left out.

RFCs: 3501 §6.4.4; 2047; 2231 §4; 5051 (i;unicode-casemap), from which ``fold`` departs in leaving
accents out as well, so that ``perche`` finds ``perché``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from bridge.charset.decode import decode_html, decode_text
from bridge.charset.normalise import in_slices, normalised
from bridge.limits import TEXT_SLICE_CHARS
from bridge.mime.grammar.header import Fields, unfold
from bridge.mime.grammar.transfer import decode_leniently, encoding_of
from bridge.mime.grammar.words import decode_field
from bridge.mime.html.to_text import markup_text
from bridge.mime.lenient.filename import file_names
from bridge.mime.lenient.parameter import ContentType, readable_type
from bridge.mime.lenient.part import PartKind
from bridge.mime.lenient.split import Entity, split

MOST_BODY_CHARACTERS: Final = 1 << 18
"""Kept of a message's body text with the message; beyond that ``body_text`` has to be asked."""

MOST_HEADING_CHARACTERS: Final = 1 << 16
"""The same for the headers of its parts."""

_NAMING = frozenset({b"content-disposition", b"content-type"})
_PLAIN = ContentType(b"text", b"plain", ())
_MESSAGE = ContentType(b"message", b"rfc822", ())
_NO_LETTERS = (
    "\0\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u2060\u20d0-\u20ff"
    "\ud800-\udfff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff"
)
_IGNORED = re.compile(f"[{_NO_LETTERS}]+")
"""Accents and vowel points, and what has no width: nobody types them to find a word.

Marks that make another letter (of Japanese, of the scripts of India) are not among them.
"""
_BLANKS = re.compile(r"[ \t\r\n]+")
_SURROGATES = re.compile("[\ud800-\udfff]+")


def fold(text: str) -> str:
    """Return ``text`` as it is compared: without case, accents, and differences of width.

    Line ends become one LF. Folding twice is folding once.
    """
    return in_slices(_folded_slice, text)


def _folded_slice(text: str) -> str:
    if not text.isascii():
        text = _IGNORED.sub("", normalised("NFKD", text))
    if text.isascii():
        text = text.lower().replace("\0", "")
    else:
        text = _IGNORED.sub("", normalised("NFKD", text.casefold()))
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
        plain = value.isascii() and b"\x1b" not in value
        return value.decode("ascii") if plain else decode_text(value, "").text
    return decode_field(value).text.replace("\r", " ").replace("\n", " ")


def header_values(fields: Fields) -> list[tuple[str, str]]:
    """Return the fields of a header decoded, names in lower case.

    Behind a field that spells a file name in octets (RFC 2231) stands the name as people know it.
    """
    values = []
    for name, value in fields:
        text = decode_value(value)
        if name in _NAMING and b"*" in value:
            text = " ".join([text, *file_names([(name, value)])])
        values.append((name.decode("ascii", "replace"), text))
    return values


def header_text(values: list[tuple[str, str]]) -> str:
    """Return decoded fields as folded lines ``name:value``."""
    return fold(_lines(values))


def _lines(values: list[tuple[str, str]]) -> str:
    return "\n".join([f"{name}:{with_single_blanks(value)}" for name, value in values])


def text_of(values: list[tuple[str, str]], name: str) -> str:
    """Return the folded values of the fields with this name, joined by line ends."""
    return fold("\n".join([with_single_blanks(value) for each, value in values if each == name]))


def with_single_blanks(text: str) -> str:
    """Return a field's text with each run of blanks, tabs and stray line ends as one blank.

    So a fold by a tab is found, and a lone CR in a value begins no field that is not there.
    """
    pieces: list[str] = []
    at = 0
    while len(text) - at > TEXT_SLICE_CHARS:
        cut = at + TEXT_SLICE_CHARS
        blanks = _BLANKS.match(text, cut)
        cut = blanks.end() if blanks else cut
        pieces.append(_BLANKS.sub(" ", text[at:cut]))
        at = cut
    return "".join([*pieces, _BLANKS.sub(" ", text[at:])])


class Passage(NamedTuple):
    """What there is to read in one part, decoded but not folded.

    ``heading`` is its header as lines ``name:value``, "" for the message's own; ``names`` those
    of its file, in lines; ``text`` its body with markup taken away, "" if that is no text.
    """

    part: Entity
    heading: str
    names: str
    text: str


def passages(raw: bytes, root: Entity) -> Iterator[Passage]:
    """Yield the texts of each part in order."""
    for part in _walk(root):
        heading = "" if part is root else _lines(header_values(part.fields))
        text = _part_text(raw, part) if _is_readable(part) else ""
        yield Passage(part, heading, "\n".join(file_names(part.fields)), text)


def _walk(part: Entity) -> Iterator[Entity]:
    """Yield a part and all within; without recursion, since generators nest dearly."""
    waiting = [part]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += reversed(part.children)


def media_type(part: Entity) -> ContentType:
    """Return what a leaf is, as its header was meant (see ``lenient.parameter.readable_type``)."""
    given = part.content_type
    if given is None:
        return _PLAIN if part.is_text else _MESSAGE
    if given.subkind:
        return given
    value = next((value for name, value in part.fields if name == b"content-type"), b"")
    return readable_type(given, value)


def _is_readable(part: Entity) -> bool:
    """Say whether a part is text, or a report on messages (``message/delivery-status``)."""
    if part.kind is not PartKind.LEAF:
        return False
    return part.is_text or media_type(part).kind.lower() in (b"text", b"message")


def is_markup(part: Entity) -> bool:
    """Say whether a text part is HTML."""
    return media_type(part).subkind.lower() == b"html"


def _part_text(raw: bytes, part: Entity) -> str:
    body = decode_leniently(raw[part.body_start : part.end], encoding_of(part.fields))
    charset = _charset_of(part)
    if is_markup(part):
        return markup_text(decode_html(body, charset).text)
    if body.isascii() and not charset and b"\x1b" not in body and b"\0" not in body:
        return body.decode("ascii")
    return decode_text(body, charset).text


def _charset_of(part: Entity) -> str:
    for name, value in media_type(part).parameters:
        folded = name.lower()
        if folded == b"charset":
            return value.decode("ascii", "replace")
        if folded == b"charset*":
            return value.rpartition(b"'")[2].decode("ascii", "replace")
    return ""


def folded_body(found: Iterable[Passage], most: int) -> tuple[str, bool]:
    """Return the folded texts and file names, and whether that is all; ``most`` characters.

    A part's other header fields are no body (RFC 9051 §6.4.4, BODY and TEXT).
    """
    return _folded((piece for one in found for piece in (one.names, one.text)), most)


def folded_headings(found: Iterable[Passage], most: int) -> tuple[str, bool]:
    """Return the folded headers of all parts, likewise; each line begins with a tab.

    So they can stand below the message's own header, and none is taken for a line of that.
    """
    lines = ("\t" + one.heading.replace("\n", "\n\t") for one in found if one.heading)
    return _folded(lines, most)


def _folded(pieces: Iterable[str], most: int) -> tuple[str, bool]:
    kept: list[str] = []
    left = most
    for piece in pieces:
        if piece:
            kept.append(fold(piece[:left]))
            left -= len(piece) + 1
            if left < 0:
                return "\n".join(kept), False
    return "\n".join(kept), True


def body_text(raw: bytes) -> str:
    """Return all of a message's folded body text, however long; see ``message.SearchText.body``."""
    return folded_body(passages(raw, split(raw)), most=1 << 62)[0]


def whole_text(raw: bytes) -> str:
    """Return the same, and the headers of all parts with it."""
    found = list(passages(raw, split(raw)))
    return f"{folded_headings(found, 1 << 62)[0]}\n{folded_body(found, 1 << 62)[0]}"
