"""What a person can read of a whole message, as plain text. Pure."""

from __future__ import annotations

import re

from bridge.mime.ingest.searchtext import passages
from bridge.mime.lenient.split import split

_LINE_END = re.compile(r"\r\n|\r")


def readable_text(octets: bytes) -> str:
    """Return the first text of a message, without markup, with LF; "" if it has none."""
    for passage in passages(octets, split(octets)):
        if passage.part.is_text and passage.text.strip():
            return _LINE_END.sub("\n", passage.text)
    return ""
