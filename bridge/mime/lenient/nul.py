"""A message with NULs in it, as BINARY lets a client append, made fit to be shown without.

IMAP has no NUL outside a literal8, so ``BODY[…]`` needs another form: each part that holds one
gets base64, and its header says so. Pure; never raises.

RFCs: 3516 §4.4 (APPEND of binary), 2045 §6.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from bridge.mime.grammar.transfer import Encoding, encoding_of, relabelled
from bridge.mime.lenient.split import Entity, split


def without_nul(raw: bytes) -> bytes | None:
    """Return ``raw`` with base64 where NULs were; None where no encoding can hide one.

    That is a NUL in a header, between parts, or in a part that is encoded otherwise.
    """
    if b"\0" not in raw:
        return raw
    pieces: list[bytes] = []
    at = 0
    for part in _leaves(split(raw)):
        body = raw[part.body_start : part.end]
        if b"\0" not in body:
            continue
        if encoding_of(part.fields) is not Encoding.IDENTITY:
            return None
        header = relabelled(raw[part.header_start : part.body_start], b"base64")
        pieces += [
            raw[at : part.header_start],
            header,
            _encoded(body, is_whole=part.parent is None),
        ]
        at = part.end
    written = b"".join([*pieces, raw[at:]])
    return None if b"\0" in written else written


def _leaves(part: Entity) -> Iterator[Entity]:
    waiting = [part]
    while waiting:
        part = waiting.pop()
        if not part.children:
            yield part
        waiting += reversed(part.children)


def _encoded(body: bytes, *, is_whole: bool) -> bytes:
    lines = base64.encodebytes(body).replace(b"\n", b"\r\n")
    return lines if is_whole else lines.removesuffix(b"\r\n")
