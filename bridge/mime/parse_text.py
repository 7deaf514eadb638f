"""What sending reads as text: words, bodies and addresses, as Unicode. Nothing raises.

RFCs: 2047 (encoded words), 5322 §3.4 (addresses).
"""

from __future__ import annotations

import re
from email.utils import getaddresses
from inspect import signature

from bridge.charset.decode import Decoded, decode_html, decode_text
from bridge.charset.labels import codec_of as text_codec
from bridge.mime.words import decode_field, decode_phrase, decode_words

__all__ = [
    "Decoded",
    "addresses",
    "decode_field",
    "decode_html",
    "decode_phrase",
    "decode_text",
    "decode_words",
    "one_line",
    "text_codec",
]

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LENIENT = {"strict": False} if "strict" in signature(getaddresses).parameters else {}
"""Python's later patch releases take a list with one fault in it for empty unless told so."""
_WORD_CHAR = r"[^\s\"(),:;<>@\[\\\]]"
_ADDR_SPEC = rf"({_WORD_CHAR}+@{_WORD_CHAR}+)"
_NAME = rf"(?:\"[^\"\\]*\" ?|(?:{_WORD_CHAR}+ )*)"
_ONE_ADDRESS = re.compile(rf"{_NAME}<{_ADDR_SPEC}>|{_ADDR_SPEC}")
"""A field with one address and no oddity: nearly all there are, read in a tenth of the time."""
_UNQUOTED_NAME = re.compile(r"[^\"(),:;<>]++(<[^<>\s]+@[^<>\s]+>)?")
"""Words, and the address in brackets behind them, before which an ``@`` is part of a name."""
_SPACES = re.compile(r"\s+")


def one_line(value: str) -> str:
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
    bare = [_UNQUOTED_NAME.sub(lambda name: name[1] or name[0], value) for value in values]
    for _name, address in getaddresses(bare, **_LENIENT):
        local, _at, domain = address.strip().rpartition("@")
        if local and domain:
            found.setdefault(address.strip().casefold(), address.strip())
    return tuple(found.values())
