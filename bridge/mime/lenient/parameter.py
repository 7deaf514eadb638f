"""``Content-Type`` and its relatives: a value, then parameters.

A parameter split by RFC 2231 (``name*0``, ``name*1*``) is put together; it keeps its ``*`` and
its percent signs if any piece had them, for IMAP shows it as it came. Pieces with a gap between
them stay apart under their own names. Faults are read over, as far as that can be done.

RFCs: 2045 §5.1, 2183 §2, 2231 §3 and §4, 3282 (Content-Language).
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import NamedTuple

from bridge.mime.grammar.lexer import BROKEN, END, MORE, Lexer

_TOKEN = rb"[A-Za-z0-9!#$%&'*+\-.^_`{|}~\x80-\xff]+"
_TYPE = re.compile(rb"[ \t]*(" + _TOKEN + rb")/(" + _TOKEN + rb")[ \t\r\n]*(?:\Z|(?=;))")
_PLAIN = re.compile(
    rb";[ \t\r\n]*([A-Za-z0-9\-_]+)=(?:\"([^\"\\\r\n\0]*)\"|("
    + _TOKEN
    + rb"))[ \t\r\n]*(?:\Z|(?=;))"
)
_PIECE = re.compile(rb"([^*]*)\*([0-9]*)(\*?)")
_LOOSE_TYPE = re.compile(rb"[ \t\r\n]*([A-Za-z]+)(?:[ \t]*/[ \t]*([A-Za-z0-9!#$&^_.+\-]+))?")
_LOOSE_PARAMETER = re.compile(
    rb"(?<![A-Za-z0-9*\-])([A-Za-z0-9*\-]++)[ \t]*+=[ \t]*+(?:\"([^\"]*+)\"|([^\s\";,]++))"
)
_LOOSE_BYTES = 1 << 12
_KINDS = frozenset(b"application audio font image message model text video".split())
_BROKEN_WORD = re.compile(rb"[^; \t\r\n\0]*")
_MOST_PARAMETERS = 10_000

Parameters = tuple[tuple[bytes, bytes], ...]


class ContentType(NamedTuple):
    """``kind/subkind`` as spelled; one or both empty if unreadable, then without parameters."""

    kind: bytes
    subkind: bytes
    parameters: Parameters


def parse_content_type(value: bytes) -> ContentType:
    """Read a Content-Type field's value (RFC 2045 §5.1)."""
    plain = _TYPE.match(value)
    if plain:
        if plain.end() == len(value):
            return ContentType(plain[1], plain[2], ())
        return ContentType(plain[1], plain[2], _parameters(Lexer(value), plain.end()))
    lexer = Lexer(value)
    kind, subkind = _type(lexer)
    parameters = _parameters(lexer, lexer.pos) if subkind else ()
    return ContentType(kind, subkind, parameters)


def readable_type(given: ContentType, value: bytes) -> ContentType:
    """Return what ``value``, of which ``parse_content_type`` made ``given``, was meant to say.

    ``text/html charset=utf-8`` lacks a semicolon, ``text;`` a subtype; what says nothing at all,
    or that there are parts which nobody found, is plain text (RFC 2045 §5.2).
    """
    if given.kind and given.subkind:
        return given
    loose = _LOOSE_TYPE.match(value[:_LOOSE_BYTES])
    kind, subkind = loose.groups(b"plain") if loose else (b"text", b"plain")
    if kind.lower() not in _KINDS:
        kind, subkind = b"text", b"plain"
    found = _LOOSE_PARAMETER.findall(value[:_LOOSE_BYTES])
    return ContentType(
        kind, subkind, tuple([(name, quoted or bare) for name, quoted, bare in found])
    )


def _type(lexer: Lexer) -> tuple[bytes, bytes]:
    """Read ``kind/subkind``; a word that ends the value is a kind without a subkind."""
    unreadable = b"", b""
    if lexer.blanks() != MORE:
        return unreadable
    status, kind = lexer.token()
    if status != MORE:
        return kind, b""
    if not kind or lexer.peek() != b"/":
        return unreadable
    lexer.pos += 1
    if lexer.blanks() != MORE:
        return unreadable
    status, subkind = lexer.token()
    if status == BROKEN or not subkind or lexer.peek() not in (b"", b";"):
        return unreadable
    return kind, subkind


