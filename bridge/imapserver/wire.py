"""A client's bytes in both directions: what arrives becomes events, what is sent goes in pieces.

Knows nothing of commands. A client that sends faster than it is served is not read from, one that
does not read is waited for. TLS and compression go underneath.

RFCs: 3501 §6.2.1 (STARTTLS); 4978 (COMPRESS).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import cast

from bridge.clock import Clock
from bridge.imap.errors import ImapFault
from bridge.imap.framing import Event, Framer
from bridge.imapserver.deflate import Deflate
from bridge.limits import IMAP_READ_AHEAD_BYTES
from bridge.net.tls import begin_tls, nothing

WRITE_AHEAD_BYTES = 1024 * 1024
GATHER_BYTES = 64 * 1024
"""A reply is sent in one piece up to this."""


class Wire(asyncio.Protocol):
    """See the module; ``lost`` and ``writable_again`` are for whoever builds on it.

    Args:
        clock: for the times below.
        framer: takes what arrives.

    Attributes:
        heard_at, sent_at: when bytes last came and went, by the monotonic clock.
        backed_up_since: since when the client does not keep up, None while it does.
        gone: the connection is closed or about to be.
    """

    def __init__(self, clock: Clock, framer: Framer) -> None:
        self.framer = framer
        self.encrypted = False
        self.gone = False
        self.backed_up_since: float | None = None
        self.heard_at = self.sent_at = clock.monotonic()
        self._transport: asyncio.Transport
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._deflate: Deflate | None = None
        self._ahead: Event | ImapFault | None = None
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._more: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._reading_paused = False
        self._eof = False

    def lost(self) -> None:
        """Learn that the connection is over."""

    def writable_again(self) -> None:
        """Learn that the client keeps up again."""

    # -- asyncio.Protocol ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self._transport.set_write_buffer_limits(high=WRITE_AHEAD_BYTES)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; more than enough pauses the reading."""
        self.heard_at = self._clock.monotonic()
        if self._deflate is None:
            self.framer.feed(data)
        else:
            self._deflate.feed(data)
        self.wake()
        if self._waiting_bytes() > IMAP_READ_AHEAD_BYTES and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Let the client close its own side: what it sent before is still answered."""
        self._eof = True
        self.wake()
        return not self.encrypted

    def connection_lost(self, error: Exception | None) -> None:
        """End what waits for the client."""
        self.gone = True
        self.wake()
        self.resume_writing()
        self.lost()

    def pause_writing(self) -> None:
        """Note that the client does not keep up."""
        self.backed_up_since = self._clock.monotonic()

    def resume_writing(self) -> None:
        """Go on with what waits."""
        self.backed_up_since = None
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        if not self.gone:
            self.writable_again()

    # -- sending -------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send bytes: at once while the client is waited for, else with the rest of the reply."""
        if self.gone or not data:
            return
        self._out.append(data)
        self._out_bytes += len(data)
        if self._more is not None or self._out_bytes >= GATHER_BYTES:
            self.flush()

    def write_all(self, pieces: Sequence[bytes]) -> None:
        """Send pieces as ``write`` sends one; they are not copied where there is much of them."""
        if self.gone:
            return
        self._out += pieces
        self._out_bytes += sum(map(len, pieces))
        if self._more is not None or self._out_bytes >= GATHER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand what was gathered to the transport."""
        if not self._out or self.gone:
            return
        out, size_bytes = self._out, self._out_bytes
        self._out, self._out_bytes = [], 0
        self.sent_at = self._clock.monotonic()
        if size_bytes >= GATHER_BYTES and self._deflate is None:
            self._transport.writelines(out)
            return
        data = out[0] if len(out) == 1 else b"".join(out)
        self._transport.write(data if self._deflate is None else self._deflate.pack(data))

    async def drain(self) -> None:
        """Send what was gathered, let others run, wait while the client does not keep up.

        Raises:
            ConnectionResetError: the client is gone.
        """
        self.flush()
        await asyncio.sleep(0)
        await self.kept_up()

    @property
    def backed_up(self) -> bool:
        """Whether the client does not keep up."""
        return self.backed_up_since is not None

    async def kept_up(self) -> None:
        """Wait while the client does not keep up.

        Raises:
            ConnectionResetError: the client is gone.
        """
        if self.backed_up_since is not None:
            self._writable = self._loop.create_future()
            await self._writable
            self._writable = None
        if self.gone:
            raise ConnectionResetError("the client is gone")

    def close(self) -> None:
        """Send what was gathered and close; nothing more is sent or heard."""
        self.flush()
        self.gone = True
        self._transport.close()
        self.wake()

    def cut(self) -> None:
        """Close without a word."""
        self._transport.abort()

    # -- receiving -----------------------------------------------------------------------------

    @property
    def waits(self) -> bool:
        """Whether the client is waited for."""
        return self._more is not None

    def wake(self) -> None:
        """End the waiting for the client."""
        if self._more is not None and not self._more.done():
            self._more.set_result(None)

    async def event(self) -> Event:
        """Return the next event.

        Raises:
            ImapFault: a line or literal is too long.
            ConnectionError: the client is gone.
        """
        while True:
            ahead, self._ahead = self._ahead, None
            if isinstance(ahead, ImapFault):
                raise ahead
            event = ahead if ahead is not None else self.framer.next_event()
            if event is not None:
                return event
            await self._read_more()

    def peek(self) -> Event | None:
        """Return the event that ``event`` will return next, if it is there already."""
        if self._ahead is None:
            try:
                self._ahead = self.framer.next_event()
            except ImapFault as fault:
                self._ahead = fault
        return None if isinstance(self._ahead, ImapFault) else self._ahead

    async def _read_more(self) -> None:
        if self._deflate is not None and self._deflate.pending_bytes:
            self.framer.feed(self._deflate.take())
            await asyncio.sleep(0)  # a little may unpack to a lot: others have their turn
            return
        self.flush()
        if self._eof or self.gone:
            raise ConnectionResetError("the client is gone")
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
        self._more = self._loop.create_future()
        try:
            await self._more
        finally:
            self._more = None

    def _waiting_bytes(self) -> int:
        packed_bytes = 0 if self._deflate is None else self._deflate.pending_bytes
        return self.framer.pending_bytes + packed_bytes

    # -- underneath ----------------------------------------------------------------------------

    @property
    def has_unread(self) -> bool:
        """Whether something came that no command was made of yet."""
        return self._ahead is not None or self.framer.pending_bytes > 0

    async def begin_tls(
        self, tls: ssl.SSLContext, timeout_s: float, *, from_first_byte: bool = False
    ) -> None:
        """Put TLS underneath, where nothing was sent in clear behind STARTTLS (``has_unread``).

        Args:
            tls: the certificate.
            timeout_s: how long the client may take.
            from_first_byte: what came already belongs to it.

        Raises:
            ConnectionAbortedError: TLS could not be begun.
        """
        self.flush()
        early = self.framer.rest if from_first_byte else nothing
        try:
            transport = await begin_tls(
                self._transport, self, tls, handshake_s=timeout_s, early=early
            )
        except (OSError, ValueError) as error:
            raise ConnectionAbortedError("TLS could not be begun") from error
        if transport is None:
            raise ConnectionAbortedError("the client is gone")
        self._transport = transport
        self._transport.set_write_buffer_limits(high=WRITE_AHEAD_BYTES)
        self.encrypted = True
        self._reading_paused = False

    @property
    def compressed(self) -> bool:
        """Whether compression is on."""
        return self._deflate is not None

    def begin_deflate(self) -> None:
        """Compress both ways from here on."""
        self.flush()
        self._deflate = Deflate()
        packed = self.framer.rest()
        if packed:  # a client may send its first compressed bytes with the command
            self._deflate.feed(packed)
