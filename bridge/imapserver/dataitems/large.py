"""The texts of one message of which much is asked, read and sent a piece at a time.

Nothing of it is held whole but what must be decoded (BINARY), and that is done on a thread; a
client that asks for a part, or a partial, makes no more be read than that. RFC 3501 §6.4.5, 3516.

Failure: inside a literal nothing can be said any more, so a store that fails ends the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from bridge.imap.sections import BinarySize, FetchItem, Section
from bridge.imapserver.dataitems.batch import LARGE_BYTES
from bridge.imapserver.dataitems.fields import BYTES_PER_WORK, fields_of
from bridge.imapserver.pace import WORK, CommandShare
from bridge.imapserver.reply import No
from bridge.imapserver.session import Session
from bridge.language import say
from bridge.mime.lenient.part import BodyPart, decode_parts
from bridge.mime.lenient.section import SectionText, decode_part, find_part, is_encoded, locate
from bridge.model import ContentId
from bridge.store.base import StoreFailed
from bridge.store.messages import Part

log = structlog.get_logger()

PIECE_BYTES = 4 * 1024 * 1024
"""Long enough that finding its start in the store does not count."""


SLICE_BYTES = 256 * 1024


class LargeMessage:
    """One message on its way out, of which more than ``LARGE_BYTES`` may be asked for."""

    def __init__(self, session: Session, content: ContentId, size_bytes: int) -> None:
        self._session = session
        self._pace = CommandShare(session.output)
        self._store = session.services.store
        self._content = content
        self._is_small = size_bytes <= LARGE_BYTES
        self._raw: bytes | None = None
        self._decoded: dict[tuple[int, ...], bytes] = {}

    async def send(self, head: bytes, items: Sequence[FetchItem], tail: bytes) -> None:
        """Send a FETCH line: ``head``, each text that ``items`` name, ``tail``."""
        texts = [item for item in items if isinstance(item, Section | BinarySize)]
        parts = await self._parts()
        for item in texts:  # a part that can't be decoded is said so before anything is sent
            if isinstance(item, BinarySize) or item.binary:
                await self._decode(item.path, parts)
        self._session.send(head)
        blank = b"" if head.endswith(b"(") else b" "
        for item in texts:
            self._session.send(blank)
            await self._send_item(item, parts)
            await self._pace.spend(WORK // 64)
            blank = b" "
        self._session.send(tail)

    async def _send_item(self, item: Section | BinarySize, parts: BodyPart) -> None:
        if isinstance(item, BinarySize):
            path = ".".join(map(str, item.path))
            where = locate(parts, item.path, SectionText.WHOLE)
            decoded = self._decoded.get(item.path)
            size_bytes = where.stop - where.start if decoded is None else len(decoded)
            self._session.send(f"BINARY.SIZE[{path}] {size_bytes}".encode())
        elif item.binary and item.path in self._decoded:
            await self._send_text(item, self._decoded[item.path])
        else:
            where = locate(parts, item.path, _section_text(item))
            if item.names:
                header = await self._read(where.start, where.stop - where.start)
                await self._send_text(item, await fields_of(header, item, self._pace))
            else:
                await self._send_span(item, where)

    async def _send_text(self, item: Section, text: bytes) -> None:
        if item.partial is not None:
            start, length = item.partial
            text = text[start : start + length]
        mark = b"~" if item.binary and b"\0" in text else b""
        self._session.send(item.shown.encode() + b" %b{%d}\r\n" % (mark, len(text)))
        await self._send_sliced(text)

    async def _send_span(self, item: Section, where: slice) -> None:
        start, stop = where.start, where.stop
        if item.partial is not None:
            start = min(start + item.partial[0], stop)
            stop = min(start + item.partial[1], stop)
        pieces = [(at, min(PIECE_BYTES, stop - at)) for at in range(start, stop, PIECE_BYTES)]
        mark = b""
        for at, length_bytes in pieces if item.binary else ():
            if b"\0" in await self._read(at, length_bytes):
                mark = b"~"
                break
        self._session.send(item.shown.encode() + b" %b{%d}\r\n" % (mark, stop - start))
        for at, length_bytes in pieces:
            try:
                text = await self._read(at, length_bytes)
            except StoreFailed as error:
                log.error("store_failed", command="FETCH", cause=str(error))
                self._session.output.hang_up("the store failed")
                raise ConnectionAbortedError("a literal was cut off") from error
            await self._send_sliced(text)

    async def _send_sliced(self, text: bytes) -> None:
        """Send a text so that others get their turn, even where it is compressed."""
        if len(text) < SLICE_BYTES:
            self._session.send(text)
            await self._pace.spend(len(text) // BYTES_PER_WORK)
            return
        for start in range(0, len(text), SLICE_BYTES):
            self._session.send(text[start : start + SLICE_BYTES])
            await self._session.output.give_way()

    async def _read(self, start: int, length_bytes: int) -> bytes:
        content = self._content
        if self._is_small and self._raw is None:  # many things are asked of it
            self._raw = await self._store.read(lambda tx: tx.raw(content, 0, LARGE_BYTES))
        if self._raw is not None:
            text = self._raw[start : start + length_bytes]
        else:
            text = await self._store.scan(lambda tx: tx.raw(content, start, length_bytes))
        if len(text) != length_bytes:
            raise StoreFailed(say("a text is shorter than it was"))
        return text

    async def _parts(self) -> BodyPart:
        content = self._content
        rows = await self._store.read(lambda tx: tx.pieces([content], [Part.PARTS]))
        if not rows or not isinstance(rows[0][1], bytes):
            raise No("the message is gone", "EXPUNGEISSUED")
        return await asyncio.to_thread(decode_parts, rows[0][1])

    async def _decode(self, path: tuple[int, ...], parts: BodyPart) -> None:
        """Have a part ready that is not sent as it lies there."""
        part = find_part(parts, path)
        if path in self._decoded or not is_encoded(part):
            return
        start = part.header_start if not path else part.body_start
        raw = await self._read(start, part.end - start)
        text = await asyncio.to_thread(decode_part, raw, part, whole=not path)
        if text is None:
            raise No("the part's transfer encoding is not known", "UNKNOWN-CTE")
        self._decoded[path] = text


def _section_text(item: Section) -> SectionText:
    return SectionText("HEADER" if item.text.startswith("HEADER") else item.text)
