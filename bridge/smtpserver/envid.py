"""ENVID, by which a client names an envelope (RFC 3461 §4.4): its reference, too. Pure.

It was always taken without effect, and programs send what they like in it: what is malformed names
nothing, and is no reason to refuse a message.
"""

from __future__ import annotations

import re

from bridge.smtpserver.path import Path

ENVID_LIMIT_CHARS = 100
"""RFC 3461 §4.4, as encoded."""

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_HEXCHAR = re.compile(r"\+([0-9A-F]{2})")


def envid_of(path: Path) -> str:
    """Return what the ENVID of MAIL says, "" if it says nothing that can be shown."""
    given = path.parameters.get("ENVID", "")
    if len(given) > ENVID_LIMIT_CHARS or not _XTEXT.fullmatch(given):
        return ""
    envid = _HEXCHAR.sub(lambda pair: chr(int(pair[1], 16)), given)
    return envid.strip() if envid.isascii() and envid.isprintable() else ""
