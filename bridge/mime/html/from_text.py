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
from io import StringIO
from itertools import groupby

from bridge.language import say
from bridge.limits import HTML_BYTES, QUOTES_SHOWN, TEXT_SLICE_CHARS

_LINE_END = re.compile(r"\r\n|\r|\n")
_SIGNATURE = "-- "
_TAB_WIDTH = 8
_QUOTE = (
    '<blockquote type="cite" style="margin: 0 0 0 .5em; padding-left: .5em; '
    'border-left: 2px solid #999">'
)


class HtmlTooLong(ValueError):
    """A text is longer as HTML than may be; the text says so."""


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

    Raises:
        TooLong: see the class.
    """
    shown = StringIO()
    if not flowed:
        _write(shown, map(_one_line_end, _pieces(text)), "")
        return _block(shown)
    if not _may_be_quoted(text):
        return text_to_html(text)
    for number, (depth, group) in enumerate(
        groupby(_flow(_lines(text), delsp), key=lambda line: line.depth)
    ):
        shown.write("\n" if number else "")
        _write(shown, (line.text for line in group), _QUOTE * depth)
        shown.write("</blockquote>" * depth)
    return _block(shown)


def _may_be_quoted(text: str) -> bool:
    """Say whether the quotes of a text take no more room than they are worth."""
    marks = (len(line) - len(line.lstrip(">")) for line in _lines(text))
    return sum(marks) <= QUOTES_SHOWN or _opened(text) <= QUOTES_SHOWN


def _opened(text: str) -> int:
    """Return how many quotes would be opened; those of neighbours are one."""
    depths = (len(line) - len(line.lstrip(">")) for line in _lines(text))
    return sum(depth for depth, _group in groupby(depths))


def _lines(text: str) -> Iterator[str]:
    at = 0
    for end in _LINE_END.finditer(text):
        yield text[at : end.start()]
        at = end.end()
    if at < len(text):
        yield text[at:]


def _pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces of many lines: what is between them is a line end, too."""
    at = 0
    while len(text) - at > TEXT_SLICE_CHARS:
        begin = at + TEXT_SLICE_CHARS
        if text[begin - 1 : begin + 1] == "\r\n":
            begin -= 1
        end = _LINE_END.search(text, begin)
        if end is None:
            break
        yield text[at : end.start()]
        at = end.end()
    if at < len(text):
        yield text[at:].removesuffix("\n").removesuffix("\r")


def _one_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _write(shown: StringIO, lines: Iterator[str], before: str) -> None:
    """Write lines, or pieces of several, as HTML.

    Raises:
        TooLong: see the class.
    """
    shown.write(before)
    for number, line in enumerate(lines):
        if shown.tell() + len(line) + _TAB_WIDTH * line.count("\t") > HTML_BYTES:
            raise HtmlTooLong(
                say("its text would be longer than {most} MiB as HTML", most=HTML_BYTES >> 20)
            )
        shown.write("<br>\n" if number else "")
        shown.write(_escape(line))


def to_ascii(markup: str) -> str:
    """Return HTML with every character above 127 as a numeric reference."""
    if markup.isascii():
        return markup
    slices = range(0, len(markup), TEXT_SLICE_CHARS)  # no step holds the interpreter for long
    return "".join(
        [
            markup[at : at + TEXT_SLICE_CHARS].encode("ascii", "xmlcharrefreplace").decode("ascii")
            for at in slices
        ]
    )


def _block(shown: StringIO) -> str:
    return f'<div style="font-family: monospace">{to_ascii(shown.getvalue())}</div>'


def _escape(lines: str) -> str:
    shown = html.escape(lines.expandtabs(_TAB_WIDTH), quote=False)
    shown = f"\n{shown}".replace("\n ", "\n&nbsp;").replace("  ", " &nbsp;")
    return shown[1:].replace("\n", "<br>\n")


def _flow(lines: Iterator[str], delsp: bool) -> Iterator[_Line]:
    """Join the lines that a mailer broke (RFC 3676 §4.1)."""
    paragraph: list[str] = []
    before = 0
    for line in lines:
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        signature = content == _SIGNATURE
        if paragraph and (before != depth or signature):
            yield _Line(before, "".join(paragraph))
            paragraph = []
        before = depth
        if content.endswith(" ") and not signature:
            paragraph.append(content[:-1] if delsp else content)
            continue
        paragraph.append(content)
        yield _Line(depth, "".join(paragraph))
        paragraph = []
    if paragraph:
        yield _Line(before, "".join(paragraph))
