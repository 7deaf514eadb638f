"""The texts of a FETCH: BODY[…], BINARY[…], RFC822… of a batch of messages.

Sets of header fields are answered from the store once it has learned them: the first FETCH of a
set works it out from the headers, and has it kept for the next. Everything else is a slice of
the text along the part tree made at ingest (``mime.part``).

RFC 3501 §6.4.5; RFC 3516 §4 (BINARY).
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.imap.sections import BinarySize, FetchItem, Section
from bridge.imapserver.commands.column import Column, literals
from bridge.imapserver.reply import No
from bridge.imapserver.session import Session
from bridge.mime.header import header_fields
from bridge.mime.part import decode_parts
from bridge.mime.section import SectionText, decode_section, locate
from bridge.model import ContentId
from bridge.store.base import Transaction
from bridge.store.messages import Part


class BodyItems:
    """What a command asks of texts; ``load`` makes a batch ready."""

    def __init__(self, session: Session, items: Sequence[FetchItem]) -> None:
        self._session = session
        self._store = session.services.store
        self._items = [item for item in items if isinstance(item, Section | BinarySize)]
        self._fields = [item for item in self._items if _is_fields(item)]
        self._parts = _parts_needed([item for item in self._items if not _is_fields(item)])
        self.heavy = Part.RAW in self._parts

    async def columns(self, contents: Sequence[ContentId]) -> list[Column]:
        """Return the texts the command asks for, as columns over a batch."""
        if not self._items:
            return []
        texts = Texts()
        if self._parts:
            for row in await self._store.read(lambda tx: tx.pieces(contents, self._parts)):
                texts.add(row)
        for section in self._fields:
            texts.fields[section] = await self._fields_of(section, contents)
        return [texts.column(item, contents) for item in self._items]

    async def _fields_of(
        self, section: FetchItem, contents: Sequence[ContentId]
    ) -> dict[ContentId, bytes]:
        assert isinstance(section, Section)  # noqa: S101 - _is_fields said so
        key = " ".join(section.names)
        names = frozenset(name.encode() for name in section.names)
        negate = section.text == "HEADER.FIELDS.NOT"
        number = None if negate else await self._header_set(key)
        known: dict[ContentId, bytes] = {}
        if number is not None:
            known = await self._store.read(lambda tx: tx.header_fields(number, contents))
        missing = [content for content in contents if content not in known]
        if missing:
            rows = await self._store.read(lambda tx: tx.pieces(missing, [Part.HEADER]))
            found = [
                (ContentId(row[0]), header_fields(row[1], names, negate))
                for row in rows
                if isinstance(row[0], int) and isinstance(row[1], bytes)
            ]
            known.update(found)
            if number is not None:
                _keep(self._session, number, found)
        return known

    async def _header_set(self, key: str) -> int | None:
        sets = await self._store.read(lambda tx: tx.header_sets())
        if key in sets:
            return sets[key]
        if len(sets) >= HEADER_SET_LIMIT or len(key) > HEADER_SET_LIMIT_BYTES:
            return None
        return await self._store.write(lambda tx: tx.add_header_set(key))


HEADER_SET_LIMIT = 32
"""Sets the store learns: every mail client uses one or two."""

HEADER_SET_LIMIT_BYTES = 1000


def _keep(session: Session, number: int, found: Sequence[tuple[ContentId, bytes]]) -> None:
    async def work(tx: Transaction) -> None:
        await tx.keep_header_fields(number, found)

    session.services.background.start(session.services.store.write(work))


def _is_fields(item: FetchItem) -> bool:
    return (
        isinstance(item, Section)
        and item.text.startswith("HEADER.FIELDS")
        and not item.path
        and item.partial is None
    )


def _parts_needed(items: Sequence[Section | BinarySize]) -> list[Part]:
    """Return what to read of each message: its header, its text, or that and its structure."""
    if not items:
        return []
    if all(_is_whole(item, "HEADER") for item in items):
        return [Part.HEADER]
    return [Part.RAW] if all(_is_whole(item, "") for item in items) else [Part.RAW, Part.PARTS]


def _is_whole(item: FetchItem, text: str) -> bool:
    return isinstance(item, Section) and not item.path and not item.binary and item.text == text


class Texts:
    """A batch's texts, by content."""

    def __init__(self) -> None:
        self._raw: dict[int, bytes] = {}
        self._parts: dict[int, bytes] = {}
        self.fields: dict[FetchItem, dict[ContentId, bytes]] = {}

    def add(self, row: tuple[object, ...]) -> None:
        """Take in one content's pieces."""
        content, raw = row[0], row[1]
        assert isinstance(content, int)  # noqa: S101 - the store's columns
        assert isinstance(raw, bytes)  # noqa: S101
        self._raw[content] = raw
        if len(row) > 2:
            parts = row[2]
            assert isinstance(parts, bytes)  # noqa: S101
            self._parts[content] = parts

    def column(self, item: Section | BinarySize, contents: Sequence[ContentId]) -> Column:
        """Return one item of all messages."""
        if isinstance(item, BinarySize):
            name = "BINARY.SIZE[" + ".".join(map(str, item.path)) + "] %d"
            sizes = [len(self._decoded(content, item.path) or b"") for content in contents]
            return Column(name.encode(), (sizes,))
        if item in self.fields:
            found = self.fields[item]
            texts: list[bytes | None] = [found.get(content) for content in contents]
        elif item.binary:
            texts = [self._decoded(content, item.path) for content in contents]
        else:
            texts = [self._section(content, item) for content in contents]
        if item.partial is not None:
            start, length = item.partial
            texts = [text and text[start : start + length] for text in texts]
        return literals(item.shown, texts, binary=item.binary)

    def _section(self, content: ContentId, item: Section) -> bytes | None:
        raw = self._raw[content]
        if not item.path and not item.text:
            return raw
        stored = self._parts.get(content)
        if stored is None:
            return raw  # only whole headers were asked for, and read
        return section_text(raw, stored, item)

    def _decoded(self, content: ContentId, path: tuple[int, ...]) -> bytes | None:
        found = decode_section(self._raw[content], decode_parts(self._parts[content]), path)
        if found is None:
            raise No("the part's transfer encoding is not known", "UNKNOWN-CTE")
        return found


def section_text(raw: bytes, parts: bytes, item: Section) -> bytes:
    """Return the bytes of a text that a section names; empty if it names none."""
    text = SectionText("HEADER" if item.text.startswith("HEADER") else item.text)
    found = raw[locate(decode_parts(parts), item.path, text)]
    if not item.names:
        return found
    names = frozenset(name.encode() for name in item.names)
    return header_fields(found, names, item.text == "HEADER.FIELDS.NOT")
