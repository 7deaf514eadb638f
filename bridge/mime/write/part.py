"""The bodies of composed messages: ASCII with CRLF, lines of at most 998 octets. Pure.

Text goes as it is where it can, else quoted-printable, or base64 when that is shorter or the text
is large. The encoders are written out so that a message composed again is the same to the byte.

RFCs: 2045 §6.7, §6.8 (quoted-printable, base64), 2046 §5.1, 2183, 5322 §2.1.1.
"""

from __future__ import annotations

import hashlib
import html
import re
from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.mime.grammar.header import read_fields
from bridge.mime.ingest.readable import readable_text
from bridge.mime.row.body import Body, Form
from bridge.mime.write.note import RULE

LINE_LIMIT_BYTES = 998
_LARGE_BYTES = 256 * 1024
_QUOTED_LINE = 76
_EQUALS = 0x3D
_UNSAFE = re.compile(rb"[^\t\r\n -~]|\r(?!\n)|(?<!\r)\n")
_TO_QUOTE = re.compile(rb"[^\t -<>-~]|[\t ]\Z")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_ANY_LINE_END = re.compile(rb"\r\n|\r|\n")
_BODY_END = re.compile(r"(?i)</body\s*>")


@dataclass(frozen=True, slots=True)
class ComposedPart:
    """A part: its ``Content-…`` fields, each with its CRLF, and its content."""

    header: bytes
    content: bytes


def text_part(body: Body, footer: str) -> ComposedPart:
    """Return text or HTML, with ``footer`` below it if there is one."""
    if body.form is Form.HTML:
        return _encoded("text/html", _with_html_footer(body.text, footer))
    text = body.text
    if footer:
        text = f"{text.rstrip(chr(10))}\n\n{RULE}\n{footer}"
    return _encoded("text/plain", text)


def attachment_part(content: bytes, media_type: str, name: str) -> ComposedPart:
    """Return a file; ``name`` is a plain token."""
    header = (
        f'Content-Type: {media_type}; name="{name}"\r\n'
        f'Content-Disposition: attachment; filename="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
    )
    return ComposedPart(header.encode("ascii"), _base64(content))


def multipart(parts: Sequence[ComposedPart]) -> ComposedPart:
    """Return parts as one, ``multipart/mixed``."""
    digest = hashlib.sha256(b"".join(part.content for part in parts)).hexdigest()
    boundary = f"=_pec-bridge-{digest[:32]}"  # "=_" cannot stand in an encoded part
    opening = f"--{boundary}\r\n".encode()
    pieces = [piece for part in parts for piece in (opening, part.header, b"\r\n", part.content)]
    header = f'Content-Type: multipart/mixed;\r\n boundary="{boundary}"\r\n'.encode()
    return ComposedPart(header, b"".join([*pieces, f"--{boundary}--\r\n".encode()]))


def whole_parts(octets: bytes, remark: str) -> ComposedPart:
    """Return the content of a whole message as it is; if it cannot be, its text and itself.

    Args:
        octets: the message.
        remark: says that the message is attached whole.
    """
    kept = _kept(octets)
    if kept is not None:
        return kept
    readable = Body(Form.TEXT, readable_text(octets), b"")
    return multipart(
        (
            text_part(readable, remark),
            attachment_part(octets, "application/octet-stream", "messaggio.eml"),
        )
    )


def _kept(octets: bytes) -> ComposedPart | None:
    end = _HEADER_END.search(octets)
    if end is None:
        return None
    fields = read_fields(octets[: end.start()] + b"\n")
    named = [(name, value) for name, value in fields if name.startswith(b"content-")]
    header = b"".join(b"%b: %b\r\n" % (name.title(), _folds(value)) for name, value in named)
    content = _ANY_LINE_END.sub(b"\r\n", octets[end.end() :])
    if _UNSAFE.search(header) or _UNSAFE.search(content) or _longest_line(header + content):
        return None
    if any(not value.strip() for _, value in named):
        return None
    return ComposedPart(
        header, content if content.endswith(b"\r\n") or not content else content + b"\r\n"
    )


def _folds(value: bytes) -> bytes:
    return value.strip(b"\r\n").replace(b"\r", b"").replace(b"\n", b"\r\n")


def _longest_line(octets: bytes) -> bool:
    return any(len(line) > LINE_LIMIT_BYTES for line in octets.split(b"\r\n"))


def _with_html_footer(page: str, footer: str) -> str:
    if not footer:
        return page
    lines = "<br>\n".join(html.escape(line) for line in footer.strip().split("\n"))
    block = f"<hr>\n<p>{lines}</p>\n"
    ends = list(_BODY_END.finditer(page))
    at = ends[-1].start() if ends else len(page)
    return f"{page[:at]}{block}{page[at:]}"


# --- transfer encodings -----------------------------------------------------------------------


def _encoded(media_type: str, text: str) -> ComposedPart:
    if not text.endswith("\n"):
        text += "\n"
    content = text.replace("\n", "\r\n").encode("utf-8", "replace")
    charset = "us-ascii" if content.isascii() else "utf-8"
    if _UNSAFE.search(content) is None and not _longest_line(content):
        encoding = "7bit"
    elif _prefers_base64(content):
        encoding, content = "base64", _base64(content)
    else:
        encoding, content = "quoted-printable", _quoted(content)
    lines = (
        f"Content-Type: {media_type}; charset={charset}",
        f"Content-Transfer-Encoding: {encoding}",
    )
    return ComposedPart("".join(f"{line}\r\n" for line in lines).encode("ascii"), content)


def _prefers_base64(content: bytes) -> bool:
    sample = content[:_LARGE_BYTES]
    return len(content) > _LARGE_BYTES or len(_UNSAFE.findall(sample)) * 6 > len(sample)


def _base64(content: bytes) -> bytes:
    return encodebytes(content).replace(b"\n", b"\r\n")


def _quoted(content: bytes) -> bytes:
    return b"\r\n".join(map(_quoted_line, content.split(b"\r\n")))


def _quoted_line(line: bytes) -> bytes:
    quoted = _TO_QUOTE.sub(lambda one: b"=%02X" % one[0][0], line)
    pieces = []
    start = 0
    while len(quoted) - start > _QUOTED_LINE:
        end = start + _QUOTED_LINE - 1
        end -= next((back for back in (1, 2) if quoted[end - back] == _EQUALS), 0)
        pieces.append(quoted[start:end])
        start = end
    return b"=\r\n".join([*pieces, quoted[start:]])
