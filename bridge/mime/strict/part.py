"""A submitted message's bytes as a tree of parts: slices, header values, parameters.

Made for sending: it finds each part's exact bytes by searching for boundaries, never by lines, so
a message of 30 MB costs no more memory than itself. It refuses what cannot be read in one way
only (``Unreadable``): a legal act is not sent on a guess. So a field that says what a part is may
be there twice only if it says the same, and nothing that looks like a part may lie outside the
boundaries. It decodes nothing but names.

RFCs: 5322 §2.2 (header fields), 2045 §5 (Content-Type), 2046 §5.1 (multipart), 2183, 2231.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bridge.language import Sentence, say
from bridge.mime.strict.field import (
    Structured,
    Unreadable,
    same,
    structured,
    unfold,
    word_of,
)

MAX_DEPTH = 50
MAX_PARTS = 1_000
HEADER_LIMIT_BYTES = 1024**2

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:((?:[^\r\n]++|\r(?!\n)|\r?\n[ \t])*+)(?:\r?\n|\Z)")
_FIELD_NAME = re.compile(rb"[!-9;-~]+[ \t]*:")
_BLANK = re.compile(rb"\r?\n\r?\n")
_LONE_CR = re.compile(rb"\r(?!\n)")
_MBOX_LINE = re.compile(rb"(?:From |>From )[^\n]*\n")
_PART_FIELD = re.compile(rb"(?im)^content-(?:type|disposition|transfer-encoding)[ \t]*:")
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
"""RFC 6838 §4.2: a type is written into the HTML that is posted, so nothing else may be in it."""
_READABLE = {"multipart": "multipart/mixed", "text": "text/plain"}
"""What a type is taken for of which only the first half can be read."""
_SAYS_WHAT_A_PART_IS = (
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-ID",
)
_SEEN = re.compile(rb"[^\s]")
_IDENTITIES = frozenset({"", "7bit", "7bits", "8bit", "8bits", "binary", "none", "utf8"})
"""How mail programs spell that a part is not encoded at all, by letters and digits alone."""


@dataclass(frozen=True, slots=True)
class HeaderField:
    """One header field: ``name`` lower case, ``raw`` what follows the colon, as given.

    ``line`` is all of it, with name and line end.
    """

    name: str
    raw: bytes
    line: bytes

    @property
    def value(self) -> str:
        """The unfolded text; bytes above 127 as UTF-8 where they are, else as Windows-1252."""
        return unfold(self.raw)


_UNSAID = Structured()


@dataclass(frozen=True, slots=True)
class SubmittedPart:
    """One part: ``raw[start:end]`` is its body, still encoded; ``children`` of a multipart.

    ``kind`` is its Content-Type and ``placement`` its Content-Disposition, as read;
    ``content_type`` what the part is taken for; ``encoding`` the transfer encoding, with ``7bit``
    for whatever says that there is none.
    """

    raw: bytes
    start: int
    end: int
    fields: tuple[HeaderField, ...]
    content_type: str
    kind: Structured = _UNSAID
    placement: Structured = _UNSAID
    encoding: str = "7bit"
    children: tuple[SubmittedPart, ...] = ()

    @property
    def body(self) -> bytes:
        """The part's body as transferred."""
        return self.raw[self.start : self.end]

    @property
    def is_empty(self) -> bool:
        """Whether the body is nothing but blanks."""
        return _SEEN.search(self.raw, self.start, self.end) is None

    def header(self, name: str) -> str:
        """Return the first field called ``name`` (lower case), "" if there is none."""
        return next((field.value for field in self.fields if field.name == name), "")

    def parameter(self, name: str) -> str:
        """Return a parameter of the Content-Type, decoded; "" if there is none."""
        return self.kind.parameter(name)

    @property
    def disposition(self) -> str:
        """``attachment``, ``inline`` or ""; anything else counts as attachment (RFC 2183 §2.8)."""
        word = self.placement.word
        return word if word in ("", "inline") else "attachment"

    @property
    def content_id(self) -> str:
        """The Content-ID without its brackets, "" if there is none."""
        return self.header("content-id").strip().strip("<>").strip()

    def walk(self) -> Iterator[SubmittedPart]:
        """Give this part and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse_fields(header: bytes) -> tuple[HeaderField, ...]:
    """Split a header into its fields.

    Raises:
        Unreadable: a line is neither a field nor the continuation of one.
    """
    fields = []
    at = 0
    while at < len(header):
        match = _FIELD.match(header, at)
        if match is None:
            line = header[at : at + 60].splitlines()[0].decode("ascii", "backslashreplace")
            raise Unreadable(
                say("the header has a line that is no header field: {line}", line=ascii(line))
            )
        fields.append(HeaderField(match[1].decode("ascii").lower(), match[2], match[0]))
        at = match.end()
    return tuple(fields)


def split_header(raw: bytes, start: int = 0, end: int | None = None) -> tuple[int, int, int]:
    """Return where the header begins, where it ends, and where the body begins.

    A message may begin with an mbox line, which is not part of it; one whose first line is no
    field has no header.
    """
    end = len(raw) if end is None else end
    if mbox := _MBOX_LINE.match(raw, start, end):
        start = mbox.end()
    if raw.startswith(b"\r\n", start, end):
        return start, start, start + 2
    if raw.startswith(b"\n", start, end):
        return start, start, start + 1
    if _FIELD_NAME.match(raw, start, end) is None:
        return start, start, start
    blank = _BLANK.search(raw, start, end)
    if blank is None:
        return start, end, end
    line_end = 2 if raw.startswith(b"\r\n", blank.start()) else 1
    return start, blank.start() + line_end, blank.end()


def parse(raw: bytes) -> SubmittedPart:
    """Read a whole message.

    Raises:
        Unreadable: see the module.
    """
    counter = iter(range(MAX_PARTS))
    return _part(_with_one_line_end(raw), 0, None, "text/plain", 0, counter)


def _with_one_line_end(raw: bytes) -> bytes:
    """Return a message all of whose lines end in CR CR LF with CR LF instead.

    Programs that write text files with line ends of their own make such; one more line end may
    have been added behind the last.
    """
    if b"\r\r\n" not in raw:
        return raw
    lines = raw.rstrip(b"\r\n")
    if lines.count(b"\r\r\n") != lines.count(b"\n"):
        return raw
    return raw.replace(b"\r\r\n", b"\r\n")


def _part(
    raw: bytes, start: int, end: int | None, default: str, depth: int, counter: Iterator[int]
) -> SubmittedPart:
    if depth > MAX_DEPTH or next(counter, None) is None:
        raise Unreadable(
            say(
                "its parts are nested too deep or too many: at most {max_parts} are read, "
                "and {max_depth} within each other; put files into one archive, or into "
                "several messages",
                max_parts=MAX_PARTS,
                max_depth=MAX_DEPTH,
            )
        )
    end = len(raw) if end is None else end
    header_start, header_end, body = split_header(raw, start, end)
    header = raw[header_start:header_end]
    if len(header) > HEADER_LIMIT_BYTES:
        raise Unreadable(say("its header is longer than a megabyte"))
    if _LONE_CR.search(header):
        raise Unreadable(
            say(
                "lines of its header end with CR CR LF or hold a CR alone; end every line "
                "with CR LF"
            )
        )
    part = _described(raw, body, end, parse_fields(header), default)
    if not part.content_type.startswith("multipart/"):
        return part
    return replace(part, encoding="7bit", children=_children(part, depth, counter))


def _described(
    raw: bytes, start: int, end: int, fields: tuple[HeaderField, ...], default: str
) -> SubmittedPart:
    said = {name: _said(name, fields) for name in _SAYS_WHAT_A_PART_IS}
    kind = structured(said["Content-Type"])
    return SubmittedPart(
        raw,
        start,
        end,
        fields,
        _content_type(kind.word, default),
        kind,
        structured(said["Content-Disposition"]),
        _encoding(said["Content-Transfer-Encoding"]),
    )


def _encoding(value: str) -> str:
    word = word_of(value)
    return "7bit" if "".join(filter(str.isalnum, word)) in _IDENTITIES else word


def _said(name: str, fields: tuple[HeaderField, ...]) -> str:
    """Return the field's value; twice is once too often unless both say the same."""
    values = [one.value for one in fields if one.name == name.lower()]
    if not all(_agree(name, values[0], value) for value in values[1:]):
        raise Unreadable(
            say(
                "a part has more than one {name} field, so nobody could say which counts", name=name
            )
        )
    return values[0] if values else ""


