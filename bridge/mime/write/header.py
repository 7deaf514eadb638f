"""Header fields for messages made here: ASCII, folded, and the same for ever. Pure.

Written out by hand because the standard library's folding has changed between releases, and a
message that is composed again must be the same to the byte. No value can end its field: control
characters and line ends become blanks before anything else.

RFCs: 5322 §2.2.3 (folding), 2047 (encoded words), 5322 §3.4 (addresses).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable

from bridge.mime.row.address import Person, one_line

LIMIT_CHARS = 2_000
"""A longer value is cut, with an ellipsis: the row keeps all of it."""

_LINE_CHARS = 76
_WORD_CHARS = 75  # of an encoded word, RFC 2047 §2
_WORD_FRAME = "=?utf-8?B??="
_LONGEST_TOKEN = 200
_LONGEST_ADDRESS = 320  # RFC 5321 §4.5.3.1: 64, an at sign, 255
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,900}>")
_QUOTED = re.compile(r'(["\\])')
_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*")

UNKNOWN_ADDRESS = "unknown-sender@pec-bridge.localhost"
"""Stands where a field must have an address and none is known."""


def text_field(name: str, value: str) -> bytes:
    """Return an unstructured field, with its CRLF."""
    line = _cut(one_line(value[: LIMIT_CHARS * 4]))
    return _field(name, _readable_words(line.split(" "), len(name) + 2))


def token_field(name: str, value: str) -> bytes:
    """Return a field whose value is made here and is ASCII; folded at blanks."""
    return _field(name, value.split(" "))


def address_field(name: str, people: Iterable[Person]) -> bytes:
    """Return an address list; a person without an address keeps the name."""
    words: list[str] = []
    people = list(people)
    for place, person in enumerate(people):
        end = "," if place + 1 < len(people) else ""
        words += _mailbox(person, len(name) + 2 if not words else 1, end)
    return _field(name, words)


def thread_fields(message_id: str) -> list[bytes]:
    """Return what puts a message under another; nothing if that has no usable Message-ID."""
    if not _MESSAGE_ID.fullmatch(message_id):
        return []
    return [token_field(name, message_id) for name in ("In-Reply-To", "References")]


def _mailbox(person: Person, column: int, end: str) -> list[str]:
    name, address = _cut(one_line(person.name[: LIMIT_CHARS * 4])), person.address
    if not 0 < len(address) <= _LONGEST_ADDRESS:
        name, address = name or _cut(address), UNKNOWN_ADDRESS
    if not name:
        return [f"{address}{end}"]
    return [*_phrase(name, column), f"<{address}>{end}"]


def _phrase(name: str, column: int) -> list[str]:
    if _needs_encoding(name):
        return _encoded(name, column)
    if _PLAIN_PHRASE.fullmatch(name):
        return name.split(" ")
    quoted = _QUOTED.sub(r"\\\1", name)
    return f'"{quoted}"'.split(" ")


def _readable_words(tokens: list[str], column: int) -> list[str]:
    """Encode from the first word that needs it to the last; the others stay legible."""
    needy = [place for place, token in enumerate(tokens) if _needs_encoding(token)]
    if not needy:
        return tokens
    first, end = needy[0], needy[-1] + 1
    column = column if first == 0 else 1
    return [*tokens[:first], *_encoded(" ".join(tokens[first:end]), column), *tokens[end:]]


def _needs_encoding(text: str) -> bool:
    if not text.isascii() or "=?" in text:
        return True
    return any(len(token) > _LONGEST_TOKEN for token in text.split(" "))


def _encoded(line: str, column: int) -> list[str]:
    """Return encoded words; none splits a character (RFC 2047 §5)."""
    words: list[str] = []
    piece = b""
    room = _room(column)
    for char in line:
        octets = char.encode("utf-8", "replace")
        if len(piece) + len(octets) > room:
            words.append(_word(piece))
            piece, room = b"", _room(1)
        piece += octets
    words.append(_word(piece))
    return words


def _room(column: int) -> int:
    chars = min(_WORD_CHARS, _LINE_CHARS - column) - len(_WORD_FRAME)
    return chars // 4 * 3


def _word(piece: bytes) -> str:
    return f"=?utf-8?B?{b64encode(piece).decode()}?="


def _cut(line: str) -> str:
    return line if len(line) <= LIMIT_CHARS else line[: LIMIT_CHARS - 1] + "…"


def _field(name: str, words: Iterable[str]) -> bytes:
    lines: list[str] = []
    line = f"{name}:"
    for word in words:
        if len(line) + 1 + len(word) > _LINE_CHARS and line.strip() and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    lines.append(line)
    return "\r\n".join(lines).encode("ascii") + b"\r\n"