def parse_disposition(value: bytes) -> tuple[bytes, Parameters] | None:
    """Read a Content-Disposition field's value (RFC 2183 §2); None if unreadable."""
    lexer = Lexer(value)
    lexer.blanks()
    status, disposition = lexer.token()
    if status == BROKEN:
        return None
    return disposition, _parameters(lexer, lexer.pos)


def parse_encoding(value: bytes) -> bytes | None:
    """Read a Content-Transfer-Encoding field's value; None if it is no single token."""
    lexer = Lexer(value)
    lexer.blanks()
    status, encoding = lexer.token()
    return encoding if status == END and encoding else None


def parse_languages(value: bytes) -> tuple[bytes, ...]:
    """Read a Content-Language field's value, as far as it is a list of words (RFC 3282 §2)."""
    lexer = Lexer(value)
    lexer.blanks()
    languages: list[bytes] = []
    while True:
        status, language = lexer.atom()
        if status == BROKEN:
            break
        languages.append(language)
        if lexer.peek() != b",":
            break
        lexer.pos += 1
        lexer.blanks()
    return tuple(languages)


def _parameters(lexer: Lexer, start: int) -> Parameters:
    """Read ``;name=value`` to the end, from ``start`` on."""
    found: list[tuple[bytes, bytes]] = []
    split = False
    while plain := _PLAIN.match(lexer.text, start):
        quoted = plain[2]
        found.append((plain[1], plain[3] if quoted is None else quoted))
        start = plain.end()
    lexer.pos = start
    while lexer.pos < lexer.end and len(found) < _MOST_PARAMETERS:
        parameter = _parameter(lexer)
        if parameter is None:
            lexer.pos += 1
        else:
            found.append(parameter)
            split = split or b"*" in parameter[0]
    return _joined(found) if split else tuple(found)


def _parameter(lexer: Lexer) -> tuple[bytes, bytes] | None:
    """Read one parameter; None if there is none here, with the position at the fault."""
    if lexer.peek() != b";":
        return None
    lexer.pos += 1
    if lexer.blanks() != MORE:
        return None
    status, name = lexer.token()
    if status != MORE or lexer.peek() != b"=":
        return None
    lexer.pos += 1
    status = lexer.blanks()
    value = b""
    if status == MORE:
        mark = lexer.peek()
        if mark == b'"':
            status, value = lexer.quoted_string()
        elif mark == b"=":
            value = _encoded_word(lexer)
        else:
            status, value = lexer.token()
    return None if status == BROKEN else (name, value)


def _encoded_word(lexer: Lexer) -> bytes:
    """Read ``=?utf-8?b?…?=``, which some mailers write without quotes (against RFC 2047 §5)."""
    word = _BROKEN_WORD.match(lexer.text, lexer.pos)
    read = word[0] if word else b""
    lexer.pos += len(read)
    return read


class _Piece(NamedTuple):
    name: bytes
    number: int
    extended: bool
    value: bytes


def _joined(found: list[tuple[bytes, bytes]]) -> Parameters:
    """Put split parameters together (RFC 2231 §3); they follow those that were whole."""
    whole: list[tuple[bytes, bytes]] = []
    pieces: list[_Piece] = []
    for name, value in found:
        piece = _PIECE.fullmatch(name)
        if piece is None:
            whole.append((name, value))
        else:
            extended = bool(piece[3]) or not piece[2]
            pieces.append(_Piece(piece[1], int(piece[2][:9] or b"0"), extended, value))
    pieces.sort(key=lambda piece: (piece.name, piece.number))
    for _name, group in groupby(pieces, key=lambda piece: piece.name.lower()):
        whole += _put_together(list(group))
    return tuple(whole)


def _put_together(pieces: list[_Piece]) -> list[tuple[bytes, bytes]]:
    if any(piece.number != position for position, piece in enumerate(pieces)):
        return [
            (b"%b*%d%b" % (piece.name, piece.number, b"*" if piece.extended else b""), piece.value)
            for piece in pieces
        ]
    if not any(piece.extended for piece in pieces):
        return [(pieces[0].name, b"".join(piece.value for piece in pieces))]
    values = [
        piece.value if piece.extended else piece.value.replace(b"%", b"%25") for piece in pieces
    ]
    opening = b"" if pieces[0].extended else b"''"
    return [(pieces[0].name + b"*", opening + b"".join(values))]
