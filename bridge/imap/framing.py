"""Bytes to complete commands: the only place that knows literals and size limits.

A command is a line, or lines with a literal after each but the last (RFC 3501 §4.3, §7.5). It is
handed on when its last byte is in, never before, so nothing is parsed twice and a malformed
command is skipped whole. A synchronising literal over the limit is refused before a byte of it is
asked for; a non-synchronising one (RFC 7888) comes anyway and is dropped as it does. A literal
over ``SPILL_LIMIT_BYTES`` is handed on in pieces, for its receiver to keep where memory is not.

Modes: between commands the next line is a command; after ``expect_line`` it is a bare line
(SASL answers, DONE).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.imap.errors import Flood, LiteralTooLong, TooLong
from bridge.limits import IMAP_LINE_BYTES, IMAP_LITERALS, IMAP_LITERALS_FACTOR

LINE_LIMIT_BYTES = IMAP_LINE_BYTES
"""All text of a command outside its literals; RFC 7162 §4 asks for 8,192 at least."""

LITERAL_COUNT_LIMIT = IMAP_LITERALS
SPILL_LIMIT_BYTES = 1024 * 1024
SPILL_BYTES = 256 * 1024
TOTAL_FACTOR = IMAP_LITERALS_FACTOR
"""All literals of a command (MULTIAPPEND) have at most so many times the limit of one."""

_TAIL_BYTES = 32
_LITERAL = re.compile(rb"(~?)\{(\d{1,20})(\+?)\}\Z")
_TAG = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\+]+(?= )")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One whole command: its text without the last CRLF, each literal marked by ``{n}LF``.

    ``spilled`` are the places in ``literals`` of those that were handed on as ``Spill`` and stand
    there empty.
    """

    text: bytes
    literals: tuple[bytes, ...]
    spilled: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NeedContinuation:
    """The client waits for ``+`` before it sends a literal."""


@dataclass(frozen=True, slots=True)
class Spill:
    """A piece of a large literal, in order; ``last`` ends it."""

    data: bytes
    last: bool


@dataclass(frozen=True, slots=True)
class BareLine:
    """A line asked for by ``expect_line``, without its CRLF."""

    text: bytes


Event = CommandLine | NeedContinuation | Spill | BareLine


