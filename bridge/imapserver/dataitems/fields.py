"""HEADER.FIELDS of headers of any length, in pieces, so that nobody waits for a long one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.imap.sections import Section
from bridge.imapserver.pace import CommandShare
from bridge.mime.grammar.header import header_fields

PIECE_BYTES = 32 * 1024
BYTES_PER_WORK = 32
"""A field of so many bytes is looked at in one unit of work."""

_NEXT_FIELD = re.compile(rb"\n(?=[^ \t\r\n])")


async def fields_of(header: bytes, section: Section, pace: CommandShare) -> bytes:
    """Return the fields of a header that ``section`` names (RFC 3501 §6.4.5)."""
    names = frozenset(name.encode() for name in section.names)
    negate = section.text == "HEADER.FIELDS.NOT"
    found = []
    for piece in _pieces(header):
        found.append(header_fields(piece, names, negate))
        await pace.spend(100 + len(names) + len(piece) // BYTES_PER_WORK)
    return b"".join(found)


def _pieces(header: bytes) -> Iterator[bytes]:
    """Yield a header in pieces that end where a field does; the last one has the blank line."""
    start = 0
    while len(header) - start > PIECE_BYTES:
        end = _NEXT_FIELD.search(header, start + PIECE_BYTES)
        if end is None:
            break
        yield header[start : end.end()]
        start = end.end()
    yield header[start:]
