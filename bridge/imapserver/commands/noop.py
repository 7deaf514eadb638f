"""Commands that do nothing themselves, or nothing more: NOOP, CHECK, LOGOUT (RFC 3501 §6.1)."""

from __future__ import annotations

from bridge.imap.commands import Plain
from bridge.imapserver.session import Session


async def noop(session: Session, command: Plain) -> str | None:
    """NOOP, CHECK: pending changes are told after any command."""
    await session.look()
    return None


async def logout(session: Session, command: Plain) -> str | None:
    """LOGOUT."""
    await session.deselect()
    session.end()
    session.send(b"* BYE see you\r\n")
    return None
