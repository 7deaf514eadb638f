"""Plain text as HTML that looks the same.

Line ends, runs of spaces and tabs stay where they were, in a fixed-width face, so that a table
drawn with spaces keeps its columns. ``format=flowed`` text (RFC 3676) is joined into paragraphs
again and its quotes become ``blockquote``; in fixed text a quote's ``>`` is text like any other.
Output is ASCII: everything else is written as a numeric reference.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

_LINE_END = re.compile(r"\r\n|\r|\n")
_SIGNATURE = "-- "
_TAB_WIDTH = 8
_QUOTE = (
    '<blockquote type="cite" style="margin: 0 0 0 .5em; padding-left: .5em; '
    'border-left: 2px solid #999">'
)


@dataclass(frozen=True, slots=True)
class _Line:
    depth: int
    text: str


def text_to_html(text: str, *, flowed: bool = False, delsp: bool = False) -> str:
    """Return an HTML fragment that shows ``text``.

    Args:
        text: the part's text, with any line ends; one at the very end is not shown.
        flowed: the part says ``format=flowed``.
        delsp: the part says ``delsp=yes`` as well: the space before a soft break is not text.
    """
    lines = _LINE_END.split(text)
    if lines[-1] == "":
        lines.pop()
    if not flowed:
        return _block("<br>\n".join(map(_escape, lines)))
    pieces = []
    for depth, group in groupby(_flow(lines, delsp), key=lambda line: line.depth):
        shown = "<br>\n".join(_escape(line.text) for line in group)
        pieces.append(_QUOTE * depth + shown + "</blockquote>" * depth)
    return _block("\n".join(pieces))


def to_ascii(markup: str) -> str:
    """Return HTML with every character above 127 as a numeric reference."""
    return markup.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _block(shown: str) -> str:
    return f'<div style="font-family: monospace">{to_ascii(shown)}</div>'


def _escape(line: str) -> str:
    shown = html.escape(line.expandtabs(_TAB_WIDTH), quote=False)
    if shown.startswith(" "):
        shown = "&nbsp;" + shown[1:]
    return shown.replace("  ", " &nbsp;")


def _flow(lines: list[str], delsp: bool) -> Iterator[_Line]:
    """Join the lines that a mailer broke (RFC 3676 §4.1)."""
    paragraph: _Line | None = None
    for line in lines:
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        signature = content == _SIGNATURE
        if paragraph is not None and (paragraph.depth != depth or signature):
            yield paragraph
            paragraph = None
        joined = content if paragraph is None else paragraph.text + content
        if content.endswith(" ") and not signature:
            paragraph = _Line(depth, joined[:-1] if delsp else joined)
            continue
        yield _Line(depth, joined)
        paragraph = None
    if paragraph is not None:
        yield paragraph
