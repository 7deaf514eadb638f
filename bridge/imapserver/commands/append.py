"""APPEND (RFC 3501 §6.3.11), with several messages or pieces of others.

RFC 3502 (MULTIAPPEND), 4315 (UIDPLUS), 4469 (CATENATE), 7889 (APPENDLIMIT).
"""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from bridge.apart.process import ApartFailed, TooCostly
from bridge.imap.commands import Append, AppendMessage
from bridge.imap.sequence import format_numbers
from bridge.imapserver.commands.catenate import catenated
from bridge.imapserver.commands.flags import tell_ignored, wanted_flags
from bridge.imapserver.reply import No
from bridge.imapserver.session import Session
from bridge.mime.ingest import Ingested
from bridge.mime.lenient.nul import without_nul
from bridge.model import Flags

log = structlog.get_logger()


async def _prepared(
    session: Session, message: AppendMessage, flags: Flags
) -> tuple[Ingested, Flags, datetime]:
    """Return a message ready to be added, or say why it can't be."""
    limit, text = session.services.append_limit_bytes, message.text
    if message.parts:
        text = await catenated(session, message.parts)
    if len(text) > limit:
        raise No(f"a message has at most {limit} bytes", "TOOBIG")
    if not text:
        raise No("a message can't be empty")
    if b"\0" in text:
        written = await asyncio.to_thread(without_nul, text) if message.binary else None
        if written is None:
            raise No("a NUL is allowed in a literal8 only, in a binary part", "UNKNOWN-CTE")
        text = written
    try:
        ready = await session.services.mailboxes.prepare_large(session.owner, text)
    except TooCostly as fault:
        raise No(f"the message cannot be taken apart: {fault}", "LIMIT") from None
    except (ApartFailed, OSError) as fault:
        log.error("append_parse_failed", cause=str(fault))
        raise No("the message cannot be taken apart now, try again", "UNAVAILABLE") from None
    received_at = message.internal_date or session.services.clock.now()
    return ready, flags, received_at


async def append(session: Session, command: Append) -> str | None:
    """APPEND: all of its messages or none."""
    mailbox = await session.mailbox(command.mailbox, "TRYCREATE")
    wanted = [wanted_flags(message.flags) for message in command.messages]
    prepared: list[tuple[Ingested, Flags, datetime]] = []
    for message, one in zip(command.messages, wanted, strict=True):
        if prepared:
            await session.output.give_way()  # small ones are taken apart at once
        prepared.append(await _prepared(session, message, one.flags))
    rows = await session.services.mailboxes.append_many(mailbox.id, prepared)
    tell_ignored(session, frozenset().union(*(one.reserved for one in wanted)))
    uids = (
        ",".join(str(row.uid) for row in rows)
        if len(rows) == 1
        else format_numbers(sorted({row.uid for row in rows}))
    )
    return f"[APPENDUID {mailbox.uid_validity} {uids}] appended"