class Framer:
    """Takes bytes by ``feed``, gives events by ``next_event``.

    Its limits may be changed between commands (they are small before login).

    Args:
        literal_limit_bytes: the largest literal.
        line_limit_bytes: the longest text of a command, its literals aside.
        literal_limit: how many literals a command may have.
        skip_limit_bytes: how much of one refused command is dropped before it counts as a flood;
            None: any amount.
    """

    def __init__(
        self,
        literal_limit_bytes: int,
        *,
        line_limit_bytes: int = LINE_LIMIT_BYTES,
        literal_limit: int = LITERAL_COUNT_LIMIT,
        skip_limit_bytes: int | None = None,
    ) -> None:
        self.literal_limit_bytes = literal_limit_bytes
        self.line_limit_bytes = line_limit_bytes
        self.literal_limit = literal_limit
        self.skip_limit_bytes = skip_limit_bytes
        self._skipped_bytes = 0
        self._skipped_literals = 0
        self._buffer = bytearray()
        self._scanned = 0
        self._skip_bytes = 0
        self._skipping_line = False
        self._tail = b""
        self._bare = False
        self._texts: list[bytes] = []
        self._text_bytes = 0
        self._literals: list[bytes] = []
        self._literal_bytes: int | None = None
        self._total_bytes = 0
        self._spilling = False
        self._spilled: list[int] = []

    def expect_line(self) -> None:
        """Take the next line as it is."""
        self._bare = True

    @property
    def pending_bytes(self) -> int:
        """How many bytes wait that are not yet part of an event."""
        return len(self._buffer)

    def clear(self) -> None:
        """Forget what was received and not handed on (RFC 3501 §6.2.1, before STARTTLS)."""
        self._buffer.clear()
        self._scanned = 0
        self._skip_bytes = 0
        self._skipping_line = False
        self._start_over()

    def rest(self) -> bytes:
        """Return what was received and not handed on, and forget it."""
        rest = bytes(self._buffer)
        self.clear()
        return rest

    def feed(self, data: bytes) -> None:
        """Take bytes in."""
        self._buffer += data

    def next_event(self) -> Event | None:
        """Return the next event, None when more bytes are needed.

        Raises:
            TooLong: the command is over a limit; it was, or will be, skipped.
            Flood: a refused command goes on and on; nothing more is to be taken.
        """
        while True:
            if self._skip_bytes and not self._skip():
                return None
            if self._literal_bytes is not None:
                spill = self._take_literal()
                if spill is not None or self._literal_bytes is not None:
                    return spill
            line = self._take_line()
            if line is None:
                return None
            event = self._take_in(line)
            if event is not None:
                return event

    # -- lines -------------------------------------------------------------------------------

    def _take_line(self) -> bytes | None:
        if self._skipping_line and not self._skip_line():
            return None
        end = self._buffer.find(b"\n", self._scanned)
        size_bytes = len(self._buffer) if end < 0 else end
        if size_bytes + self._text_bytes > self.line_limit_bytes:
            tag = self._tag(self._texts[0] if self._texts else bytes(self._buffer[:256]))
            self._refuse()
            raise TooLong(tag, f"the line is over {self.line_limit_bytes} bytes")
        if end < 0:
            self._scanned = len(self._buffer)
            return None
        line = bytes(self._buffer[:end])
        self._consume(end + 1)
        return line[:-1] if line.endswith(b"\r") else line

    def _refuse(self) -> None:
        """Drop the command under way, its last line as it comes."""
        self._start_over()
        self._skipping_line = True
        self._skipped_bytes = self._skipped_literals = 0
        self._tail = b""

    def _skip_line(self) -> bool:
        """Drop what is there of a refused command; say whether it is over.

        A literal that comes unasked belongs to it: its bytes must not be read as commands.
        """
        while not self._skip_bytes or self._skip():
            end = self._buffer.find(b"\n")
            dropped = len(self._buffer) if end < 0 else end + 1
            self._tail = (self._tail + self._buffer[max(dropped - _TAIL_BYTES, 0) : dropped])[
                -_TAIL_BYTES:
            ]
            self._drop(dropped)
            if end < 0:
                return False
            literal = _LITERAL.search(self._tail.rstrip(b"\r\n"))
            self._tail = b""
            if literal is None or not literal[3]:
                self._skipping_line = False
                return True
            self._skip_bytes = int(literal[2])
            self._skipped_literals += 1
        return False

    def _take_in(self, line: bytes) -> Event | None:
        if self._bare and not self._texts:
            self._bare = False
            return BareLine(line)
        self._text_bytes += len(line)
        literal = _LITERAL.search(line) if line.endswith(b"}") else None
        if literal is None:
            text = b"".join([*self._texts, line])
            command = CommandLine(text, tuple(self._literals), tuple(self._spilled))
            self._start_over()
            return command
        return self._begin_literal(line, int(literal[2]), synchronising=not literal[3])

    # -- literals ----------------------------------------------------------------------------

    def _begin_literal(
        self, line: bytes, size_bytes: int, *, synchronising: bool
    ) -> NeedContinuation | None:
        tag = self._tag(self._texts[0] if self._texts else line)
        self._total_bytes += size_bytes
        limit = self.literal_limit_bytes
        too_much = size_bytes > limit or self._total_bytes > limit * TOTAL_FACTOR
        if too_much or len(self._literals) >= self.literal_limit:
            if synchronising:
                self._start_over()
            else:  # it comes anyway
                self._refuse()
                self._skip_bytes = size_bytes
            raise LiteralTooLong(tag, f"a literal has at most {limit} bytes")
        self._texts.append(line + b"\n")
        self._literal_bytes = size_bytes
        self._spilling = size_bytes > SPILL_LIMIT_BYTES
        return NeedContinuation() if synchronising else None

    def _take_literal(self) -> Spill | None:
        """Take the literal under way, or the next piece of it, if it is there."""
        left_bytes = self._literal_bytes or 0
        wanted_bytes = min(left_bytes, SPILL_BYTES) if self._spilling else left_bytes
        if len(self._buffer) < wanted_bytes:
            return None
        data = bytes(self._buffer[:wanted_bytes])
        self._consume(wanted_bytes)
        if not self._spilling:
            self._literals.append(data)
            self._literal_bytes = None
            return None
        last = wanted_bytes == left_bytes
        self._literal_bytes = None if last else left_bytes - wanted_bytes
        if last:
            self._spilled.append(len(self._literals))
            self._literals.append(b"")
        return Spill(data, last)

    def _skip(self) -> bool:
        """Drop bytes of a refused literal; say whether all of it is dropped."""
        dropped = min(self._skip_bytes, len(self._buffer))
        self._skip_bytes -= dropped
        self._drop(dropped)
        return not self._skip_bytes

    def _drop(self, size_bytes: int) -> None:
        """Drop bytes of a refused command, within reason."""
        self._consume(size_bytes)
        self._skipped_bytes += size_bytes
        most = self.skip_limit_bytes
        if self._skipped_literals > LITERAL_COUNT_LIMIT or (
            most is not None and self._skipped_bytes > most
        ):
            self.clear()
            raise Flood("*", "that is no command any more")

    # -- inside ------------------------------------------------------------------------------

    def _start_over(self) -> None:
        self._texts = []
        self._text_bytes = 0
        self._literals = []
        self._literal_bytes = None
        self._total_bytes = 0
        self._spilling = False
        self._spilled = []

    def _consume(self, size_bytes: int) -> None:
        del self._buffer[:size_bytes]
        self._scanned = 0

    @staticmethod
    def _tag(line: bytes) -> str:
        match = _TAG.match(line)
        return match[0].decode("ascii") if match else "*"
