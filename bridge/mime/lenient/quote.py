"""Strings as IMAP sends them: quoted where that is allowed and short, else literals.

RFCs: 3501 §4.3 and §9 (``string``, ``nstring``).
"""

from __future__ import annotations

import re

_PLAIN = re.compile(rb'[^"\\\r\n\0\x80-\xff]*')
_SPECIAL = re.compile(rb'(["\\])')
_NEEDS_LITERAL = re.compile(rb"[\r\n\x80-\xff]")
_MOST_ESCAPES = 4  # from the fifth on a literal is the shorter form
_READABLE = re.compile(rb'[^"\\\0\t\r\n\x80-\xff ]+(?: [^"\\\0\t\r\n\x80-\xff ]+)*')
_BLANKS = re.compile(rb"[ \t\r\n]+")
_BARE_LINE_END = re.compile(rb"[\r\n](?=[^ \t\r\n])")


def quote(value: bytes) -> bytes:
    """Return ``value`` as a quoted string or, where it has to or had better be, a literal."""
    if _PLAIN.fullmatch(value):
        return b'"%b"' % value
    if _NEEDS_LITERAL.search(value):
        return literal(value)
    quoted, escapes = _SPECIAL.subn(rb"\\\1", value)
    return literal(value) if escapes > _MOST_ESCAPES else b'"%b"' % quoted


def quote_or_nil(value: bytes | None) -> bytes:
    """Return ``value`` as ``quote`` does, None as NIL."""
    return b"NIL" if value is None else quote(value)


def quote_line(value: bytes | None) -> bytes:
    """Return a field's value without its folds, None as NIL.

    A line end before a blank or at the very end goes, another becomes a blank.
    """
    if value is None:
        return b"NIL"
    if b"\n" in value or b"\r" in value:
        value = _BARE_LINE_END.sub(b" ", value).translate(None, b"\r\n")
    return quote(value)


def quote_readable(value: bytes) -> bytes:
    """Return text for people (subjects, names): runs of blanks are one blank, none at the ends.

    Anything but plain words with single blanks between goes as a literal, untouched by quoting.
    """
    if _READABLE.fullmatch(value):
        return b'"%b"' % value
    words = _BLANKS.sub(b" ", value).strip(b" ")
    return literal(words) if words else b'""'


def literal(value: bytes) -> bytes:
    """Return ``value`` as a literal (RFC 3501 §4.3)."""
    return b"{%d}\r\n%b" % (len(value), value)
