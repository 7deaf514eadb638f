"""What changes the wire after its reply: STARTTLS, COMPRESS.

RFC 3501 §6.2.1; RFC 4978 (COMPRESS).
"""

from __future__ import annotations

from bridge.imap.commands import Compress, Plain
from bridge.imapserver.reply import Bad, No
from bridge.imapserver.session import Session


async def start_tls(session: Session, command: Plain) -> str | None:
    """STARTTLS."""
    if not session.output.can_start_tls:
        raise Bad("TLS is on already, or not offered")
    session.output.start_tls()
    return "begin TLS now"


async def compress(session: Session, command: Compress) -> str | None:
    """COMPRESS DEFLATE (RFC 4978)."""
    if command.mechanism != "DEFLATE":
        raise No("only DEFLATE is offered")
    if not session.output.can_compress:
        raise No("compression is on already, or not offered here", "COMPRESSIONACTIVE")
    session.output.compress()
    return "DEFLATE is on"
