"""Mailbox names: modified UTF-7, one spelling for each, LIST's wildcards.

RFC 3501 §5.1, §5.1.3, §6.3.8; RFC 9051 §5.1 (names in UTF-8); RFC 6855 §3 (which letters).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import lru_cache

from bridge.charset.normalise import normalised

DELIMITER = "/"
INBOX = "INBOX"

NAME_LIMIT_BYTES = 255
NORMALISED_CHARS = 1024
"""A longer name is no mailbox's in any spelling."""

# RFC 6855 §3: no control characters, DEL, LINE SEPARATOR or PARAGRAPH SEPARATOR
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SHIFTED = re.compile(r"&([^&-]*+)-")
_UNSAFE = re.compile(r"[^\x20-\x25\x27-\x7e]+")


def decode(encoded: str) -> str:
    """Return the name that modified UTF-7 stands for (RFC 3501 §5.1.3).

    Raises:
        ValueError: a shift sequence is broken.
    """

    def shifted(match: re.Match[str]) -> str:
        if not match[1]:
            return "&"
        text = match[1].replace(",", "/")
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        return raw.decode("utf-16-be")

    decoded = _SHIFTED.sub(shifted, encoded)
    if _SHIFTED.sub("", encoded).count("&"):
        raise ValueError("a shift sequence is not ended")
    return decoded


def encode(name: str) -> str:
    """Return a name in modified UTF-7 (RFC 3501 §5.1.3)."""

    def shift(match: re.Match[str]) -> str:
        text = base64.b64encode(match[0].encode("utf-16-be")).decode().rstrip("=")
        return "&" + text.replace("/", ",") + "-"

    return "".join(
        "&-" if part == "&" else _UNSAFE.sub(shift, part) for part in re.split("(&)", name)
    )


def canonical(name: str) -> str:
    """Return the one spelling of a name: in NFC, INBOX in capitals, also as first level.

    Letters that look the same are the same, however a client composes them (RFC 9051 §5.1).
    """
    if len(name) <= NORMALISED_CHARS:
        name = normalised("NFC", name)
    first, delimiter, rest = name.partition(DELIMITER)
    is_inbox = first.isascii() and first.upper() == INBOX
    return INBOX + delimiter + rest if is_inbox else name


def spelled_otherwise(written: str) -> bool:
    """Say whether a name goes under another spelling, INBOX aside, which everybody knows."""
    name = canonical(written)
    return name != written and name != INBOX


def fault_of(name: str) -> str:
    """Return why no mailbox may be called ``name``, "" if one may."""
    if len(name) > NAME_LIMIT_BYTES or len(name.encode()) > NAME_LIMIT_BYTES:
        return "the mailbox name is too long"
    if "" in name.split(DELIMITER):
        return "a mailbox name has no empty level"
    if _CONTROL.search(name):
        return "a mailbox name holds no control characters"
    if "*" in name or "%" in name:
        return "a mailbox name holds no wildcard"
    return ""


@lru_cache(maxsize=256)
def _pieces(written: str) -> tuple[str, ...]:
    """Return a LIST pattern as text and wildcards: ``*`` anything, ``%`` anything but levels."""
    pieces = re.split(r"([*%]+)", canonical(written))
    return tuple(
        piece if at % 2 == 0 else "*" if "*" in piece else "%" for at, piece in enumerate(pieces)
    )


def matches(name: str, written: str) -> bool:
    """Say whether ``name`` matches a LIST pattern (RFC 3501 §6.3.8), in time bound by both.

    Keeps every place in ``name`` that what was read of the pattern can end at, as a bit each: a
    regular expression would try each way to get there.
    """
    pieces = _pieces(written)
    if len(pieces) == 1:
        return name == pieces[0]
    if sum(map(len, pieces[::2])) > len(name):
        return False
    within = _where(name, lambda char: char != DELIMITER)
    places = {char: _where(name, char.__eq__) for char in set("".join(pieces[::2]))}
    ends = 1
    for at, piece in enumerate(pieces):
        if at % 2 == 0:
            for char in piece:
                ends = (ends & places[char]) << 1
        elif piece == "*":
            ends = (2 << len(name)) - (ends & -ends)  # from the first one on
        else:
            ends = _spread(ends, within)
        if not ends:
            return False
    return bool(ends >> len(name) & 1)


def _where(name: str, is_meant: Callable[[str], bool]) -> int:
    """Return a bit for each character that is meant, the lowest for the first."""
    return sum(1 << at for at, char in enumerate(name) if is_meant(char))


def _spread(ends: int, within: int) -> int:
    """Return the places reached from ``ends`` over characters that are ``within``."""
    step = 1
    while within:
        ends |= (ends & within) << step
        within &= within >> step
        step *= 2
    return ends


def parents(name: str) -> list[str]:
    """Return the names of the levels above, outermost first."""
    levels = name.split(DELIMITER)
    return [DELIMITER.join(levels[:depth]) for depth in range(1, len(levels))]
