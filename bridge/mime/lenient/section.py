"""Which bytes of a message a FETCH section names.

A section that names nothing is no error for IMAP: it is empty. Numbers go as Dovecot reads them:
a part that is not multipart has one part, 1, which is itself; what follows the number of a
message/rfc822 is looked for inside that message.

RFCs: 3501 §6.4.5 (section), 3516 §4.1 (BINARY).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TypeGuard

from bridge.mime.grammar.transfer import Encoding, decode_exactly, relabelled
from bridge.mime.lenient.part import BodyPart, PartKind


class SectionText(Enum):
    """What follows the part numbers in a section; WHOLE is nothing.

    HEADER stands for HEADER.FIELDS and HEADER.FIELDS.NOT too: their fields are picked out of it
    with ``grammar.header.header_fields``.
    """

    WHOLE = ""
    HEADER = "HEADER"
    TEXT = "TEXT"
    MIME = "MIME"


def find_part(root: BodyPart, numbers: Sequence[int]) -> BodyPart | None:
    """Return the part of a message with these numbers, the message itself for none."""
    part = root
    for depth, number in enumerate(numbers):
        last = depth == len(numbers) - 1
        if part.kind is PartKind.MULTIPART:
            if not 1 <= number <= len(part.children):
                return None
            part = part.children[number - 1]
        elif number != 1 or not (last or part.kind is PartKind.MESSAGE):
            return None
        if part.kind is PartKind.MESSAGE and not last:
            part = part.children[0]
    return part


def locate(root: BodyPart, numbers: Sequence[int], text: SectionText) -> slice:
    """Return where in the message ``BODY[numbers.text]`` is; an empty slice if nowhere."""
    part = find_part(root, numbers)
    if part is None:
        return slice(0, 0)
    if not numbers:
        return _of_message(part, text)
    if text is SectionText.WHOLE:
        return slice(part.body_start, part.end)
    if text is SectionText.MIME:
        return slice(part.header_start, part.body_start)
    if part.kind is not PartKind.MESSAGE:
        return slice(0, 0)
    return _of_message(part.children[0], text)


def _of_message(part: BodyPart, text: SectionText) -> slice:
    if text is SectionText.TEXT:
        return slice(part.body_start, part.end)
    end = part.end if text is SectionText.WHOLE else part.body_start
    return slice(part.header_start, end)


def is_encoded(part: BodyPart | None) -> TypeGuard[BodyPart]:
    """Say whether a part's content is not what lies in the message.

    A multipart or message is as it is: those must not be encoded (RFC 2045 §6.4).
    """
    return part is not None and not part.children and part.encoding is not Encoding.IDENTITY


def decode_section(raw: bytes, root: BodyPart, numbers: Sequence[int]) -> bytes | None:
    """Return ``BINARY[numbers]``, decoded; None if it can't be (RFC 3516 §4.3 UNKNOWN-CTE)."""
    part = find_part(root, numbers)
    if not is_encoded(part):
        return raw[locate(root, numbers, SectionText.WHOLE)]
    start = part.body_start if numbers else part.header_start
    return decode_part(raw[start : part.end], part, whole=not numbers)


def decode_part(raw: bytes, part: BodyPart, *, whole: bool) -> bytes | None:
    """Return the content of an encoded part, None if it can't be decoded.

    ``raw`` is its body, or with ``whole`` a message's header and body: what comes out says so in
    its header.
    """
    header_bytes = part.body_start - part.header_start if whole else 0
    decoded = decode_exactly(raw[header_bytes:], part.encoding)
    if decoded is None or not whole:
        return decoded
    return relabelled(raw[:header_bytes], b"binary") + decoded
