"""HTML as the text its reader sees, for searching and previews.

Not a browser: tags, comments, scripts and styles go and leave nothing in their place, what begins
a line of its own gives a line end, references become characters. Time is linear in the size,
whatever the bytes; what is cut off in the middle (an unfinished comment or style) swallows the
rest, as browsers have it. HTML §13.2.5.41 to §13.2.5.51 (comments).
"""

from __future__ import annotations

import html
import re
from typing import Final

from bridge.limits import TEXT_SLICE_CHARS

_TO_TAG_END: Final = r"(?:(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+|[^<>]*+)>"
_HIDDEN = re.compile(r"(?i)<(?:(!--)|(script|style|title|template)\b[^<>]*+>)")
_EMPTY_COMMENT = re.compile(r"-?>")
_HIDDEN_ENDS = {
    "!--": re.compile(r"--!?>"),
    "script": re.compile(r"(?i)</script\b[^<>]*+>?"),
    "style": re.compile(r"(?i)</style\b[^<>]*+>?"),
    "title": re.compile(r"(?i)</title\b[^<>]*+>?"),
    "template": re.compile(r"(?i)</template\b[^<>]*+>?"),
}
_BREAK = re.compile(
    r"(?i) ?</?(?:address|article|aside|blockquote|body|br|caption|center|dd|div|dl|dt|fieldset"
    r"|figcaption|figure|footer|form|h[1-6]|head|header|hr|html|li|main|nav|ol|option|p|pre"
    r"|section|table|tbody|tfoot|thead|tr|ul)\b" + _TO_TAG_END + " ?"
)
_CELL = re.compile(r"(?i)</?t[dh]\b" + _TO_TAG_END)
_TAG = re.compile(r"(?i)<(?:/?[a-z]|!doctype)" + _TO_TAG_END + r"|<(?:[!?]|/(?![a-z]))[^>]*+>")
"""A tag, or what counts as a comment although it is none: that ends at the first ``>``."""
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{8,});?")
"""Above every character, and too much for the standard library once there are enough digits."""


def markup_text(markup: str) -> str:
    """Return what a reader sees of ``markup``, one line for each block of it."""
    if "<" in markup:
        markup = _collapsed(_shown(markup))
        markup = _BREAK.sub("\n", markup)
        markup = _CELL.sub(" ", markup)
        end = markup.rfind(">") + 1  # behind it a tag would be looked for in vain, each to the end
        markup = _TAG.sub("", markup[:end]) + markup[end:]
        markup = _tidied(markup)
    if "&" in markup:
        markup = html.unescape(_LONG_REFERENCE.sub("\N{REPLACEMENT CHARACTER}", markup))
    return markup


def _collapsed(text: str) -> str:
    """Return a text with each run of blanks as one, and none at its ends.

    In slices: as a list of words a text would take ten times its size.
    """
    kept: list[str] = []
    apart = False
    for at in range(0, len(text), TEXT_SLICE_CHARS):
        piece = text[at : at + TEXT_SLICE_CHARS]
        words = " ".join(piece.split())
        if words:
            kept += [" ", words] if kept and (apart or piece[0].isspace()) else [words]
        apart = piece[-1].isspace() or (apart and not words)
    return "".join(kept)


def _tidied(text: str) -> str:
    """Return a text without its empty lines, and without blanks round the others."""
    kept: list[str] = []
    at = 0
    while at < len(text):
        end = text.rfind("\n", at, at + TEXT_SLICE_CHARS) + 1 or text.find("\n", at) + 1
        lines = text[at : end or len(text)].split("\n")
        kept.append("\n".join(filter(None, map(_collapsed, lines))))
        at = end or len(text)
    return "\n".join(filter(None, kept))


def _shown(markup: str) -> str:
    """Return ``markup`` without the elements whose content is never shown, and comments."""
    pieces: list[str] = []
    at = 0
    while opening := _HIDDEN.search(markup, at):
        pieces.append(markup[at : opening.start()])
        ending = _ending(markup, opening)
        at = ending.end() if ending else len(markup)
    pieces.append(markup[at:])
    return "".join(pieces)


def _ending(markup: str, opening: re.Match[str]) -> re.Match[str] | None:
    kind = (opening[1] or opening[2]).lower()
    at = opening.end()
    empty = _EMPTY_COMMENT.match(markup, at) if opening[1] else None
    return empty or _HIDDEN_ENDS[kind].search(markup, at)
