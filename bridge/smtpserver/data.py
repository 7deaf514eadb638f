"""The bytes after ``DATA``, from the wire to the message as it was before it was sent.

Sans-IO. Only CR LF ``.`` CR LF ends a message: a dot between bare line feeds is text, so nothing
can be smuggled past the end that another server sees. Bare line feeds become CR LF, the leading
dots of RFC 5321 §4.5.2 are taken away. Works on blocks, never on lines: a message of 30 MB is
joined once, and a line may be of any length (applications put whole documents on one; RFC 5321
§4.5.3.1.6 asks for 1,000 octets at least).

Failure: too much data is read to its end and dropped, so that the session can go on.
"""

from __future__ import annotations

import hashlib
import re

from bridge.smtpserver.budget import Budget

_END = b"\r\n.\r\n"
_BARE_LF = re.compile(rb"(?<!\r)\n")


class DataReader:
    """Takes what arrives after ``354`` until the end mark.

    Args:
        limit_bytes: the largest message.
        budget: what all messages under way may take; None is without end.

    Attributes:
        is_too_large: the message is larger, and none of it is kept.
        is_over_budget: too many are under way with it, and none of it is kept.
    """

    def __init__(self, limit_bytes: int, budget: Budget | None = None) -> None:
        self._budget = budget
        self._taken_bytes = 0
        self._limit_bytes = limit_bytes
        self._blocks: list[bytes] = []
        self._size_bytes = 0
        self._hash = hashlib.sha256()
        self._held = b"\r\n"  # as if a line had just ended: the first may be a dot
        self._first = True
        self.is_too_large = False
        self.is_over_budget = False

    def feed(self, data: bytes) -> bytes | None:
        """Take bytes; returns what came after the end mark, None while it has not come."""
        buffer = self._held + data
        end = buffer.find(_END)
        if end >= 0:
            self._take(buffer[: end + 2])
            return buffer[end + len(_END) :]
        cut = len(buffer) - _undecided(buffer)
        self._held = buffer[cut:]
        self._take(buffer[:cut])
        return None

    def message(self) -> bytes:
        """Return the message and forget it."""
        message = b"".join(self._blocks)
        self._blocks.clear()
        return message

    def release(self) -> None:
        """Give back what the message took of the budget; idempotent."""
        if self._budget is not None:
            self._budget.give(self._taken_bytes)
            self._taken_bytes = 0

    def digest(self) -> bytes:
        """Return the SHA-256 of the bytes as submitted, before bare line feeds were mended."""
        return self._hash.digest()

    def _take(self, block: bytes) -> None:
        """Take bytes that end in nothing undecided."""
        if not block:
            return
        block = block.replace(b"\r\n.", b"\r\n")
        if self._first:
            block = block[2:]
            self._first = False
        self._size_bytes += len(block)
        if self._size_bytes > self._limit_bytes:
            self.is_too_large = True
        elif self._budget is not None and not self.is_over_budget:
            self.is_over_budget = not self._budget.take(len(block))
            self._taken_bytes += 0 if self.is_over_budget else len(block)
        if self.is_too_large or self.is_over_budget:
            self._blocks.clear()
            self.release()
            return
        self._hash.update(block)
        if block.count(b"\n") != block.count(b"\r\n"):
            block = _BARE_LF.sub(b"\r\n", block)
        self._blocks.append(block)


def _undecided(buffer: bytes) -> int:
    """Return how many bytes at the end may belong to an end mark or a doubled dot."""
    return next((n for n in range(len(_END) - 1, 0, -1) if buffer.endswith(_END[:n])), 0)
