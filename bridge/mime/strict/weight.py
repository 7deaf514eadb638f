"""How much of a message costs by the letter: all of it but files in base64, which cost little.

What is text goes through dozens of steps, of which each holds the interpreter for as long as it
takes. So a message with much of it is worked on elsewhere than one that carries a scanned deed.
"""

from __future__ import annotations

from bridge.mime.strict.field import Unreadable
from bridge.mime.strict.part import parse

_USUAL_HEADER_BYTES = 64 * 1024


def text_bytes(raw: bytes) -> int:
    """Return how many bytes of a message are not a file in base64; 0 if it cannot be sent."""
    beginning = raw[:_USUAL_HEADER_BYTES]
    if b"\n\r\n" not in beginning and b"\n\n" not in beginning:  # else finding out would cost, too
        return len(raw)
    try:
        parts = parse(raw).walk()
    except Unreadable:
        return 0
    return len(raw) - sum(
        one.end - one.start
        for one in parts
        if one.encoding == "base64" and not one.content_type.startswith("text/")
    )
