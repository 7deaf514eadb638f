"""Octets as text, in whatever charset they came in. Pure; nothing raises on any bytes.

A charset that is declared and known is used, whatever single octets say: what is no letter in it
becomes U+FFFD, and all else stays readable. Another one is guessed, for the whole, only where
invalid octets outnumber the letters of several octets that are valid. A byte order mark counts
before all that, and what octets say themselves where nothing is declared. ``Decoded.guess`` says
what was assumed or lost, so that it can be marked: in a legal act nobody should have to find out.

Encoding Standard §4.2 and §6; HTML §13.2.3.2 (``meta``, XML declarations); RFC 2152 (UTF-7).
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from bridge.charset.evidence import escapes_to_jis, marked_codec, order_of, unmarked_codec
from bridge.charset.labels import codec_of, is_unsaid

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_WINDOWS: Final = "Windows-1252"
_LABEL_LIMIT_CHARS = 40
_MOST_MENDED = 50_000  # faults of one text are looked at one by one
_SURROGATES = re.compile("[\ud800-\udfff]")
_SEVERAL: Final = "big5 cp932 cp949 cp950 euc gb hz iso2022 johab shift utf"
_OF_SEVERAL_OCTETS: Final = tuple(_SEVERAL.split())
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WIDE = ("utf_16", "utf_32")
"""Even ASCII takes several octets in these."""
_WITH_ESCAPES = ("iso2022", *_WIDE)
_CUT_LETTER = re.compile(rb"(?:[\xc2\xc3]|[\xe0-\xef][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{1,2})\Z")
"""The beginning of a UTF-8 letter at the very end, where it means no letter of Windows-1252."""
_HIGH: Final = bytes(range(0x80, 0x100))
_META_BYTES = 1024
_HIDDEN = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_META = re.compile(
    rb"(?i)<meta[\s/][^>]*?\bcharset\s*+=\s*+[\"']?\s*+([^\s\"'/>;]+)"
    rb"|\A<\?xml\s[^>]*?\bencoding\s*+=\s*+[\"']([^\s\"'>]+)"
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """``text``, and in ``guess`` what was assumed or lost against the declaration, or ""."""

    text: str
    guess: str = ""

    @property
    def damaged(self) -> bool:
        """Whether the text may not be the one that was written."""
        return bool(self.guess)


def decode_text(content: bytes, charset: str) -> Decoded:
    """Decode ``content`` as ``charset`` declares, or as well as can be."""
    if not charset and content.isascii() and b"\x1b" not in content and b"\0" not in content:
        return Decoded(content.decode("ascii"))  # nearly every field of a header
    label = charset.strip(" \t\r\n\"'")
    if content.startswith(codecs.BOM_UTF8):
        return _decode(content, "utf_8", "utf-8")
    unsaid = is_unsaid(label)
    codec = codec_of(label)
    if marked := marked_codec(content, None if unsaid else codec):
        return _decode(content, marked, "utf-16")
    if unsaid:
        return _decode_unsaid(content)
    if codec == "utf_16" and not content.startswith(_MARKS):
        codec = order_of(content)
    if not (codec or "").startswith(_WITH_ESCAPES) and escapes_to_jis(content):
        guess = f"not {label.lower()[:_LABEL_LIMIT_CHARS]!a}, read as ISO-2022-JP"
        return Decoded(content.decode("iso2022_jp_ext"), guess)
    if codec is not None:
        return _decode(content, codec, label.lower()[:_LABEL_LIMIT_CHARS])
    read = _decode(content, "utf_8", "UTF-8")
    used = _WINDOWS if read.guess.endswith(_WINDOWS) else "UTF-8"
    return Decoded(read.text, f"unknown charset {label[:_LABEL_LIMIT_CHARS]!a}, read as {used}")


def decode_html(content: bytes, charset: str) -> Decoded:
    """Decode HTML likewise; where nothing is declared its own ``meta`` counts.

    It does not where it is plainly wrong, since text is often written anew and ``meta`` is not.
    """
    if codec_of(charset) is not None or not is_unsaid(charset):
        return decode_text(content, charset)
    meta = _META.search(_HIDDEN.sub(b"", content[:_META_BYTES]))
    label = (meta[1] or meta[2]).decode("ascii", "replace") if meta else ""
    codec = codec_of(label)
    if codec is None or codec.startswith(_WIDE) or (not content.isascii() and _is_utf8(content)):
        return _decode_unsaid(content)
    return decode_text(content, label)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decode_unsaid(content: bytes) -> Decoded:
    """Decode as UTF-8 or else Windows-1252; neither is worth a mark, only what is lost."""
    if codec := unmarked_codec(content):
        return _decode(content, codec, codec.replace("_", "-"))
    read = _decode(content, "utf_8", "UTF-8")
    is_whole = read.guess.endswith(_WINDOWS) and _REPLACEMENT not in read.text
    return Decoded(read.text) if is_whole else read


def _decode(content: bytes, codec: str, label: str) -> Decoded:
    try:
        text = content.decode(codec)
    except UnicodeError:
        return _decode_damaged(content, codec, label)
    if codec == "utf_7" and _SURROGATES.search(text):
        return _decode_damaged(content, codec, label)
    return Decoded(text.removeprefix("\ufeff"))


def _decode_damaged(content: bytes, codec: str, label: str) -> Decoded:
    text = _readable(content, codec)
    invalid, letters = _damage(content, codec, text)
    if invalid > letters and not content.isascii():
        if _is_utf8(content):
            return Decoded(content.decode(), f"not valid {label}, read as UTF-8")
        if codec.startswith(_OF_SEVERAL_OCTETS):
            return Decoded(_readable(content, "cp1252"), f"not valid {label}, read as {_WINDOWS}")
    if not invalid and codec in _OF_JAPAN:
        return Decoded(text)
    return Decoded(text, f"not valid {label}, shown as far as it can be read")


def _readable(content: bytes, codec: str) -> str:
    """Return what can be read, with U+FFFD for all else.

    Takes no step that is slow and holds the interpreter: a decoder's error handling is both.
    """
    if not codec.startswith(_OF_SEVERAL_OCTETS):
        table = import_module(f"encodings.{codec}").decoding_table.replace("\ufffe", _REPLACEMENT)
        return codecs.charmap_decode(content, "strict", table)[0]
    if codec == "utf_7" and len(content.translate(None, _HIGH)) < len(content) - _MOST_MENDED:
        return content.decode("ascii", "replace")
    text = content.decode(codec, "replace")
    if codec in _FAULTS and text.count(_REPLACEMENT) <= _MOST_MENDED:
        text = content.decode(codec, _FAULTS[codec])
    return _SURROGATES.sub(_REPLACEMENT, text).removeprefix("\ufeff")


def _damage(content: bytes, codec: str, text: str) -> tuple[int, int]:
    """Return how many octets are invalid, and how many letters of several octets are not."""
    if codec == "utf_8":
        text = content.decode("utf-8", "ignore")
        cut = _CUT_LETTER.search(content, max(0, len(content) - 3))
        invalid = len(content) - len(text.encode()) - (len(cut[0]) if cut else 0)
        return invalid, len(text) - _ascii_count(text)
    invalid = text.count(_REPLACEMENT)
    if codec.startswith(_WIDE):
        return invalid, len(text) - invalid
    if not codec.startswith(_OF_SEVERAL_OCTETS):
        return invalid, 0
    return invalid, len(text) - invalid - _ascii_count(text)


def _ascii_count(text: str) -> int:
    return len(text.encode("ascii", "ignore"))


# -- what Python's decoders lose more of than they have to -----------------------------------------


def _keep_ascii(fault: UnicodeError) -> tuple[str, int]:
    """Keep the characters of a sequence that is none: ``C++``, ``tel. +39`` (RFC 2152)."""
    if not isinstance(fault, UnicodeDecodeError):
        raise fault
    return fault.object[fault.start : fault.end].decode("ascii", "replace"), fault.end


def _by_windows(fault: UnicodeError) -> tuple[str, int]:
    """Read what NEC and IBM put into empty rows of JIS X 0208, as Windows-31J has them.

    The Encoding Standard's decoders of EUC-JP and ISO-2022-JP read them too (§6, index jis0208).
    """
    if not isinstance(fault, UnicodeDecodeError):
        raise fault
    pair = fault.object[fault.start : fault.start + 2]
    if fault.encoding == "euc_jp":
        pair = bytes(octet - 0x80 for octet in pair if octet >= 0x80)
    elif fault.end - fault.start != 2:
        pair = b""
    if len(pair) < 2 or not all(0x21 <= octet <= 0x7E for octet in pair):
        return _REPLACEMENT, fault.end
    try:
        return _shifted(*pair).decode("cp932"), fault.start + 2
    except UnicodeDecodeError:
        return _REPLACEMENT, fault.end


def _shifted(row: int, cell: int) -> bytes:
    """Return the two octets of Shift_JIS for a row and cell of JIS X 0208, each from 0x21 on."""
    lead = (row - 0x21 >> 1) + 0x81
    trail = cell + (0x7E if row % 2 == 0 else 0x1F if cell < 0x60 else 0x20)
    return bytes((lead + 0x40 if lead > 0x9F else lead, trail))


codecs.register_error("bridge.keep-ascii", _keep_ascii)
codecs.register_error("bridge.by-windows", _by_windows)
_OF_JAPAN: Final = frozenset({"euc_jp", "iso2022_jp_ext"})
_FAULTS: Final = {"utf_7": "bridge.keep-ascii"} | dict.fromkeys(_OF_JAPAN, "bridge.by-windows")
