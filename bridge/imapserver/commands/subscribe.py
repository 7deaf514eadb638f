"""SUBSCRIBE and UNSUBSCRIBE (RFC 3501 §6.3.6, §6.3.7)."""

from __future__ import annotations

from bridge.imap.commands import Subscribe
from bridge.imapserver.session import Session
from bridge.mailbox import hierarchy


async def subscribe(session: Session, command: Subscribe) -> str | None:
    """SUBSCRIBE and UNSUBSCRIBE; what can be no mailbox's name may only be dropped."""
    change = hierarchy.subscribe if command.on else hierarchy.unsubscribe
    await change(session.services.mailboxes, session.owner, command.mailbox)
    return None
