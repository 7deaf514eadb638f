"""What each side can do and is: CAPABILITY, ENABLE, ID.

RFC 3501 §6.1.1; RFC 5161 (ENABLE); RFC 2971 (ID).
"""

from __future__ import annotations

import structlog

from bridge.imap import responses
from bridge.imap.commands import Enable, Id, Plain
from bridge.imapserver.capability import capabilities
from bridge.imapserver.session import SERVER_NAME, Session

log = structlog.get_logger()

ENABLEABLE = {
    "CONDSTORE": "CONDSTORE",
    "IMAP4REV2": "IMAP4rev2",
    "QRESYNC": "QRESYNC",
    "UTF8=ACCEPT": "UTF8=ACCEPT",
}


SHOWN = 100
"""How much of what a client says about itself goes into the log."""


async def capability(session: Session, command: Plain) -> str | None:
    """CAPABILITY."""
    session.send(b"* CAPABILITY " + capabilities(session).encode() + b"\r\n")
    return None


async def enable(session: Session, command: Enable) -> str | None:
    """ENABLE: what is not known is passed over (RFC 5161 §3.1)."""
    enabled = [name for name in command.capabilities if name in ENABLEABLE]
    session.enable(enabled)
    shown = " ".join(ENABLEABLE[name] for name in dict.fromkeys(enabled))
    session.send(f"* ENABLED {shown}".rstrip().encode() + b"\r\n")
    return None


async def identify(session: Session, command: Id) -> str | None:
    """ID: says what we are; what the client is goes to the log."""
    if command.fields:
        known = {name.casefold(): (value or "")[:SHOWN] for name, value in command.fields}
        shown = {name: known[name] for name in ("name", "version", "os") if name in known}
        log.debug("imap_client", peer=session.peer, **{f"client_{k}": v for k, v in shown.items()})
    session.send(b'* ID ("name" ' + responses.string(SERVER_NAME) + b")\r\n")
    return None
