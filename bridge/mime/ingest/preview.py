"""The first words of a message, as a list of messages shows them.

RFC 8970: at most 200 characters, readable, without markup. Taken from the first part that is
text and no attachment; what the sender only quotes is passed over if he wrote anything himself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from bridge.mime.ingest.searchtext import Passage, media_type, storable
from bridge.mime.lenient.parameter import parse_disposition
from bridge.mime.lenient.split import Entity

MOST_CHARACTERS: Final = 200
_MOST_READ = 1 << 14  # characters looked at for something that the sender wrote himself
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]+"
)


def preview(found: Iterable[Passage]) -> str:
    """Return a preview of the message these texts are from, "" if there is nothing to show."""
    for part, _heading, _names, text in found:
        words = _words(text) if text and _is_shown(part) else ""
        if words:
            return words
    return ""


def _is_shown(part: Entity) -> bool:
    kind, subkind, _parameters = media_type(part)
    is_text = kind.lower() == b"text" and subkind.lower() in (b"", b"plain", b"html")
    return is_text and not _is_attachment(part)


def _is_attachment(part: Entity) -> bool:
    for name, value in part.fields:
        if name == b"content-disposition":
            disposition = parse_disposition(value)
            return disposition is not None and disposition[0].lower() == b"attachment"
    return False


def _words(text: str) -> str:
    lines = text[:_MOST_READ].splitlines()
    own = [line for line in lines if not line.startswith(">")]
    return _cut(own) or _cut(lines)


def _cut(lines: list[str]) -> str:
    kept: list[str] = []
    size = 0
    for line in lines:
        words = " ".join(_UNSEEN.sub(" ", storable(line)).split())
        if words:
            kept.append(words)
            size += len(words) + 1
        if size > MOST_CHARACTERS:
            break
    return " ".join(kept)[:MOST_CHARACTERS].rstrip()
