"""Text that was meant to be a header: told by how it begins.

A message that begins with a BOM or a blank line has no header for anybody who reads it by the
rules, and would go out with an empty subject and its header as text. The same happens to what
stands behind a blank line in the middle of a header.

RFC 5322 §2.1.
"""

from __future__ import annotations

import re

LOOK_BYTES = 4096

_KNOWN = (
    rb"(?:from|to|cc|bcc|subject|date|message-id|reply-to|sender|mime-version|received"
    rb"|return-path|content-type|content-transfer-encoding|content-disposition)[ \t]*:"
)
_MARKS = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff|\xe2\x80\x8b|\xc2\xa0|[\x00 \t\r\n])*")
_FIELD = re.compile(rb"(?i)" + _KNOWN)
_FIELDS = re.compile(rb"(?im)^[ \t]*" + _KNOWN)
_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n")


def reads_like_header(raw: bytes, start: int) -> bool:
    """Say whether the text at ``start`` reads like a header that something precedes.

    Either its first line is a field that mail has, past a BOM and blank lines, or two more are
    among the lines up to its first blank one.
    """
    marks = _MARKS.match(raw, start)
    at = marks.end() if marks else start
    head = raw[at : at + LOOK_BYTES].replace(b"\0", b"")  # as in UTF-16
    if _FIELD.match(head):
        return True
    blank = _BLANK_LINE.search(head)
    return len(_FIELDS.findall(head[: blank.start() if blank else len(head)])) > 1
