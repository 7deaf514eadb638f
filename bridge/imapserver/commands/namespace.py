"""NAMESPACE (RFC 2342)."""

from __future__ import annotations

from bridge.imap.commands import Plain
from bridge.imapserver.session import Session


async def namespace(session: Session, command: Plain) -> str | None:
    """NAMESPACE: one, personal."""
    session.send(b'* NAMESPACE (("" "/")) NIL NIL\r\n')
    return None
