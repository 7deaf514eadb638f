"""CATENATE: a message put together from texts and from pieces of others (RFC 4469)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bridge.imap.url import MessageUrl, parse_url
from bridge.imapserver.dataitems.fields import fields_of
from bridge.imapserver.pace import CommandShare
from bridge.imapserver.reply import No
from bridge.imapserver.session import Session
from bridge.mime.lenient.part import BodyPart, decode_parts
from bridge.mime.lenient.section import SectionText, locate
from bridge.model import ContentId
from bridge.store.messages import Part


async def catenated(session: Session, parts: Sequence[bytes | str]) -> bytes:
    """Return the whole text; a str among ``parts`` is the URL of a piece."""
    limit = session.services.append_limit_bytes
    pieces = _Pieces(session)
    texts: list[bytes] = []
    size_bytes = 0
    for part in parts:
        left_bytes = limit - size_bytes
        text = part if isinstance(part, bytes) else await pieces.read(part, left_bytes)
        size_bytes += len(text)
        if size_bytes > limit:
            raise _too_large(limit)
        texts.append(text)
    return b"".join(texts)


def _too_large(limit: int) -> No:
    return No(f"a message has at most {limit} bytes", "TOOBIG")


class _Pieces:
    """Pieces of stored messages; each one's structure is read once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pace = CommandShare(session.output)
        self._trees: dict[ContentId, BodyPart] = {}

    async def read(self, written: str, most_bytes: int) -> bytes:
        """Return the piece that a URL names; one over ``most_bytes`` is not read."""
        try:
            url = parse_url(written)
        except ValueError as fault:
            raise _bad(written, str(fault)) from None
        content = await _content(self._session, url, written)
        text = SectionText("HEADER" if url.section.names else url.section.text)
        where = locate(await self._tree(content, written), url.section.path, text)
        if url.section.names:
            header = await self._raw(content, where)
            return _partial(await fields_of(header, url.section, self._pace), url.partial)
        start, length = url.partial or (0, None)
        start = min(where.start + start, where.stop)
        stop = where.stop if length is None else min(start + length, where.stop)
        if stop - start > most_bytes:
            raise _too_large(self._session.services.append_limit_bytes)
        return await self._raw(content, slice(start, stop))

    async def _tree(self, content: ContentId, written: str) -> BodyPart:
        if content not in self._trees:
            store = self._session.services.store
            rows = await store.scan(lambda tx: tx.pieces([content], [Part.PARTS]))
            if not rows:
                raise _bad(written, "the message is gone")
            parts = rows[0][1]
            assert isinstance(parts, bytes)  # noqa: S101 - the store's column
            self._trees[content] = await asyncio.to_thread(decode_parts, parts)
        return self._trees[content]

    async def _raw(self, content: ContentId, where: slice) -> bytes:
        start, length_bytes = where.start, where.stop - where.start
        return await self._session.services.store.scan(
            lambda tx: tx.raw(content, start, length_bytes)
        )


def _partial(text: bytes, partial: tuple[int, int | None] | None) -> bytes:
    start, length = partial or (0, None)
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
