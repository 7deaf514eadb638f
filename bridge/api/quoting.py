"""Text in the API's JSON: plain ASCII, which means the same whatever charset is assumed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

TEXT_SLICE_CHARS = 32 * 1024

_SURROGATE = re.compile("[\ud800-\udfff]")


def within_quotes(text: str) -> Iterator[bytes]:
    """Give a text as it stands between the quotes of JSON, a slice at a time."""
    for at in range(0, len(text), TEXT_SLICE_CHARS):
        yield dump(text[at : at + TEXT_SLICE_CHARS])[1:-1]


def dump(text: str) -> bytes:
    """Return a text with its quotes."""
    return json.dumps(_SURROGATE.sub("\ufffd", text)).encode("ascii")
