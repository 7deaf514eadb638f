"""BODY and BODYSTRUCTURE of a message, wire-ready.

A part that was left whole for being too deep or one too many shows as application/octet-stream;
a multipart in which no part was found shows one empty text, for IMAP wants one.

RFCs: 3501 §7.4.2; 2045, 2046; 1864 (Content-MD5); 2557 (Content-Location).
"""

from __future__ import annotations

from bridge.mime.grammar.header import Fields
from bridge.mime.lenient.envelope import ImapEnvelope
from bridge.mime.lenient.parameter import (
    Parameters,
    parse_disposition,
    parse_encoding,
    parse_languages,
)
from bridge.mime.lenient.part import PartKind
from bridge.mime.lenient.quote import quote, quote_line
from bridge.mime.lenient.split import Entity

_NO_PART = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0%b)'
_NIL_EXTENSION = b" NIL NIL NIL NIL"
_NUL = "\N{REPLACEMENT CHARACTER}".encode()


class _Content:
    """What a part's Content fields say; the first of a name counts."""

    __slots__ = ("disposition", "encoding", "languages", "lines", "parameters")

    def __init__(self, fields: Fields) -> None:
        self.encoding: bytes | None = None
        self.disposition: bytes | None = None
        self.parameters: Parameters = ()
        self.languages: tuple[bytes, ...] = ()
        self.lines: dict[bytes, bytes] = {}
        for name, value in fields:
            if name.startswith(b"content-"):
                self._take(name, value)

    def _take(self, name: bytes, value: bytes) -> None:
        if name == b"content-transfer-encoding":
            self.encoding = self.encoding or parse_encoding(value)
        elif name == b"content-disposition":
            if not self.parameters:
                found = parse_disposition(value)
                if found:
                    self.disposition, self.parameters = found
        elif name == b"content-language":
            self.languages = self.languages or parse_languages(value)
        elif name != b"content-type":
            self.lines.setdefault(name, value.replace(b"\0", _NUL))

    def line(self, name: bytes) -> bytes:
        """Return a field as nstring."""
        return quote_line(self.lines.get(name))

    def extension(self) -> bytes:
        """Return disposition, language and location, each with a blank before it."""
        disposition = b"NIL"
        if self.disposition is not None:
            disposition = b"(%b %b)" % (quote(self.disposition), _parameters(self.parameters))
        languages = b"NIL"
        if self.languages:
            languages = b"(%b)" % b" ".join(map(quote, self.languages))
        return b" %b %b %b" % (disposition, languages, self.line(b"content-location"))


_NO_CONTENT = _Content([])


def structures(raw: bytes, part: Entity) -> tuple[bytes, bytes]:
    """Return BODY and BODYSTRUCTURE of a message or part."""
    content = _Content(part.fields) if part.is_mime else _NO_CONTENT
    if part.kind is PartKind.MULTIPART:
        return _multipart(raw, part, content)
    plain, extended = _single(raw, part, content)
    return b"(%b)" % plain, b"(%b %b%b)" % (
        extended,
        content.line(b"content-md5"),
        content.extension(),
    )


def _multipart(raw: bytes, part: Entity, content: _Content) -> tuple[bytes, bytes]:
    children = [structures(raw, child) for child in part.children] or [
        (_NO_PART % b"", _NO_PART % _NIL_EXTENSION)
    ]
    subkind, parameters = b"", b"NIL"
    if part.content_type:
        subkind = quote(part.content_type.subkind)
        parameters = _parameters(part.content_type.parameters)
    plain = b"".join([child[0] for child in children])
    extended = b"".join([child[1] for child in children])
    return b"(%b %b)" % (plain, subkind), b"(%b %b %b%b)" % (
        extended,
        subkind,
        parameters,
        content.extension(),
    )


def _single(raw: bytes, part: Entity, content: _Content) -> tuple[bytes, bytes]:
    common = b"%b %b %b %b %d" % (
        _kind(part),
        content.line(b"content-id"),
        content.line(b"content-description"),
        quote(content.encoding) if content.encoding else b'"7bit"',
        part.end - part.body_start,
    )
    if part.kind is PartKind.MESSAGE:
        child = part.children[0]
        inner_plain, inner_extended = structures(raw, child)
        lines = _body_lines(raw, part)
        envelope = ImapEnvelope(child.fields).wire()
        start = b"%b %b " % (common, envelope)
        return b"%b%b %d" % (start, inner_plain, lines), b"%b%b %d" % (start, inner_extended, lines)
    if part.is_text:
        common = b"%b %d" % (common, _body_lines(raw, part))
    return common, common


def _kind(part: Entity) -> bytes:
    """Return type, subtype and parameters."""
    parameters = _parameters(part.content_type.parameters) if part.content_type else b"NIL"
    if part.kind is PartKind.MESSAGE:
        return b'"message" "rfc822" ' + parameters
    if part.is_text:
        return _text_kind(part)
    if part.content_type is None or part.is_cut():
        return b'"application" "octet-stream" ' + parameters
    return b"%b %b %b" % (
        quote(part.content_type.kind),
        quote(part.content_type.subkind),
        parameters,
    )


def _text_kind(part: Entity) -> bytes:
    """Return the same for a text, which always says its charset (RFC 2045 §5.2)."""
    if part.content_type is None:
        return b'"text" "plain" ("charset" "us-ascii")'
    kind, subkind, parameters = part.content_type
    if not any(name.lower() == b"charset" for name, _value in parameters):
        parameters = (*parameters, (b"charset", b"us-ascii"))
    return b"%b %b %b" % (quote(kind), quote(subkind), _parameters(parameters))


def _parameters(parameters: Parameters) -> bytes:
    if not parameters:
        return b"NIL"
    return b"(%b)" % b" ".join(
        [b"%b %b" % (quote(name), quote(value)) for name, value in parameters]
    )


def _body_lines(raw: bytes, part: Entity) -> int:
    """Return how many line ends a part's body has, counting nothing twice."""
    if part.lines < 0:
        at, lines = part.body_start, 0
        for child in part.children:
            lines += raw.count(b"\n", at, child.body_start) + _body_lines(raw, child)
            at = child.end
        part.lines = lines + raw.count(b"\n", at, part.end)
    return part.lines
