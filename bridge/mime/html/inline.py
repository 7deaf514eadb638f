"""HTML bodies made fit to travel alone: inline images inside, scripts out, one document.

What a reader sees stays as it was. Two things are changed: ``cid:`` references by which an image
is shown become ``data:`` URIs, because the API carries no related parts; ``script`` elements
go, because no mail program runs them and many providers refuse mail for them. A ``cid:`` in a
link, in text or in a comment shows nothing and is left alone: what it names travels as a file.

Time is linear in the size, whatever the markup.

RFCs: 2392 (cid:), 2397 (data:), 2557 (Content-Location is left alone).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from bridge.mime.html.from_text import to_ascii

_CID = re.compile(r"(?i)\s*cid:")
_STYLE_CID = re.compile(
    r"(?i)/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)"
    r"|\burl\(\s*+(?:[\"']|&quot;|&#(?:34|39|x22|x27);)?\s*+(cid:[^\s\"'()&]+)"
)
_SET_CID = re.compile(r"(?i)(?<![^\s,\"'])cid:[^\s\"']*[^\s,\"']")
_TAG = re.compile(r"<(!--|[A-Za-z][^\s/>]*)")
_ATTRIBUTE = re.compile(r"[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*([\"']|[^\s>\"'][^\s>]*)?)?")
_COMMENT_END = re.compile(r"--!?>")
_SHOWING = frozenset(
    {
        *(("img", "src"), ("input", "src"), ("image", "href"), ("image", "xlink:href")),
        *(("v:imagedata", "src"), ("v:fill", "src"), ("video", "poster"), ("image", "src")),
    }
)
"""Attributes by which an element shows an image; ``background`` and ``style`` do on any."""
_RAW_TEXT = re.compile(r"(?i)<(script|style|title)\b|<!(--)")
_HEAD = re.compile(r"(?i)<(head)\b")
_STYLE = re.compile(r"(?i)<(style)\b")
_CLOSINGS = {
    "--": re.compile("-->"),
    **{name: re.compile(rf"(?i)</{name}\s*>") for name in ("head", "script", "style", "title")},
}
_UNSHOWN = {
    name: re.compile(rf"(?i)</{name}\s*>")
    for name in ("iframe", "noembed", "noframes", "template", "textarea", "xmp")
}
_BODY = re.compile(r"(?i)<body\b([^<>]*)>")
_BODY_END = re.compile(r"(?i)</body\s*>")
_FRAME = re.compile(r"(?i)<!doctype[^<>]*>|</?(?:html|body)\b[^<>]*>")
_DOCUMENT = re.compile(r"(?i)<(?:!doctype|html|head|body)\b")


class Reference(NamedTuple):
    """Where the HTML shows an image: ``markup[start:end]`` is its ``cid:`` URL."""

    start: int
    end: int
    url: str

    def content_ids(self) -> tuple[str, ...]:
        """Return the Content-IDs it may mean: as it stands, and without URL escapes."""
        name = html.unescape(self.url).strip()[len("cid:") :].strip("<>")
        return tuple(dict.fromkeys((name, unquote(name))))


def references(markup: str) -> list[Reference]:
    """Return every place where the HTML shows an image of the same message, in order."""
    if "cid:" not in markup.lower():
        return []
    found: list[Reference] = []
    at = 0
    while tag := _TAG.search(markup, at):
        name = tag[1].lower()
        if name == "!--":
            closing = _COMMENT_END.search(markup, tag.start() + 2)
            if closing is None:
                break
            at = closing.end()
            continue
        spans, at = _attributes(markup, tag.end())
        if at < 0:  # cut off inside a tag: no program shows the rest
            break
        found += _shown_by(markup, name, spans)
        closing_tag = _CLOSINGS.get(name) or _UNSHOWN.get(name)
        if closing_tag is None or name == "head":
            continue
        closing = closing_tag.search(markup, at)
        if name == "style":
            found += _in_style(markup, at, closing.start() if closing else len(markup))
        if closing is None:
            break
        at = closing.end()
    return found


def _attributes(markup: str, at: int) -> tuple[list[tuple[str, int, int]], int]:
    """Return a tag's attributes with the spans of their values, and where the tag ends, else -1.

    Of two of one name the first counts (HTML §13.2.5.33).
    """
    found: dict[str, tuple[str, int, int]] = {}
    while attribute := _ATTRIBUTE.match(markup, at):
        at = attribute.end()
        if attribute[2] in ('"', "'"):
            end = markup.find(attribute[2], at)
            if end < 0:
                return [], -1
            found.setdefault(attribute[1].lower(), (attribute[1].lower(), at, end))
            at = end + 1
        elif attribute[2]:
            found.setdefault(attribute[1].lower(), (attribute[1].lower(), *attribute.span(2)))
    end = markup.find(">", at)
    return list(found.values()), end + 1 if end >= 0 else -1


def _shown_by(markup: str, tag: str, spans: list[tuple[str, int, int]]) -> Iterator[Reference]:
    if tag == "input" and not _is_image_button(markup, spans):
        return
    for attribute, start, end in spans:
        yield from _shown(markup, tag, attribute, start, end)


def _is_image_button(markup: str, spans: list[tuple[str, int, int]]) -> bool:
    kinds = [markup[start:end] for attribute, start, end in spans if attribute == "type"]
    return bool(kinds) and kinds[0].strip().lower() == "image"


def _shown(markup: str, tag: str, attribute: str, start: int, end: int) -> Iterator[Reference]:
    if attribute == "style":
        yield from _in_style(markup, start, end)
    elif attribute == "srcset" and tag in ("img", "source"):
        for url in _SET_CID.finditer(markup, start, end):
            yield Reference(url.start(), url.end(), url[0])
    elif _shows_image(tag, attribute) and _CID.match(markup, start, end):
        yield Reference(start, end, markup[start:end])


def _shows_image(tag: str, attribute: str) -> bool:
    return attribute == "background" or (tag, attribute) in _SHOWING


def _in_style(markup: str, start: int, end: int) -> Iterator[Reference]:
    for url in _STYLE_CID.finditer(markup, start, end):
        if url[1]:  # else a comment
            yield Reference(*url.span(1), url[1])


def inline_images(markup: str, uris: list[tuple[Reference, str]]) -> str:
    """Put a URI in the place of each reference; they are given in order."""
    pieces: list[str] = []
    at = 0
    for reference, uri in uris:
        pieces += (markup[at : reference.start], uri)
        at = reference.end
    return "".join([*pieces, markup[at:]])


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
        elif markup.rfind("<", at, start) > markup.rfind(">", at, start):
            pieces.append(" ")  # or what is around it could make up another
        at = end
    return "".join([*pieces, to_ascii(markup[at:])])


def join(fragments: list[str]) -> str:
    """Return one HTML document that shows the fragments, which are ``clean``, one below the other.

    A single fragment that is a document already is returned as it is. What is taken out of one may
    begin in the middle of its ``style``, so the whole is cleaned once more.
    """
    if len(fragments) == 1 and _DOCUMENT.search(fragments[0]):
        return fragments[0]
    shown = "\n".join(map(_inside, fragments))
    return clean(f"<!DOCTYPE html>\n<html><body>\n{shown}\n</body></html>\n")


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
