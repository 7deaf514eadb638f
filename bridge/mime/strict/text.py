"""What sending reads as text: words, bodies and addresses, as Unicode. Nothing raises.

RFCs: 2047 (encoded words), 5322 §3.4 (addresses).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import getaddresses
from inspect import signature

from bridge.charset.decode import Decoded, decode_html, decode_text
from bridge.charset.labels import codec_of as text_codec
from bridge.mime.grammar.words import decode_field, decode_phrase, decode_words

__all__ = [
    "Decoded",
    "addresses",
    "comment_end",
    "decode_field",
    "decode_html",
    "decode_phrase",
    "decode_text",
    "decode_words",
    "text_codec",
    "without_breaks",
]

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LENIENT = {"strict": False} if "strict" in signature(getaddresses).parameters else {}
"""Python's later patch releases take a list with one fault in it for empty unless told so."""
_WORD_CHAR = r"[^\s\"(),:;<>@\[\\\]]"
_ADDR_SPEC = rf"({_WORD_CHAR}+@{_WORD_CHAR}+)"
_NAME = rf"(?:\"[^\"\\]*\" ?|(?:{_WORD_CHAR}+ )*)"
_ONE_ADDRESS = re.compile(rf"{_NAME}<{_ADDR_SPEC}>|{_ADDR_SPEC}")
"""A field with one address and no oddity: nearly all there are, read in a tenth of the time."""
_UNQUOTED_NAME = re.compile(r"[^\"(),:;<>]++(<(?=[^<>\s][^<>\s@]*+@[^<>\s])[^<>\s]++>)?")
"""Words, and the address in brackets behind them, before which an ``@`` is part of a name."""
_QUOTED = r"\"(?:[^\"\\]|\\.)*+\""
_UNIT = re.compile(
    rf"(?P<kept>{_QUOTED}|<(?:@[^<>\"():;]*+:)?(?:[^<>\"(),:;]|{_QUOTED})*+>|\[[^\[\]<>\"(),;]*+\]"
    r"|[^\"<\[(,:;]++|[<\[])|(?P<end>[,:;])|(?P<comment>\()",
    re.DOTALL,
)
"""What no comma, colon or semicolon inside of ends an address."""
_PARENTHESIS = re.compile(r"\\.|[()]", re.DOTALL)
_SPACES = re.compile(r"\s+")


def without_breaks(value: str) -> str:
    """Return ``value`` without line ends and controls, runs of white space as one space."""
    return _SPACES.sub(" ", _CONTROL.sub("", value)).strip()


def addresses(values: list[str]) -> tuple[str, ...]:
    """Return the addresses (``local@domain``) in address-list fields, in order, once each.

    As lenient as can be, semicolons between addresses included: what is read here only decides
    whether a message may go, never to whom.
    """
    if len(values) == 1 and (simple := _ONE_ADDRESS.fullmatch(values[0])):
        return (simple[1] or simple[2],)
    found: dict[str, str] = {}
    for value in values:
        for piece in _pieces(_UNQUOTED_NAME.sub(lambda name: name[1] or name[0], value)):
            for address in _of_one(piece):
                local, _at, domain = address.rpartition("@")
                if local and domain:
                    found.setdefault(address.casefold(), address)
    return tuple(found.values())


def _pieces(value: str) -> Iterator[str]:
    """Give what stands between commas, semicolons and the names of groups, without comments.

    A comment or quoted string that does not end goes on to the end of its field.
    """
    kept: list[str] = []
    at = 0
    while unit := _UNIT.match(value, at):
        at = unit.end()
        if unit["kept"]:
            kept.append(unit["kept"])
        elif unit["end"]:
            if unit["end"] != ":" or any("@" in one and one[0] != '"' for one in kept):
                yield "".join(kept)  # else the name of a group
            kept = []
        elif (at := comment_end(value, unit.start())) < 0:
            break
    yield "".join(kept)


def comment_end(value: str, start: int) -> int:
    """Return where the parenthesis at ``start`` is closed, -1 if nowhere."""
    depth = 0
    for mark in _PARENTHESIS.finditer(value, start):
        if mark[0] == "(":
            depth += 1
        elif mark[0] == ")":
            depth -= 1
            if depth == 0:
                return mark.end()
    return -1


def _of_one(piece: str) -> list[str]:
    """Return the addresses in a piece; there may be several with nothing between.

    The library takes time that grows with the square of a list's length, and nests its own calls
    as comments and groups are nested: of those a piece has none.
    """
    piece = piece.strip()
    if "@" not in piece:
        return []
    if simple := _ONE_ADDRESS.fullmatch(piece):
        return [simple[1] or simple[2]]
    return [address.strip() for _name, address in getaddresses([piece], **_LENIENT)]