def _agree(name: str, first: str, second: str) -> bool:
    if name == "Content-Transfer-Encoding":
        return word_of(first) == word_of(second)
    return same(structured(first), structured(second))


def _children(part: SubmittedPart, depth: int, counter: Iterator[int]) -> tuple[SubmittedPart, ...]:
    boundary = part.parameter("boundary").rstrip()
    if not boundary:
        raise Unreadable(say("a multipart names no boundary"))
    inner = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
    spans = list(_split(part.raw, part.start, part.end, boundary.encode("utf-8", "replace")))
    if not spans:
        raise Unreadable(say("a multipart holds none of the boundaries it names"))
    return tuple(_part(part.raw, first, last, inner, depth + 1, counter) for first, last in spans)


def _split(raw: bytes, start: int, end: int, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Give where each body part begins and ends (RFC 2046 §5.1.1).

    Text before the first boundary and after the last is shown by nobody, and passed over.

    Raises:
        Unreadable: it is more than text.
    """
    delimiter = b"--" + boundary
    longer = _LongerBoundaries(raw)
    opened: int | None = None
    closed: int | None = None
    at = start
    while (at := raw.find(delimiter, at, end)) >= 0:
        after = at + len(delimiter)
        if at != start and raw[at - 1 : at] != b"\n":
            at = after
            continue
        closing = raw.startswith(b"--", after, end)
        line_end = raw.find(b"\n", after, end)
        rest = raw[after + 2 * closing : end if line_end < 0 else line_end]
        if rest.strip(b" \t\r"):  # only begins like ours: a longer boundary, or text
            if closing or rest[:1] in (b" ", b"\t"):
                longer.check(raw[at + 2 : end if line_end < 0 else line_end].strip(), at)
            at = after
            continue
        line_end = end if line_end < 0 else line_end + 1
        if closed is not None and not closing:
            raise Unreadable(
                say("a multipart goes on with another part after its closing boundary")
            )
        if opened is not None:
            yield opened, max(_before_line_end(raw, at), opened)
        elif closed is None:
            _check_mere_text(raw, start, at, say("before its first boundary"))
        at = line_end
        opened = None if closing else line_end
        closed = line_end if closing and closed is None else closed
    if opened is not None:
        yield (
            opened,
            max(_before_line_end(raw, end) if raw[end - 1 : end] == b"\n" else end, opened),
        )
    elif closed is not None:
        _check_mere_text(raw, closed, end, say("after its closing boundary"))


class _LongerBoundaries:
    """Tells a longer boundary that a part names from ours with something behind it."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._known: set[bytes] = set()

    def check(self, mark: bytes, at: int) -> None:
        """Refuse the line at ``at`` if no part before it names ``mark`` as its boundary."""
        mark = mark.removesuffix(b"--")
        if mark in self._known:
            return
        named = self._raw.find(mark, 0, at)
        if named < 1 or self._raw[named - 1] not in b'="' or len(self._known) >= MAX_PARTS:
            raise Unreadable(
                say(
                    "a boundary of a multipart has other text behind it, so nobody could say "
                    "if a part begins there"
                )
            )
        self._known.add(mark)


def _before_line_end(raw: bytes, at: int) -> int:
    """Return ``at`` without the line end before it, which belongs to the boundary."""
    return at - 2 if raw[at - 2 : at] == b"\r\n" else at - 1


def _check_mere_text(raw: bytes, start: int, end: int, where: Sentence) -> None:
    if _PART_FIELD.search(raw, start, end):
        raise Unreadable(
            say("a multipart has what looks like a part {where}, where nobody sees it", where=where)
        )


def _content_type(word: str, default: str) -> str:
    if not word:
        return default
    if _TYPE.fullmatch(word):
        return word
    return _READABLE.get(word.partition("/")[0], "application/octet-stream")
