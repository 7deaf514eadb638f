"""The bytes after ``DATA``, from the wire to the message as it was before it was sent.

Sans-IO. Only CR LF ``.`` CR LF ends a message: a dot between bare line feeds is text, so nothing
can be smuggled past the end that another server sees. Bare line feeds become CR LF, the leading
dots of RFC 5321 §4.5.2 are taken away. Works on blocks, never on lines: a message of 30 MB is
joined once, and a line may be of any length (applications put whole documents on one; RFC 5321
§4.5.3.1.6 asks for 1,000 octets at least).

A large message does not stay here: ``must_spill`` says when what was read belongs on the disk.

Failure: too much data is read to its end and dropped, so that the session can go on.
"""

from __future__ import annotations

import hashlib
import re
import sys

from bridge.limits import SUBMISSION_SPOOLED_FROM_BYTES
from bridge.smtpserver.budget import ByteBudget

SPILL_BYTES = 1024 * 1024
"""What is put on the disk at a time."""

_END = b"\r\n.\r\n"
_BARE_LF = re.compile(rb"(?<!\r)\n")


class DataReader:
    """Takes what arrives after ``354`` until the end mark.

    Args:
        limit_bytes: the largest message.
        memory: what all messages under way may take in memory; None is without end.
        disk: what they may take on the disk; None is without end.

    Attributes:
        is_too_large: the message is larger, and none of it is kept.
        is_over_budget: too many are under way with it, and none of it is kept.
    """

    def __init__(
        self, limit_bytes: int, memory: ByteBudget | None = None, disk: ByteBudget | None = None
    ) -> None:
        self._memory = memory or ByteBudget(sys.maxsize)
        self._disk = disk or ByteBudget(sys.maxsize)
        self._memory_bytes = 0
        self._disk_bytes = 0
        self._limit_bytes = limit_bytes
        self._blocks: list[bytes] = []
        self._block_bytes = 0
        self._crowded = False
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
        """Return what is in memory and forget it: the message, or its end if it has spilled."""
        message = b"".join(self._blocks)
        self._blocks.clear()
        self._block_bytes = 0
        self._crowded = False
        return message

    @property
    def must_spill(self) -> bool:
        """Whether what is in memory is to be put on the disk now."""
        is_large = self._size_bytes >= SUBMISSION_SPOOLED_FROM_BYTES
        return self._crowded or (is_large and self._block_bytes >= SPILL_BYTES)

    @property
    def is_given_up(self) -> bool:
        """Whether nothing of the message is kept."""
        return self.is_too_large or self.is_over_budget

    @property
    def has_spilled(self) -> bool:
        """Whether some of the message is on the disk."""
        return bool(self._disk_bytes)

    def spill(self) -> bytes:
        """Return what is in memory, for the disk, and forget it."""
        block = self.message()
        self._memory.give(self._memory_bytes)
        self._memory_bytes = 0
        if self._disk.take(len(block)):
            self._disk_bytes += len(block)
            return block
        self._drop()
        self.is_over_budget = True
        return b""

    def release(self) -> None:
        """Give back what the message took of the budgets; idempotent."""
        self._memory.give(self._memory_bytes)
        self._disk.give(self._disk_bytes)
        self._memory_bytes = self._disk_bytes = 0

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
            self._drop()
        if self.is_given_up:
            return
        self._hash.update(block)
        if block.count(b"\n") != block.count(b"\r\n"):
            block = _BARE_LF.sub(b"\r\n", block)
        self._keep(block)

    def _keep(self, block: bytes) -> None:
        self._blocks.append(block)
        self._block_bytes += len(block)
        if self._memory.take(len(block)):
            self._memory_bytes += len(block)
        else:
            self._crowded = True

    def _drop(self) -> None:
        self._blocks.clear()
        self._block_bytes = 0
        self._crowded = False
        self.release()


def _undecided(buffer: bytes) -> int:
    """Return how many bytes at the end may belong to an end mark or a doubled dot."""
    return next((n for n in range(len(_END) - 1, 0, -1) if buffer.endswith(_END[:n])), 0)
