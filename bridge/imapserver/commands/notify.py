"""NOTIFY: the command; what it starts is in ``imapserver.notifier`` (RFC 5465)."""

from __future__ import annotations

from bridge.imap.commands import Notify
from bridge.imapserver.notifier import SUPPORTED, Notifier
from bridge.imapserver.reply import No
from bridge.imapserver.session import Session

_KNOWN = frozenset(event.upper() for event in SUPPORTED)


async def notify(session: Session, command: Notify) -> str | None:
    """NOTIFY: each replaces the one before."""
    if any(group.events - _KNOWN for group in command.groups):
        raise No("not all of these events are offered", f"BADEVENT ({' '.join(SUPPORTED)})")
    if session.notifier is not None:
        session.notifier.stop()
        session.notify_by(None)
    if not command.groups:
        return None
    notifier = Notifier(session, command)
    if command.status:
        await notifier.send_statuses()
    notifier.start()
    session.notify_by(notifier)
    return None
