"""What octets say of their charset themselves, where nobody else does. Pure; never raises.

A byte order mark goes before every declaration (Encoding Standard §6.1). UTF-16 without one is
known by where its zeros are, and ISO-2022-JP, which is all ASCII, by its escapes: read as anything
else both are garbage that no decoder complains of.

Encoding Standard §6.1 and §12.2 (ISO-2022-JP); RFC 2781 §4.3 (the order of octets).
"""

from __future__ import annotations

import codecs
import re

_UTF_32_MARK = codecs.BOM_UTF32_LE
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_JIS_ESCAPE = re.compile(rb"\x1b(?:\$[@B]|\(J)")
_LOOK_BYTES = 1 << 16
_FEWEST_ZEROS = 4


def marked_codec(content: bytes, codec: str | None) -> str | None:
    """Return the codec that a mark of UTF-16 at the beginning names, None without one.

    ``codec`` is the declared one, None if there is none; where octets mean letters in it that are
    no mark (as 0xFF 0xFE does in Windows-1251), only zeros behind them show that it is one.
    """
    if not content.startswith(_UTF_16_MARKS) or content.startswith(_UTF_32_MARK):
        return None
    if b"\0" in content[:_LOOK_BYTES]:
        return "utf_16"
    return "utf_16" if codec in (None, "utf_8") and _is_valid(content, "utf_16") else None


def unmarked_codec(content: bytes) -> str | None:
    """Return the codec of octets of which nothing is declared, None if they don't tell it."""
    if escapes_to_jis(content):
        return "iso2022_jp_ext"
    if b"\0" not in content[:_LOOK_BYTES]:
        return None  # nearly every text, and every field of a header, ends here
    codec = order_of(content)
    return codec if _is_mostly_latin(content[:_LOOK_BYTES], codec) else None


def escapes_to_jis(content: bytes) -> bool:
    """Say whether octets are ISO-2022-JP: all of ASCII, with its escapes, and valid."""
    if not (b"\x1b" in content and content.isascii() and _JIS_ESCAPE.search(content)):
        return False
    return _is_valid(content, "iso2022_jp_ext")


def order_of(content: bytes) -> str:
    """Return ``utf_16_le`` or ``utf_16_be`` for UTF-16 without a mark.

    The upper halves of letters differ less than the lower ones and are mostly zero. Where they
    tell nothing it is the order of Intel's, as the Encoding Standard has it for ``utf-16``.
    """
    even, odd = content[:_LOOK_BYTES:2], content[1:_LOOK_BYTES:2]
    zeros = even.count(0) - odd.count(0)
    more = len(set(odd)) - len(set(even))
    return "utf_16_be" if zeros > 0 or (zeros == 0 and more > 0) else "utf_16_le"


def _is_valid(content: bytes, codec: str) -> bool:
    try:
        content.decode(codec)
    except UnicodeError:
        return False
    return True


def _is_mostly_latin(content: bytes, codec: str) -> bool:
    """Say whether nearly all upper halves are zero and no lower half is."""
    upper, lower = content[codec == "utf_16_le" :: 2], content[codec == "utf_16_be" :: 2]
    zeros = upper.count(0)
    return zeros >= _FEWEST_ZEROS and zeros * 4 >= len(upper) * 3 and 0 not in lower
