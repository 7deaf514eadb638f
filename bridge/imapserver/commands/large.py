"""The texts of one large message, read and sent a piece at a time.

Nothing of it is held whole but what must be decoded (BINARY), and that is done on a thread; a
client that asks for a part, or a partial, makes no more be read than that. RFC 3501 §6.4.5, 3516.

Failure: inside a literal nothing can be said any more, so a store that fails ends the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from bridge.imap.sections import BinarySize, FetchItem, Section
from bridge.imapserver.reply import No
from bridge.imapserver.session import Session
from bridge.mime.header import header_fields
from bridge.mime.part import Part as PartOfMessage
from bridge.mime.part import decode_parts
from bridge.mime.section import SectionText, decode_section, locate
from bridge.model import ContentId
from bridge.store.base import StoreFailed
from bridge.store.messages import Part

log = structlog.get_logger()

LARGE_BYTES = 1024 * 1024
"""Messages over this are sent this way."""

PIECE_BYTES = 4 * 1024 * 1024
"""Long enough that finding its start in the store does not count."""


SLICE_BYTES = 256 * 1024


class LargeMessage:
    """One message of more than ``LARGE_BYTES`` on its way out."""

    def __init__(self, session: Session, content: ContentId) -> None:
        self._session = session
        self._store = session.services.store
        self._content = content
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
            blank = b" "
        self._session.send(tail)

    async def _send_item(self, item: Section | BinarySize, parts: PartOfMessage) -> None:
        if isinstance(item, BinarySize):
            path = ".".join(map(str, item.path))
            size_bytes = len(self._decoded[item.path])
            self._session.send(f"BINARY.SIZE[{path}] {size_bytes}".encode())
        elif item.binary:
            await self._send_text(item, self._decoded[item.path])
        else:
            where = locate(parts, item.path, _section_text(item))
            if item.names:
                header = await self._read(where.start, where.stop - where.start)
                names = frozenset(name.encode() for name in item.names)
                negate = item.text == "HEADER.FIELDS.NOT"
                await self._send_text(item, header_fields(header, names, negate))
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
        self._session.send(item.shown.encode() + b" {%d}\r\n" % (stop - start))
        for at in range(start, stop, PIECE_BYTES):
            try:
                text = await self._read(at, min(PIECE_BYTES, stop - at))
            except StoreFailed as error:
                log.error("store_failed", command="FETCH", cause=str(error))
                self._session.output.hang_up("the store failed")
                raise ConnectionAbortedError("a literal was cut off") from error
            await self._send_sliced(text)

    async def _send_sliced(self, text: bytes) -> None:
        """Send a text so that others get their turn, even where it is compressed."""
        for start in range(0, len(text), SLICE_BYTES):
            self._session.send(text[start : start + SLICE_BYTES])
            await self._session.output.drain()

    async def _read(self, start: int, length_bytes: int) -> bytes:
        content = self._content
        text = await self._store.scan(lambda tx: tx.raw(content, start, length_bytes))
        if len(text) != length_bytes:
            raise StoreFailed("a text is shorter than it was")
        return text

    async def _parts(self) -> PartOfMessage:
        content = self._content
        rows = await self._store.read(lambda tx: tx.pieces([content], [Part.PARTS]))
        if not rows or not isinstance(rows[0][1], bytes):
            raise No("the message is gone", "EXPUNGEISSUED")
        return decode_parts(rows[0][1])

    async def _decode(self, path: tuple[int, ...], parts: PartOfMessage) -> None:
        if path in self._decoded:
            return
        content = self._content
        ((_, raw),) = await self._store.scan(lambda tx: tx.pieces([content], [Part.RAW]))
        assert isinstance(raw, bytes)  # noqa: S101 - the store's column
        text = await asyncio.to_thread(decode_section, raw, parts, path)
        if text is None:
            raise No("the part's transfer encoding is not known", "UNKNOWN-CTE")
        self._decoded[path] = text


def _section_text(item: Section) -> SectionText:
    return SectionText("HEADER" if item.text.startswith("HEADER") else item.text)
