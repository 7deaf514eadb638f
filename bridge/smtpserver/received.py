"""What a client has sent and nobody has read yet: lines of commands, blocks of messages.

asyncio's StreamReader can neither take back what was read too much nor forget what came before
TLS, and a message's end mark is found in blocks. The client is made to wait while too
many wait for us.
"""

from __future__ import annotations

import asyncio


class LineTooLong(Exception):
    """A line is longer than may be; it has been read and thrown away."""


class Received:
    """Bytes in the order in which they came; one task reads them.

    Args:
        source: where they come from.
        held_bytes: how many may wait before the client has to.
    """

    def __init__(self, source: asyncio.ReadTransport, held_bytes: int) -> None:
        self._held_bytes = held_bytes
        self._buffer = bytearray()
        self._from = source
        self._paused = False
        self._ended = False
        self._news: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._buffer)

    def come_from(self, transport: asyncio.ReadTransport) -> None:
        """Say where bytes come from now on, and who is to wait when there are too many."""
        self._from, self._paused = transport, False

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._buffer += data
        if len(self._buffer) > self._held_bytes and not self._paused:
            self._paused = True
            self._from.pause_reading()
        self._tell()

    def end(self) -> None:
        """Note that nothing more will come."""
        self._ended = True
        self._tell()

    def clear(self) -> None:
        """Forget what came and was not read."""
        self._buffer.clear()
        self._let_come()

    def take_all(self) -> bytes:
        """Return what came and was not read, and forget it."""
        taken = bytes(self._buffer)
        self._buffer.clear()
        return taken

    def unread(self, rest: bytes) -> None:
        """Give back what was read too much."""
        self._buffer[:0] = rest

    async def line(self, limit_bytes: int) -> bytes:
        """Return the next line with its end, LF.

        Raises:
            LineTooLong: it has more than ``limit_bytes``.
            EOFError: nothing more comes, and no line has ended.
        """
        is_too_long = False
        looked_at = 0
        while (end := self._buffer.find(b"\n", looked_at)) < 0:
            looked_at = len(self._buffer)
            if looked_at > limit_bytes:
                is_too_long = True
                self._take(looked_at)
                looked_at = 0
            await self._more()
        line = self._take(end + 1)
        if is_too_long or len(line) > limit_bytes:
            raise LineTooLong
        return line

    async def block(self, limit_bytes: int) -> bytes:
        """Return what has come, ``limit_bytes`` at the most.

        Raises:
            EOFError: nothing has, and nothing more will.
        """
        if not self._buffer:
            await self._more()
        return self._take(limit_bytes)

    def _take(self, count: int) -> bytes:
        taken = bytes(memoryview(self._buffer)[:count])
        del self._buffer[:count]
        self._let_come()
        return taken

    def _let_come(self) -> None:
        if self._paused and len(self._buffer) <= self._held_bytes and not self._from.is_closing():
            self._paused = False
            self._from.resume_reading()

    async def _more(self) -> None:
        """Wait until more has come than there was."""
        if self._ended:
            raise EOFError
        self._let_come()
        self._news = asyncio.get_running_loop().create_future()
        try:
            await self._news
        finally:
            self._news = None
        if self._ended and not self._buffer:
            raise EOFError

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
