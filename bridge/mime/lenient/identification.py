"""Message ids, and the fields that are made of them.

Quotes in a local part that mean nothing are taken away (RFC 5256 §2.2), so that ids are equal as
text when they are equal. Ids without an ``@`` are taken too: old programs write them, and threads
hang together by them as well as by others.

RFCs: 5322 §3.6.4, 5256 §2.2.
"""

from __future__ import annotations

import re
from typing import Final

MOST_REFERENCES: Final = 1000
"""Kept of a message's References: the thread's root and the latest, as RFC 5322 §3.6.4 advises."""

_ID = re.compile(rb"<([^<>]{1,998})>")
_BLANKS = re.compile(r"\s+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(@.*)?', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_DOT_ATOM = re.compile(r"[^\s\"(),.:;<>@\[\\\]]+(?:\.[^\s\"(),.:;<>@\[\\\]]+)*")


def message_ids(value: bytes) -> tuple[str, ...]:
    """Return the message ids in a field's value, angle brackets included, in order."""
    found = (_normal(inner) for inner in _ID.findall(value))
    ids = tuple([f"<{inner}>" for inner in found if inner])
    if len(ids) > MOST_REFERENCES:
        return (ids[0], *ids[1 - MOST_REFERENCES :])
    return ids


def _normal(inner: bytes) -> str:
    text = inner.decode("utf-8", "replace").replace("\0", "")
    quoted = _QUOTED.fullmatch(text.strip())
    if quoted:
        local = _ESCAPED.sub(r"\1", quoted[1])
        if _DOT_ATOM.fullmatch(local):
            return local + _BLANKS.sub("", quoted[2] or "")
        return text.strip()
    return _BLANKS.sub("", text)
