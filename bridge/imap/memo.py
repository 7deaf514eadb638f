"""What ends a command, remembered by its text: a client asks for the same things all day.

Only texts that parse are worth remembering, and only arguments that hold no secret may be: the
callers are FETCH and STATUS. Values are shared between sessions, so they must be immutable.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from bridge.imap.errors import ImapFault
from bridge.imap.framing import CommandLine
from bridge.imap.syntax import Scanner

T = TypeVar("T")

TEXTS = 256
TEXT_LIMIT_BYTES = 256


def memoized(take: Callable[[Scanner], T]) -> Callable[[Scanner], T]:
    """Return ``take`` with a memory; where it does not take all that is left, it takes anew."""

    @lru_cache(maxsize=TEXTS)
    def known(text: bytes) -> T | None:
        scanner = Scanner(CommandLine(text, ()))
        try:
            value = take(scanner)
            scanner.end()
        except ImapFault:
            return None
        return value

    def taken(scanner: Scanner) -> T:
        text = scanner.rest()
        if len(text) <= TEXT_LIMIT_BYTES and b"{" not in text:  # a literal is not in the text
            value = known(text)
            if value is not None:
                scanner.skip(len(text))
                return value
        return take(scanner)

    return taken
