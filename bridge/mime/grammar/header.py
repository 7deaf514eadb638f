"""The header block of a message or part: where it ends, which fields it holds.

Reads what mailers really send: bare LF for CRLF, blanks before the colon, lines without a colon
(fields without a name, as far as anyone can tell), a block without a blank line after it.
Only a blank line ends a header. Takes bytes and gives bytes; never raises.

RFCs: 5322 §2.2, §4.5 (obsolete syntax); 3501 §6.4.5 (HEADER.FIELDS).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

_FIELD = re.compile(rb"([^:\n]*)(:?)([^\n]*(?:\n[ \t][^\n]*)*)\n?")
_NAMED_FIELD = rb"(?mi)^(?:%b)[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*\n?"
_ORDINARY_BYTES = 1 << 16
_MOST_FIELDS = 10_000  # read of one header; a block of millions of empty fields is no mail

Fields = list[tuple[bytes, bytes]]
"""Names in lower case, ``b""`` where a line has no colon, and values: without the blanks in front
and the line end behind; folds stay in as LF and the blank after it."""


def read_fields(header: bytes) -> Fields:
    """Return the fields of a header block, in order, with or without its blank line."""
    found: Iterable[tuple[bytes, ...]]
    if len(header) < _ORDINARY_BYTES:
        found = _FIELD.findall(header)
    else:
        found = (match.groups() for match in islice(_FIELD.finditer(header), _MOST_FIELDS))
    fields = []
    for name, colon, rest in found:
        if colon:
            fields.append((name.rstrip(b" \t").lower(), _value(rest)))
        elif name and name != b"\r":
            fields.append((b"", _value(name + rest)))
    return fields


def _value(rest: bytes) -> bytes:
    if b"\r" in rest:
        rest = rest.removesuffix(b"\r").replace(b"\r\n", b"\n")
    value = rest.lstrip(b" \t")
    if not value or value.startswith(b"\n"):
        return rest[1:] if rest.startswith((b" ", b"\t")) else rest
    return value


def unfold(value: bytes) -> bytes:
    """Return a field's value in one line: a fold is the blank that makes it (RFC 5322 §2.2.3)."""
    return value.replace(b"\n", b"") if b"\n" in value else value


def header_fields(header: bytes, names: frozenset[bytes], negate: bool) -> bytes:
    """Return those fields of ``header`` that have (with ``negate``: have not) one of ``names``.

    Fields keep their bytes and order; the header's blank line, if it has one, stays at the end
    (RFC 3501 §6.4.5).

    Args:
        header: a whole header block.
        names: field names in upper case.
        negate: for HEADER.FIELDS.NOT.
    """
    if negate:
        kept = [match[0] for match in _FIELD.finditer(header) if _name(match) not in names]
        return b"".join(kept)
    if not names:
        return _blank_line(header)
    wanted = b"|".join(sorted(re.escape(name) for name in names))
    found = re.findall(_NAMED_FIELD % wanted, header)
    return b"".join(found) + _blank_line(header)


def _name(field: re.Match[bytes]) -> bytes:
    return field[1].rstrip(b" \t").upper() if field[2] else b""


def _blank_line(header: bytes) -> bytes:
    if header.endswith(b"\n\r\n") or header == b"\r\n":
        return b"\r\n"
    return b"\n" if header.endswith(b"\n\n") or header == b"\n" else b""
