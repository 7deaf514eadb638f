"""HTML bodies made fit to travel alone: inline images inside, scripts out, one document.

What a reader sees stays as it was. Two things are changed: ``cid:`` references to parts of the
same message become ``data:`` URIs, because the API carries no related parts; ``script`` elements
go, because no mail program runs them and many providers refuse mail for them.

Time is linear in the size, whatever the markup.

RFCs: 2392 (cid:), 2397 (data:), 2557 (Content-Location is left alone).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from bridge.mime.html_text import to_ascii

_CID = re.compile(r"(?i)(?<![\w:])cid:([^\s\"'<>)]+)")
_RAW_TEXT = re.compile(r"(?i)<(script|style|title)\b|<!(--)")
_HEAD = re.compile(r"(?i)<(head)\b")
_STYLE = re.compile(r"(?i)<(style)\b")
_CLOSINGS = {
    "--": re.compile("-->"),
    **{name: re.compile(rf"(?i)</{name}\s*>") for name in ("head", "script", "style", "title")},
}
_BODY = re.compile(r"(?i)<body\b([^<>]*)>")
_BODY_END = re.compile(r"(?i)</body\s*>")
_FRAME = re.compile(r"(?i)<!doctype[^<>]*>|</?(?:html|body)\b[^<>]*>")
_DOCUMENT = re.compile(r"(?i)<(?:!doctype|html|head|body)\b")


def content_ids(markup: str) -> frozenset[str]:
    """Return the Content-IDs that the HTML refers to."""
    return frozenset(_content_id(match) for match in _CID.finditer(markup))


def inline_images(markup: str, data_uri: Callable[[str], str | None]) -> str:
    """Replace each ``cid:`` reference for whose Content-ID ``data_uri`` knows a URI."""
    return _CID.sub(lambda match: data_uri(_content_id(match)) or match[0], markup)


def _content_id(match: re.Match[str]) -> str:
    return unquote(html.unescape(match[1]))


def clean(markup: str) -> str:
    """Return the HTML without scripts, in ASCII.

    A numeric reference means the same character whatever charset the mail is made in, but not
    inside ``style`` and comments, where it is text: those keep their characters.
    """
    pieces = []
    at = 0
    for name, start, end in _elements(markup, _RAW_TEXT):
        pieces.append(to_ascii(markup[at:start]))
        if name == "title":
            pieces.append(to_ascii(markup[start:end]))
        elif name != "script":
            pieces.append(markup[start:end])
        at = end
    return "".join([*pieces, to_ascii(markup[at:])])


def join(fragments: list[str]) -> str:
    """Return one HTML document that shows the fragments one below the other.

    A single fragment that is a document already is returned as it is.
    """
    if len(fragments) == 1 and _DOCUMENT.search(fragments[0]):
        return fragments[0]
    shown = "\n".join(map(_inside, fragments))
    return f"<!DOCTYPE html>\n<html><body>\n{shown}\n</body></html>\n"


def _inside(markup: str) -> str:
    """Return what a document shows, as an element that can stand among others."""
    if not _DOCUMENT.search(markup):
        return markup
    opening = _BODY.search(markup)
    if opening is None:
        heads = list(_elements(markup, _HEAD))
        styles = "".join(_styles(markup[start:end]) for _name, start, end in heads)
        return f"{styles}<div>{_FRAME.sub('', _without(markup, heads))}</div>"
    closing = _BODY_END.search(markup, opening.end())
    shown = markup[opening.end() : closing.start() if closing else len(markup)]
    styles = _styles(markup[: opening.start()])
    return f"{styles}<div{opening[1]}>{_FRAME.sub('', shown)}</div>"


def _styles(markup: str) -> str:
    return "".join(markup[start:end] for _name, start, end in _elements(markup, _STYLE))


def _without(markup: str, spans: list[tuple[str, int, int]]) -> str:
    starts = [0, *(end for _name, _start, end in spans)]
    ends = [*(start for _name, start, _end in spans), len(markup)]
    return "".join(markup[start:end] for start, end in zip(starts, ends, strict=True))


def _elements(markup: str, opening: re.Pattern[str]) -> Iterator[tuple[str, int, int]]:
    """Give name, start and end of each element (or comment) that is closed, in order."""
    unclosed: set[str] = set()
    at = 0
    while found := opening.search(markup, at):
        name = str(found[found.lastindex or 0]).lower()
        closing = None if name in unclosed else _CLOSINGS[name].search(markup, found.end())
        if closing is None:
            unclosed.add(name)
            at = found.end()
            continue
        at = closing.end()
        yield name, found.start(), at
