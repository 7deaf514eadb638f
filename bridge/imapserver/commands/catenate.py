"""CATENATE: a message put together from texts and from pieces of others (RFC 4469)."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.imap.url import MessageUrl, parse_url
from bridge.imapserver.commands.body import section_text
from bridge.imapserver.reply import No
from bridge.imapserver.session import Session
from bridge.model import ContentId
from bridge.store.messages import Part


async def catenated(session: Session, parts: Sequence[bytes | str]) -> bytes:
    """Return the whole text; a str among ``parts`` is the URL of a piece."""
    limit = session.services.append_limit_bytes
    texts: list[bytes] = []
    size_bytes = 0
    for part in parts:
        text = part if isinstance(part, bytes) else await _piece(session, part)
        size_bytes += len(text)
        if size_bytes > limit:
            raise No(f"a message has at most {limit} bytes", "TOOBIG")
        texts.append(text)
    return b"".join(texts)


async def _piece(session: Session, written: str) -> bytes:
    try:
        url = parse_url(written)
    except ValueError as fault:
        raise _bad(written, str(fault)) from None
    content = await _content(session, url, written)
    store = session.services.store
    rows = await store.scan(lambda tx: tx.pieces([content], [Part.RAW, Part.PARTS]))
    if not rows:
        raise _bad(written, "the message is gone")
    _, raw, parts = rows[0]
    assert isinstance(raw, bytes)  # noqa: S101 - the store's columns
    assert isinstance(parts, bytes)  # noqa: S101
    text = section_text(raw, parts, url.section)
    if url.partial is None:
        return text
    start, length = url.partial
    return text[start:] if length is None else text[start : start + length]


async def _content(session: Session, url: MessageUrl, written: str) -> ContentId:
    mailbox = await session.services.mailboxes.find(session.owner, url.mailbox)
    if mailbox is None or url.uid_validity not in (None, mailbox.uid_validity):
        raise _bad(written, "no such mailbox, or another UIDVALIDITY")
    index = await session.services.mailboxes.index(mailbox.id)
    at = index.position(url.uid)
    if at is None:
        raise _bad(written, "no such message")
    return ContentId(index.contents[at])


def _bad(written: str, why: str) -> No:
    shown = written.replace("\\", "\\\\").replace('"', '\\"')
    return No(why, f'BADURL "{shown}"')
