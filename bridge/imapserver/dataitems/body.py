"""The texts of a FETCH: BODY[…], BINARY[…], RFC822… of a batch of messages.

Sets of header fields are answered from the store once it has learned them: the first FETCH of a
set works it out from the headers, and has it kept for the next. Everything else is a slice of
the text along the part tree made at ingest (``mime.lenient.part``).

RFC 3501 §6.4.5; RFC 3516 §4 (BINARY).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard, cast

from bridge.imap.sections import BinarySize, FetchItem, Section
from bridge.imapserver.dataitems.ahead import ReadAhead
from bridge.imapserver.dataitems.column import Column, literals
from bridge.imapserver.dataitems.fields import fields_of
from bridge.imapserver.pace import CommandShare
from bridge.imapserver.reply import No
from bridge.imapserver.session import Session
from bridge.mime.grammar.header import header_fields
from bridge.mime.lenient.part import BodyPart, decode_parts
from bridge.mime.lenient.section import SectionText, decode_section, locate
from bridge.model import ContentId
from bridge.store.base import ReadWork, Transaction
from bridge.store.messages import Part

MOST_BYTES = 1024 * 1024
"""Headers, or pieces, that are read at once."""

Row = tuple[object, ...]


async def read_columns(
    session: Session,
    ahead: ReadAhead,
    contents: Sequence[ContentId],
    parts: Sequence[Part],
    most_bytes: int,
) -> tuple[int, Sequence[Sequence[object]]]:
    """Do as ``read_pieces``; return the pieces as a column for each part, in the order wanted.

    Args:
        session: whose store is read.
        ahead: what was read of it before.
        contents: what is wanted, in the order of the answer.
        parts: which parts of each.
        most_bytes: as much as the pieces may take together.
    """
    rows = await ahead.read(tuple(parts), contents, _pieces(contents, parts, most_bytes))
    if len(rows) == len(contents):
        ids, *columns = zip(*rows, strict=True)
        if ids == tuple(contents):  # the usual case
            return len(contents), columns
    count, found = await _in_order(session, contents, parts, most_bytes, rows)
    _, *columns = zip(*(found[content] for content in contents[:count]), strict=True)
    return count, columns


def begin_columns(
    ahead: ReadAhead, contents: Sequence[ContentId], parts: Sequence[Part], most_bytes: int
) -> None:
    """Begin what ``read_columns`` is about to be asked for.

    Args:
        ahead: what is read before.
        contents: what is wanted, in the order of the answer.
        parts: which parts of each.
        most_bytes: as much as the pieces may take together.
    """
    ahead.begin(tuple(parts), contents, _pieces(contents, parts, most_bytes))


def _pieces(
    contents: Sequence[ContentId], parts: Sequence[Part], most_bytes: int | None = None
) -> ReadWork[list[Row]]:
    return lambda tx: tx.pieces(contents, parts, most_bytes)


async def read_pieces(
    session: Session, contents: Sequence[ContentId], parts: Sequence[Part], most_bytes: int
) -> tuple[int, dict[ContentId, Row]]:
    """Read pieces of contents from the first on, one at least, as ``most_bytes`` have room.

    Returns how many of ``contents`` that was, and the rows (``MessageReads.pieces``).

    Args:
        session: the client's.
        contents: whose pieces, in the order in which they are wanted.
        parts: which pieces of each.
        most_bytes: how much of them is read together.
    """
    rows = await session.services.store.read(lambda tx: tx.pieces(contents, parts, most_bytes))
    return await _in_order(session, contents, parts, most_bytes, rows)


async def _in_order(
    session: Session,
    contents: Sequence[ContentId],
    parts: Sequence[Part],
    most_bytes: int,
    rows: Sequence[Row],
) -> tuple[int, dict[ContentId, Row]]:
    store = session.services.store
    if contents[0] not in (found := _by_content(rows)):  # it is not the first by its id
        found = _by_content(await store.read(lambda tx: tx.pieces(contents[:1], parts)))
    return fitting(contents, found, most_bytes), found


def _by_content(rows: Sequence[Row]) -> dict[ContentId, Row]:
    return cast(dict[ContentId, Row], {row[0]: row for row in rows})


def fitting(contents: Sequence[ContentId], rows: Mapping[ContentId, Row], most_bytes: int) -> int:
    """Return of how many contents, one at least, the rows are there and not too long together.

    A content counts as often as it comes: there may be many copies of one message.
    """
    if len(rows) == len(contents):  # all different, and what was read is not too long
        return len(contents)
    sizes = {content: _size_of(row) for content, row in rows.items()}
    left_bytes = most_bytes
    for at, content in enumerate(contents):
        size_bytes = sizes.get(content)
        if size_bytes is None or (at and size_bytes > left_bytes):
            return max(at, 1)
        left_bytes -= size_bytes
    return len(contents)


def _size_of(row: Row) -> int:
    return sum(len(piece) for piece in row[1:] if isinstance(piece, bytes | str))


class BodyItems:
    """What a command asks of texts, made ready for some messages at a time.

    Attributes:
        weight: how many texts of each message are asked for, 0 if its header is enough.
        many: how many sets of header fields.
    """

    def __init__(self, session: Session, items: Sequence[FetchItem], ahead: ReadAhead) -> None:
        self._session = session
        self._ahead = ahead
        self._store = session.services.store
        self._pace = CommandShare(session.output)
        self._items = [item for item in items if isinstance(item, Section | BinarySize)]
        self._fields = [item for item in self._items if _is_fields(item)]
        others = [item for item in self._items if not _is_fields(item)]
        self._parts = _parts_needed(others)
        self._sets: dict[Section, int | None] = {}
        self.weight = len(others) if Part.RAW in self._parts else 0
        self.many = len(self._fields)

    def begin(self, contents: Sequence[ContentId]) -> None:
        """Begin to read what ``columns`` is about to be asked for; none of it is large."""
        if self.weight:
            self._ahead.begin("texts", contents, _pieces(contents, self._parts))
        for number in filter(None, self._sets.values()):
            self._ahead.begin(number, contents, _kept_fields(number, contents))

    async def columns(self, contents: Sequence[ContentId]) -> tuple[int, list[Column]]:
        """Return the texts the command asks for, as columns over the first of ``contents``.

        Of how many, one at least, is returned as well: headers can be of any length.
        """
        count = len(contents)
        if not self._items:
            return count, []
        texts = Texts()
        if self._parts:
            if self.weight:  # a batch's texts are not too long together
                work = _pieces(contents, self._parts)
                rows = await self._ahead.read("texts", contents, work)
            else:
                count, found = await read_pieces(self._session, contents, self._parts, MOST_BYTES)
                rows = list(found.values())
            for row in rows:
                texts.add(row)
        if self._fields:
            count = await self._add_fields(texts, contents[:count])
        columns = []
        for item in self._items:
            columns.append(texts.column(item, contents[:count]))
            await self._pace.spend(100 + 10 * count)
        return count, columns

    async def _add_fields(self, texts: Texts, contents: Sequence[ContentId]) -> int:
        """Have the sets of header fields ready for the first contents; return for how many."""
        numbers: dict[Section, int | None] = {}
        for section in self._fields:
            numbers[section] = number = await self._header_set(section)
            texts.fields[section] = await self._kept(number, contents)
        known = list(texts.fields.values())
        if all(len(of) == len(contents) for of in known):  # the usual case
            return len(contents)
        missing = dict.fromkeys(one for one in contents if any(one not in of for of in known))
        if not missing:
            return len(contents)
        most_bytes = MOST_BYTES // self.many
        asked = list(missing)
        _, headers = await read_pieces(self._session, asked, [Part.HEADER], most_bytes)
        kept: dict[ContentId, Row] = {one: () for one in contents if one not in missing}
        count = fitting(contents, kept | headers, most_bytes)
        ready = frozenset(contents[:count])
        for section, number in numbers.items():
            found = [
                (content, await fields_of(_header(row), section, self._pace))
                for content, row in headers.items()
                if content in ready and content not in texts.fields[section]
            ]
            texts.fields[section].update(found)
            if number is not None and found:
                _keep(self._session, number, found)
        return count

    async def _kept(
        self, number: int | None, contents: Sequence[ContentId]
    ) -> dict[ContentId, bytes]:
        if number is None:
            return {}
        return await self._ahead.read(number, contents, _kept_fields(number, contents))

    async def _header_set(self, section: Section) -> int | None:
        if section not in self._sets:
            self._sets[section] = await self._found_set(section)
        return self._sets[section]

    async def _found_set(self, section: Section) -> int | None:
        key = " ".join(section.names)
        if section.text == "HEADER.FIELDS.NOT":
            return None
        sets = await self._store.read(lambda tx: tx.header_sets())
        if key in sets:
            return sets[key]
        if len(sets) >= HEADER_SET_LIMIT or len(key) > HEADER_SET_LIMIT_BYTES:
            return None
        return await self._store.write(lambda tx: tx.add_header_set(key))


def _kept_fields(number: int, contents: Sequence[ContentId]) -> ReadWork[dict[ContentId, bytes]]:
    return lambda tx: tx.header_fields(number, contents)


def _header(row: Row) -> bytes:
    header = row[1]
    assert isinstance(header, bytes)  # noqa: S101 - the store's column
    return header


HEADER_SET_LIMIT = 32
"""Sets the store learns: every mail client uses one or two."""

HEADER_SET_LIMIT_BYTES = 1000


def _keep(session: Session, number: int, found: Sequence[tuple[ContentId, bytes]]) -> None:
    async def work(tx: Transaction) -> None:
        await tx.keep_header_fields(number, found)

    session.services.background.start(session.services.store.write(work))


def _is_fields(item: FetchItem) -> TypeGuard[Section]:
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
        self._trees: dict[int, BodyPart] = {}
        self._decodings: dict[tuple[int, tuple[int, ...]], bytes | None] = {}
        self.fields: dict[Section, dict[ContentId, bytes]] = {}

    def add(self, row: tuple[object, ...]) -> None:
        """Take in one content's pieces."""
        content, raw = row[0], row[1]
        assert isinstance(content, int)  # noqa: S101 - the store's columns
        assert isinstance(raw, bytes)  # noqa: S101 - the store gives bytes for it
        self._raw[content] = raw
        if len(row) > 2:
            parts = row[2]
            assert isinstance(parts, bytes)  # noqa: S101 - the store gives bytes for it
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
        if (not item.path and not item.text) or content not in self._parts:
            return raw  # else only whole headers were asked for, and read
        return section_of(raw, self._tree(content), item)

    def _decoded(self, content: ContentId, path: tuple[int, ...]) -> bytes | None:
        key = content, path
        if key not in self._decodings:
            found = decode_section(self._raw[content], self._tree(content), path)
            self._decodings[key] = found
        if self._decodings[key] is None:
            raise No("the part's transfer encoding is not known", "UNKNOWN-CTE")
        return self._decodings[key]

    def _tree(self, content: ContentId) -> BodyPart:
        if content not in self._trees:
            self._trees[content] = decode_parts(self._parts[content])
        return self._trees[content]


def section_of(raw: bytes, root: BodyPart, item: Section) -> bytes:
    """Return the bytes of a text that a section names; empty if it names none."""
    text = SectionText("HEADER" if item.text.startswith("HEADER") else item.text)
    found = raw[locate(root, item.path, text)]
    if not item.names:
        return found
    names = frozenset(name.encode() for name in item.names)
    return header_fields(found, names, item.text == "HEADER.FIELDS.NOT")
