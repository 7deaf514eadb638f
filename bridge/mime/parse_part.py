"""A submitted message's bytes as a tree of parts: slices, header values, parameters.

Made for sending: it finds each part's exact bytes by searching for boundaries, never by lines, so
a message of 30 MB costs no more memory than itself. It refuses what cannot be read in one way
only (``Unreadable``): a legal act is not sent on a guess. It decodes nothing.

RFCs: 5322 §2.2 (header fields), 2045 §5 (Content-Type), 2046 §5.1 (multipart), 2183, 2231.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value

MAX_DEPTH = 50
MAX_PARTS = 1_000
HEADER_LIMIT_BYTES = 1024**2

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:((?:[^\r\n]|\r(?!\n)|\r?\n[ \t])*)(?:\r?\n|\Z)")
_BLANK = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_MBOX_LINE = re.compile(rb"(?:From |>From )[^\n]*\n")


class Unreadable(ValueError):
    """The message cannot be read in one way only; the text says why, for its sender."""


@dataclass(frozen=True, slots=True)
class Field:
    """One header field: ``name`` lower case, ``raw`` what follows the colon, as given.

    ``line`` is all of it, with name and line end.
    """

    name: str
    raw: bytes
    line: bytes

    @property
    def value(self) -> str:
        """The unfolded text; bytes above 127 as UTF-8 where they are, else as Windows-1252."""
        try:
            text = self.raw.decode("utf-8")
        except UnicodeDecodeError:
            text = self.raw.decode("cp1252", "replace")
        return _FOLD.sub(" ", text).strip()


@dataclass(frozen=True, slots=True)
class Part:
    """One part: ``raw[start:end]`` is its body, still encoded; ``children`` of a multipart."""

    raw: bytes
    start: int
    end: int
    fields: tuple[Field, ...]
    content_type: str
    children: tuple[Part, ...] = ()

    @property
    def body(self) -> bytes:
        """The part's body as transferred."""
        return self.raw[self.start : self.end]

    @property
    def maintype(self) -> str:
        """``text`` of ``text/plain``."""
        return self.content_type.partition("/")[0]

    def header(self, name: str) -> str:
        """Return the first field called ``name`` (lower case), "" if there is none."""
        return next((field.value for field in self.fields if field.name == name), "")

    def parameter(self, name: str, field: str = "content-type") -> str:
        """Return a parameter, RFC 2231 put together and decoded; "" if there is none."""
        return parameter(self.header(field), name)

    @property
    def encoding(self) -> str:
        """The content transfer encoding, lower case."""
        return self.header("content-transfer-encoding").partition(";")[0].strip().lower() or "7bit"

    @property
    def disposition(self) -> str:
        """``attachment``, ``inline`` or ""; anything else counts as attachment (RFC 2183 §2.8)."""
        word = self.header("content-disposition").partition(";")[0].strip().lower()
        return word if word in ("", "inline") else "attachment"

    @property
    def content_id(self) -> str:
        """The Content-ID without its brackets, "" if there is none."""
        return self.header("content-id").strip().strip("<>").strip()

    def walk(self) -> Iterator[Part]:
        """Give this part and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse_fields(header: bytes) -> tuple[Field, ...]:
    """Split a header into its fields.

    Raises:
        Unreadable: a line is neither a field nor the continuation of one.
    """
    fields = []
    at = 0
    while at < len(header):
        match = _FIELD.match(header, at)
        if match is None:
            line = header[at : at + 60].splitlines()[0].decode("ascii", "replace")
            raise Unreadable(f"the header has a line that is no header field: {line!r}")
        fields.append(Field(match[1].decode("ascii").lower(), match[2], match[0]))
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
    if _FIELD.match(raw, start, end) is None:
        return start, start, start
    blank = _BLANK.search(raw, start, end)
    if blank is None:
        return start, end, end
    line_end = 2 if raw.startswith(b"\r\n", blank.start()) else 1
    return start, blank.start() + line_end, blank.end()


def parse(raw: bytes) -> Part:
    """Read a whole message.

    Raises:
        Unreadable: see the module.
    """
    counter = iter(range(MAX_PARTS))
    return _part(raw, 0, len(raw), "text/plain", 0, counter)


def _part(
    raw: bytes, start: int, end: int, default: str, depth: int, counter: Iterator[int]
) -> Part:
    if depth > MAX_DEPTH or next(counter, None) is None:
        raise Unreadable("its parts are nested too deep or too many")
    header_start, header_end, body = split_header(raw, start, end)
    if header_end - header_start > HEADER_LIMIT_BYTES:
        raise Unreadable("its header is longer than a megabyte")
    fields = parse_fields(raw[header_start:header_end])
    shell = Part(raw, body, end, fields, default)
    content_type = _content_type(shell.header("content-type"), default)
    if not content_type.startswith("multipart/"):
        return Part(raw, body, end, fields, content_type)
    if shell.encoding not in ("7bit", "8bit", "binary"):
        raise Unreadable(f"a multipart cannot be encoded as {shell.encoding} (RFC 2045 §6.4)")
    boundary = shell.parameter("boundary").rstrip()
    if not boundary:
        raise Unreadable("a multipart names no boundary")
    inner = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
    children = tuple(
        _part(raw, first, last, inner, depth + 1, counter)
        for first, last in _split(raw, body, end, boundary.encode("utf-8", "surrogateescape"))
    )
    if not children:
        raise Unreadable("a multipart holds none of the boundaries it names")
    return Part(raw, body, end, fields, content_type, children)


def _split(raw: bytes, start: int, end: int, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Give where each body part begins and ends (RFC 2046 §5.1.1)."""
    delimiter = b"--" + boundary
    opened: int | None = None
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
            at = after
            continue
        if opened is not None:
            yield opened, max(_before_line_end(raw, at), opened)
        if closing:
            return
        opened = at = end if line_end < 0 else line_end + 1
    if opened is not None:
        yield opened, end


def _before_line_end(raw: bytes, at: int) -> int:
    """Return ``at`` without the line end before it, which belongs to the boundary."""
    return at - 2 if raw[at - 2 : at] == b"\r\n" else at - 1


def _content_type(value: str, default: str) -> str:
    if not value:
        return default
    word = value.partition(";")[0].strip().lower()
    maintype, slash, subtype = word.partition("/")
    if slash and maintype and subtype and not re.search(r"[\s()<>@,;:\\\"\[\]?=]", word):
        return word
    return "text/plain" if maintype == "text" else "application/octet-stream"


def parameter(value: str, name: str) -> str:
    """Return a parameter of a structured field's value; "" if there is none."""
    if not value or name not in value.lower():
        return ""
    message = Message()
    message["Content-Type"] = value
    try:
        found = message.get_param(name, "")
        return collapse_rfc2231_value(found).strip() if found else ""
    except (LookupError, ValueError, TypeError):
        return ""
