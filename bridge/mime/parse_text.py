"""Header words, addresses and text in whatever charset they came in, as Unicode.

Nothing raises on any bytes. ``decode_text`` says when it had to guess, so that the guess can be
marked: in a legal act nobody should have to find out by himself.

RFCs: 2047 (encoded words), 2231, 5322 §3.4 (addresses).
"""

from __future__ import annotations

import binascii
import codecs
import re
from dataclasses import dataclass
from email.utils import getaddresses
from inspect import signature

_UNDECLARED = {"", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown", "unknown"}
_NO_CHARSETS = frozenset(
    {"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
"""Codecs for text that are nobody's charset."""
_LATIN = {"iso8859-1", "latin-1"}
_C1 = re.compile(rb"[\x80-\x9f]")
_ALIASES = {
    "cp-850": "cp850",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
    "x-sjis": "shift_jis",
    "x-gbk": "gbk",
    "x-euc-jp": "euc_jp",
    "ansi": "cp1252",
    "windows-31j": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6",
    "utf8mb4": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WORD = re.compile(r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bBqQ])\?([^?]*)\?=")
_LENIENT = {"strict": False} if "strict" in signature(getaddresses).parameters else {}
"""Python's later patch releases take a list with one fault in it for empty unless told so."""
_WORD_CHAR = r"[^\s\"(),:;<>@\[\\\]]"
_ADDR_SPEC = rf"({_WORD_CHAR}+@{_WORD_CHAR}+)"
_NAME = rf"(?:\"[^\"\\]*\" ?|(?:{_WORD_CHAR}+ )*)"
_ONE_ADDRESS = re.compile(rf"{_NAME}<{_ADDR_SPEC}>|{_ADDR_SPEC}")
"""A field with one address and no oddity: nearly all there are, read in a tenth of the time."""
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Decoded:
    """``text``, and in ``guess`` what was assumed against or without the declaration, or ""."""

    text: str
    guess: str = ""


def decode_text(content: bytes, charset: str) -> Decoded:
    """Decode ``content`` as ``charset`` declares, or as well as can be."""
    declared = charset.strip().strip("\"'").lower()
    if declared in _UNDECLARED:
        return Decoded(_guess(content)[0])
    codec = text_codec(declared)
    if codec is None:
        text, used = _guess(content)
        return Decoded(text, f"unknown charset {charset.strip()!r}, read as {used}")
    if codec in _LATIN and _C1.search(content):
        codec = "cp1252"  # every mail client reads it so; C1 controls have no shape
    try:
        return Decoded(content.decode(codec).removeprefix("\ufeff"))
    except (UnicodeError, ValueError):
        text, used = _guess(content)
        return Decoded(text, f"not valid {declared}, read as {used}")


def text_codec(charset: str) -> str | None:
    """Return Python's name of a charset's codec, None where it has none for text."""
    try:
        info = codecs.lookup(_ALIASES.get(charset, charset))
    except (LookupError, ValueError):
        return None
    if info.name in _NO_CHARSETS:
        return None
    return info.name if getattr(info, "_is_text_encoding", True) else None


def _guess(content: bytes) -> tuple[str, str]:
    try:
        return content.decode("utf-8").removeprefix("\ufeff"), "UTF-8"
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), "Windows-1252"


def decode_words(value: str) -> str:
    """Decode the encoded words (RFC 2047) in an unfolded header value.

    Neighbours of one charset are joined before they are decoded: mailers cut letters in two.
    """
    if "=?" not in value:
        return value
    text = ""
    pending: tuple[str, bytes] = ("", b"")
    at = 0
    for word in _WORD.finditer(value):
        between = value[at : word.start()]
        charset = word[1].lower()
        content = _word_content(word[2], word[3])
        at = word.end()
        if content is None:
            text += _flush(pending) + between + word[0]
            pending = ("", b"")
        elif not pending[0]:
            text += between
            pending = (charset, content)
        elif between.strip() or charset != pending[0]:
            text += _flush(pending) + (between if between.strip() else "")
            pending = (charset, content)
        else:
            pending = (charset, pending[1] + content)
    return text + _flush(pending) + value[at:]


def _flush(pending: tuple[str, bytes]) -> str:
    charset, content = pending
    return decode_text(content, charset).text if charset else ""


def _word_content(encoding: str, encoded: str) -> bytes | None:
    content = encoded.encode("ascii", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(content, header=True)
    try:
        return binascii.a2b_base64(content + b"=" * (-len(content) % 4))
    except binascii.Error:
        return None


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
    for _name, address in getaddresses(values, **_LENIENT):
        local, _at, domain = address.strip().rpartition("@")
        if local and domain:
            found.setdefault(address.strip().casefold(), address.strip())
    return tuple(found.values())
