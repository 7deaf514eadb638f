"""IDLE (RFC 2177): a client is told of changes as they come."""

from __future__ import annotations

import asyncio

from bridge.imap.commands import Plain
from bridge.imapserver.reply import Bad
from bridge.imapserver.session import Session, SessionState


async def idle(session: Session, command: Plain) -> str | None:
    """IDLE: changes are told as they come, until DONE."""
    loop = asyncio.get_running_loop()
    scheduled = False

    def tell() -> None:
        nonlocal scheduled
        scheduled = False
        if session.state is SessionState.LOGOUT or session.output.backed_up:
            return
        if session.notifier is not None:
            session.notifier.wake()
        else:
            session.tell_changes(allow_expunge=True)
            if session.selected is not None and session.selected.view.behind:
                update()

    def update() -> None:
        nonlocal scheduled
        if not scheduled:
            scheduled = True
            loop.call_soon(tell)

    session.send(b"+ idling\r\n")
    try:
        with session.idle(update):
            tell()
            line = await session.output.read_line()
    finally:
        if session.notifier is not None:
            await session.notifier.quiet()
    if line.strip().upper() != b"DONE":
        raise Bad("DONE expected")
    return None
