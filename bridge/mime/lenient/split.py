"""Takes a message apart: finds its parts, and keeps of each header what IMAP shows.

Where mail breaks the rules, the reading is Dovecot's: a boundary counts also in the middle of a
header, the longest of several fitting ones wins, a missing one ends its part with the message;
a part too many or too deep stays one leaf. Time is linear in the size, whatever the bytes.

RFCs: 2045 §5, 2046 §5.1 (multipart), §5.1.5 (digest), §5.2.1 (message/rfc822).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from bridge.mime.grammar.header import Fields, read_fields
from bridge.mime.grammar.transfer import encoding_of
from bridge.mime.lenient.parameter import ContentType, parse_content_type
from bridge.mime.lenient.part import BodyPart, PartKind

MOST_PARTS: Final = 10_000
MOST_DEPTH: Final = 100
_BOUNDARY_LIMIT_BYTES = 80
_LINE_LIMIT_BYTES = _BOUNDARY_LIMIT_BYTES + 4
_BLANK_LINE = re.compile(rb"\n\r?\n")
_LINE_END = re.compile(rb"\r?\n|\Z")


class Entity:
    """One part while the message is being read; offsets as in ``part.BodyPart``.

    ``content_type`` is None if the header has none that counts; ``fields`` are those of its
    header. ``is_text`` also holds where nothing is said. ``in_digest``: its parent is a digest.
    ``lines`` is for whoever counts the body's line ends, -1 until then.
    """

    __slots__ = (
        "body_start",
        "children",
        "content_type",
        "depth",
        "end",
        "fields",
        "header_start",
        "in_digest",
        "is_digest",
        "is_mime",
        "is_text",
        "kind",
        "lines",
        "parent",
    )

    def __init__(self, parent: Entity | None, header_start: int, is_mime: bool) -> None:
        self.parent = parent
        self.header_start = self.body_start = self.end = header_start
        self.is_mime = is_mime
        self.is_text = self.is_digest = False
        self.lines = -1
        self.depth: int = parent.depth + 1 if parent else 0
        self.in_digest = parent.is_digest if parent else False
        self.kind = PartKind.LEAF
        self.content_type: ContentType | None = None
        self.fields: Fields = []
        self.children: list[Entity] = []

    def is_cut(self) -> bool:
        """Say whether this should have been a multipart or message but was left whole."""
        if self.kind is not PartKind.LEAF:
            return False
        if self.content_type is None:
            return self.in_digest
        kind = self.content_type.kind.lower()
        return kind == b"multipart" or (
            kind == b"message" and self.content_type.subkind.lower() == b"rfc822"
        )

    def frozen(self) -> BodyPart:
        """Return this part, and those in it, as values."""
        return BodyPart(
            self.kind,
            encoding_of(self.fields),
            self.header_start,
            self.body_start,
            self.end,
            tuple([child.frozen() for child in self.children]),
        )


class _Boundary(NamedTuple):
    mark: bytes
    owner: Entity


class _Blank(NamedTuple):
    """A line end with a blank line behind it: where it starts, where the blank line ends."""

    start: int
    end: int


class _BoundaryLine(NamedTuple):
    """A boundary line: where its dashes are, and where the text before it ends."""

    boundary: _Boundary
    start: int
    text_end: int


def split(raw: bytes) -> Entity:
    """Return the tree of parts of a message."""
    return _Splitter(raw).run()


class _Splitter:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._open: list[_Boundary] = []  # innermost last
        self._count = 1
        self._blank = _Blank(-1, 0)

    def run(self) -> Entity:
        root = Entity(None, 0, is_mime=False)
        part: Entity | None = root
        at = 0
        while part is not None:
            at = self._read_header(part, at)
            if part.kind is PartKind.MESSAGE:
                part = self._append(part, part.body_start, is_mime=False)
            else:
                part, at = self._read_body(part, at)
        return root

    def _append(self, parent: Entity, start: int, *, is_mime: bool) -> Entity:
        part = Entity(parent, start, is_mime)
        parent.children.append(part)
        self._count += 1
        return part

    def _read_header(self, part: Entity, at: int) -> int:
        """Read the header at ``at``, find out the kind; return where to go on."""
        raw = self._raw
        body_start = self._header_end(at)
        line = self._boundary_line(at, body_start) if self._open else None
        if line is None:
            part.body_start = at = body_start
            part.fields = read_fields(raw[part.header_start : body_start])
        else:  # cut short: the line end before the boundary belongs to that
            part.body_start = part.header_start if line.start == at else line.text_end
            part.fields = read_fields(raw[at : part.body_start])
            at = line.start
        self._classify(part)
        if line is None and part.kind is PartKind.MULTIPART:
            self._open_boundary(part)
        return at

    def _header_end(self, at: int) -> int:
        """Return where the header that begins at ``at`` stops, its blank line included.

        The blank line found last is remembered, else many headers without one cost a search
        through the whole message each.
        """
        raw = self._raw
        if raw.startswith(b"\n", at):
            return at + 1
        if raw.startswith(b"\r\n", at):
            return at + 2
        if self._blank.start < at:
            blank = _BLANK_LINE.search(raw, at)
            self._blank = _Blank(*blank.span()) if blank else _Blank(len(raw), len(raw))
        return self._blank.end

    def _classify(self, part: Entity) -> None:
        for name, value in part.fields:
            if name == b"content-type":
                part.is_mime = True
                if part.content_type is None:
                    part.content_type = parse_content_type(value)
            elif name == b"mime-version":
                part.is_mime = True
        if part.content_type is not None:
            self._obey(part, part.content_type)
        elif part.in_digest:
            self._make_message(part)
        else:
            part.is_text = True

    def _obey(self, part: Entity, content_type: ContentType) -> None:
        """Make a part what its Content-Type says, where the limits allow it."""
        kind, subkind = content_type.kind.lower(), content_type.subkind.lower()
        if kind == b"text":
            part.is_text = True
        elif kind == b"multipart" and subkind:
            if part.depth + 1 < MOST_DEPTH or not _boundary_of(content_type):
                part.kind = PartKind.MULTIPART
                part.is_digest = subkind == b"digest"
        elif kind == b"message" and subkind == b"rfc822":
            self._make_message(part)

    def _make_message(self, part: Entity) -> None:
        if part.depth + 1 < MOST_DEPTH and self._count < MOST_PARTS:
            part.kind = PartKind.MESSAGE

    def _open_boundary(self, part: Entity) -> None:
        """Look out for the part's own boundary, if it names one and its header is complete."""
        raw = self._raw
        complete = raw.startswith((b"\n", b"\r\n"), part.header_start) or raw.endswith(
            (b"\n\n", b"\n\r\n"), part.header_start, part.body_start
        )
        mark = _boundary_of(part.content_type) if part.content_type else None
        if complete and mark is not None:
            self._open.append(_Boundary(mark[:_BOUNDARY_LIMIT_BYTES], part))

    def _read_body(self, part: Entity, at: int) -> tuple[Entity | None, int]:
        """Read on from ``at`` until a part begins; None if the message ends before."""
        raw = self._raw
        size = len(raw)
        begun = part.body_start
        current: Entity = part
        while True:
            line = self._boundary_line(at, size)
            if line is None:
                self._close(current, None, size)
                return None, size
            boundary, start, text_end = line
            if start == at:
                self._close_at_once(current, boundary.owner, begun, start)
            else:
                self._close(current, boundary.owner, text_end)
            current = boundary.owner
            behind = start + 2 + len(boundary.mark)
            closing = raw.startswith(b"--", behind)
            self._forget(boundary, closing)
            line_end = raw.find(b"\n", behind + 2 if closing else behind)
            if line_end < 0:
                self._close(current, None, size)
                return None, size
            at = begun = line_end + 1
            if self._open and self._open[-1].owner is current:
                return self._append(current, at, is_mime=True), at

    def _close(self, part: Entity | None, until: Entity | None, end: int) -> None:
        closing = part
        while closing is not until and closing is not None:
            closing.end = end
            closing = closing.parent

    def _close_at_once(self, part: Entity, until: Entity, begun: int, start: int) -> None:
        """Close a part that has no body; the line end after a header cut short is its parents'."""
        if part is until:
            return
        part.end = begun
        self._close(part.parent, until, start if part.body_start > part.header_start else begun)

    def _forget(self, boundary: _Boundary, closing: bool) -> None:
        while self._open[-1] is not boundary:
            self._open.pop()
        if closing:
            self._open.pop()

    def _boundary_line(self, at: int, end: int) -> _BoundaryLine | None:
        """Find the first line from ``at`` on, itself the start of a line, that is a boundary."""
        raw, opened = self._raw, self._open
        if not opened or self._count >= MOST_PARTS:
            return None
        if raw.startswith(b"--", at) and at < end:
            boundary = self._matching(at + 2)
            if boundary:
                return _BoundaryLine(boundary, at, at)
        marks = tuple(boundary.mark for boundary in opened)
        needle = b"\n--" + marks[0] if len(marks) == 1 else b"\n--"
        found = raw.find(needle, at, end)
        while found >= 0:
            if raw.startswith(marks, found + 3):
                boundary = self._matching(found + 3)
                if boundary:
                    text_end = found - (found > at and raw[found - 1] == 0x0D)
                    return _BoundaryLine(boundary, found + 1, text_end)
            found = raw.find(needle, found + 3, end)
        return None

    def _matching(self, at: int) -> _Boundary | None:
        """Return the open boundary whose mark begins the line at ``at``.

        A mark needs only be a prefix of its line; of several the longest wins, but one that fits
        the line exactly (with the closing dashes or without) ends the search, innermost first.
        """
        raw = self._raw
        line_end = _LINE_END.search(raw, at, at + _LINE_LIMIT_BYTES)
        length = (line_end.start() if line_end else at + _LINE_LIMIT_BYTES) - at
        dashed = length > 2 and raw[at + length - 2 : at + length] == b"--"
        best: _Boundary | None = None
        for boundary in reversed(self._open):
            size = len(boundary.mark)
            if not raw.startswith(boundary.mark, at) or size > length:
                continue
            if best is None or len(best.mark) < size:
                best = boundary
                if size == length or (size == length - 2 and dashed):
                    break
        return best


def _boundary_of(content_type: ContentType) -> bytes | None:
    for name, value in content_type.parameters:
        if name.lower() == b"boundary":
            return value
    return None
