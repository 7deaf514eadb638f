"""Content-Transfer-Encoding: which one a part has, and its body decoded.

RFCs: 2045 §6; 3516 §4.2 (BINARY).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from enum import IntEnum

from bridge.mime.grammar.header import Fields
from bridge.mime.grammar.lexer import MORE, Lexer


class Encoding(IntEnum):
    """How a part's body is to be decoded (RFC 2045 §6.1); UNKNOWN can't be."""

    IDENTITY = 0
    QUOTED_PRINTABLE = 1
    BASE64 = 2
    UNKNOWN = 3


_NAMES = {
    b"7bit": Encoding.IDENTITY,
    b"8bit": Encoding.IDENTITY,
    b"binary": Encoding.IDENTITY,
    b"quoted-printable": Encoding.QUOTED_PRINTABLE,
    b"base64": Encoding.BASE64,
}
_PIECE_BYTES = 1 << 18
_LINE_TAIL = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)")
_CUT = re.compile(rb"[^ \t\r=](?:(?<=\n)|(?<!=.)(?<!=..)(?=[ \t]*+[^ \t\r\n]))", re.DOTALL)
"""The end of a line, or a byte behind which something follows in the same line.

It begins with the set of bytes that it may be, which is what a search skips the others by.
"""
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_FIELD = re.compile(rb"(?mi)^Content-Transfer-Encoding[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*")
_BLANK_LINE = re.compile(rb"\r?\n\Z")
_BAD_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n)|\r(?!\n)")


def encoding_of(fields: Fields) -> Encoding:
    """Return the encoding that a part's header names; the last field counts.

    Parameters, which the RFC does not allow, are read over.
    """
    encoding = Encoding.IDENTITY
    for name, value in fields:
        if name == b"content-transfer-encoding":
            encoding = _named(value)
    return encoding


def _named(value: bytes) -> Encoding:
    known = _NAMES.get(value.lower())
    if known is not None:
        return known
    lexer = Lexer(value)
    lexer.blanks()
    status, token = lexer.token()
    if status == MORE and lexer.peek() != b";":
        return Encoding.UNKNOWN
    return _NAMES.get(token.lower(), Encoding.UNKNOWN)


def decode_exactly(body: bytes, encoding: Encoding) -> bytes | None:
    """Return a body decoded for BINARY; None if the encoding is unknown or broken in it."""
    if encoding is Encoding.IDENTITY:
        return body
    if encoding is Encoding.BASE64:
        return _base64(body) if len(body) <= _PIECE_BYTES else _long_base64(body)
    if encoding is Encoding.QUOTED_PRINTABLE:
        body = _LINE_TAIL.sub(b"", body)
        return None if _BAD_ESCAPE.search(body) else binascii.a2b_qp(body)
    return None


def _base64(body: bytes) -> bytes | None:
    letters = body.translate(None, b"\r\n\t ")
    bare = letters.rstrip(b"=")
    missing = _missing_padding(bare)
    if len(letters) - len(bare) > len(missing):  # the standard library lets this pass
        return None
    try:
        return binascii.a2b_base64(bare + missing, strict_mode=True)
    except binascii.Error:
        return None


def _missing_padding(letters: bytes) -> bytes:
    """Return what a last group of two or three letters lacks; some encoders leave it out."""
    return b"=" * (-len(letters) % 4)


def _long_base64(body: bytes) -> bytes | None:
    """Decode piece by piece, so that other threads get their turn between two of them."""
    pieces: list[bytes | None] = []
    left = b""
    for start in range(0, len(body), _PIECE_BYTES):
        letters = left + body[start : start + _PIECE_BYTES].translate(None, b"\r\n\t ")
        is_last = start + _PIECE_BYTES >= len(body)
        cut = len(letters) if is_last else len(letters) // 4 * 4
        left = letters[cut:]
        if not is_last and b"=" in letters:
            return _base64(body)  # padding is close: only the whole can tell if it is the end
        pieces.append(_base64(letters[:cut]))
    whole = [piece for piece in pieces if piece is not None]
    return b"".join(whole) if len(whole) == len(pieces) else None


def decode_quoted(lines: bytes) -> bytes:
    """Return whole lines of quoted-printable decoded; blanks at their ends go (RFC 2045 §6.7)."""
    return binascii.a2b_qp(_LINE_TAIL.sub(b"", lines))


def decode_leniently(body: bytes, encoding: Encoding) -> bytes:
    """Return as much of a body as can be decoded, for reading and searching.

    What names an unknown encoding is mostly not encoded at all, and taken as it is.
    """
    if encoding is Encoding.QUOTED_PRINTABLE:
        return b"".join(map(decode_quoted, _slices(body)))
    if encoding is not Encoding.BASE64:
        return body
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        letters = _NOT_BASE64.sub(b"", body)
        if len(letters) % 4 == 1:
            letters = letters[:-1]
        return binascii.a2b_base64(letters + _missing_padding(letters))


def _slices(body: bytes) -> Iterator[bytes]:
    """Give quoted-printable in pieces, so that other threads get their turn between two of them.

    No piece ends inside an escape, or with blanks that may be those of a line's end.
    """
    at = 0
    while len(body) - at > 2 * _PIECE_BYTES:
        cut = _CUT.search(body, at + _PIECE_BYTES)
        if cut is None:
            break
        yield body[at : cut.end()]
        at = cut.end()
    yield body[at:]


def relabelled(header: bytes, encoding: bytes) -> bytes:
    """Return a header that names ``encoding``, whatever it named before."""
    bare = _FIELD.sub(b"", header)
    field = b"Content-Transfer-Encoding: %b\r\n" % encoding
    blank = _BLANK_LINE.search(bare)
    end = blank.start() if blank and (blank.start() == 0 or bare[blank.start() - 1] == 10) else None
    if end is not None:
        return bare[:end] + field + bare[end:]
    return bare + (b"\r\n" if bare and not bare.endswith(b"\n") else b"") + field + b"\r\n"
