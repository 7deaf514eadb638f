"""Search keys that look into texts: which contents of the mailbox hold them.

Both sides are folded (i;unicode-casemap and more, see ``mime.searchtext``). The store looks into
what was kept at ingest; where a body was too long to be kept whole and does not match, the text
itself is read and decoded again, one at a time, on a thread.

RFC 3501 §6.4.4 (BODY, FROM, HEADER, SENTON, TEXT and the like).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import date

from bridge.imap.search import Dated, Header, SearchKey, Text
from bridge.imapserver.session import Session
from bridge.mime.searchtext import body_text, fold, one_line, whole_text
from bridge.model import ContentId, MailboxId
from bridge.store.base import ReadTransaction
from bridge.store.messages import Part, TextField

Contents = frozenset[ContentId]

_FIELDS = {
    "bcc": TextField.BCC,
    "cc": TextField.CC,
    "from": TextField.FROM,
    "subject": TextField.SUBJECT,
    "to": TextField.TO,
}


async def texts_of(session: Session, key: SearchKey) -> Contents:
    """Return the contents of the selected mailbox that match a text key or a sent date."""
    mailbox = session.open.mailbox.id
    match key:
        case Text(field, needle) if field == "body":
            return await _body(session, mailbox, fold(needle))
        case Text(field, needle) if field == "text":
            folded = fold(needle)
            line = _folded_line(needle)
            in_header = await _field(session, mailbox, TextField.HEADER, line)
            in_header |= await _across_colon(session, mailbox, line)
            return in_header | await _body(session, mailbox, folded, whole_text)
        case Text(field, needle) if needle:
            return await _field(session, mailbox, _FIELDS[field], _folded_line(needle))
        case Text(field, _):
            return await _header(session, mailbox, field, "")
        case Header(name, needle):
            return await _header(session, mailbox, name.casefold(), _folded_line(needle))
        case Dated(how=how, day=day):
            return await _sent(session, mailbox, how, day)
    raise AssertionError(f"{key} looks into no text")


def _folded_line(needle: str) -> str:
    return one_line(fold(needle))


async def _field(session: Session, mailbox: MailboxId, field: TextField, needle: str) -> Contents:
    found, _ = await session.services.store.scan(
        lambda tx: tx.matching_text(mailbox, field, needle)
    )
    return frozenset(found)


async def _header(session: Session, mailbox: MailboxId, name: str, needle: str) -> Contents:
    """Look into a field as it is written; FROM and the like look at what it says to us too."""
    line = f"^{re.escape(name)}:.*{re.escape(needle)}"
    return await _lines(session, mailbox, re.compile(line, re.MULTILINE))


async def _across_colon(session: Session, mailbox: MailboxId, needle: str) -> Contents:
    """Look for a field's name and value as they are written: they are kept without the blank."""
    name, blank, value = needle.partition(": ")
    if not blank or ":" in name:
        return frozenset()
    line = f"^[^:\n]*{re.escape(name)}:{re.escape(value)}"
    return await _lines(session, mailbox, re.compile(line, re.MULTILINE))


async def _lines(session: Session, mailbox: MailboxId, line: re.Pattern[str]) -> Contents:
    """Look for a line of a header."""

    async def work(tx: ReadTransaction) -> Contents:
        headers = await tx.header_texts(mailbox)
        return frozenset(content for content, header in headers if line.search(header))

    return await session.services.store.scan(work)


async def _body(
    session: Session, mailbox: MailboxId, needle: str, read: Callable[[bytes], str] = body_text
) -> Contents:
    store = session.services.store
    found, unsure = await store.scan(lambda tx: tx.matching_text(mailbox, TextField.BODY, needle))
    hits = set(found)
    for content in unsure:
        if await _holds(session, content, needle, read):
            hits.add(content)
    return frozenset(hits)


async def _holds(
    session: Session, content: ContentId, needle: str, read: Callable[[bytes], str]
) -> bool:
    """Decode a text again, for its body is too long to be kept for searches."""
    rows = await session.services.store.scan(lambda tx: tx.pieces([content], [Part.RAW]))
    raws = [raw for _, raw in rows if isinstance(raw, bytes)]
    return await asyncio.to_thread(lambda: any(needle in read(raw) for raw in raws))


async def _sent(session: Session, mailbox: MailboxId, how: int, day: date) -> Contents:
    """Compare the Date field's day, whatever its time and zone; no day is before no other."""
    wanted = day.isoformat()

    async def work(tx: ReadTransaction) -> Contents:
        return frozenset(
            content for content, its in await tx.sent_days(mailbox) if _compare(its, how, wanted)
        )

    return await session.services.store.scan(work)


def _compare(its: str, how: int, wanted: str) -> bool:
    return its < wanted if how < 0 else its >= wanted if how > 0 else its == wanted
