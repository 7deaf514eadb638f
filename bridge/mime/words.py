"""Encoded words (RFC 2047) in text that the API gives, as the characters they stand for. Pure.

The API is expected to give plain text; where it passes on a header as it was, this reads it. What
cannot be decoded stays as it is.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64

_WORD = re.compile(r"=\?([A-Za-z0-9_.:-]{1,40})(?:\*[A-Za-z-]*)?\?([bBqQ])\?([!->@-~]*)\?=")
_BETWEEN = re.compile(r"(\?=)\s+(?==\?[A-Za-z0-9_.:-]{1,40}(?:\*[A-Za-z-]*)?\?[bBqQ]\?)")
_OCTET = re.compile(rb"=([0-9A-Fa-f]{2})")


def decode_words(text: str) -> str:
    """Return ``text`` with its encoded words decoded."""
    if "=?" not in text:
        return text
    return _WORD.sub(_decoded, _BETWEEN.sub(r"\1", text))


def _decoded(match: re.Match[str]) -> str:
    charset, encoding, payload = match.groups()
    try:
        if encoding in "bB":
            octets = a2b_base64(payload + "=" * (-len(payload) % 4))
        else:
            spaced = payload.replace("_", " ").encode("ascii")
            octets = _OCTET.sub(lambda one: bytes((int(one[1], 16),)), spaced)
        return octets.decode(charset, "replace")
    except (Error, LookupError, ValueError):
        return match.group()
