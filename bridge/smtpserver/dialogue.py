"""What aiosmtpd has no hook for: the bytes of a connection, its silence, and TLS.

``Dialogue`` is the one subclass of aiosmtpd's protocol that is more than commands (``smtp_...``,
which its documentation lets subclasses define). It uses no private name of aiosmtpd or asyncio;
docs/upstream.md says which hooks are used, what is missing and what was proposed there. The
protocol's own callbacks are replaced as a whole, because aiosmtpd's

- write whatever the client sends into a log: a client that goes on after its AUTH was refused
  sends its password as a command;
- drop what is in hand when the client has closed its own side, which programs that pipe their
  commands do;
- read a message by lines of 1,000 octets into memory; here it goes to the disk by blocks.

RFCs: 5321 §4.5.3.2 (timeouts), 3207 §4.2 and §6 (TLS).
"""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from bridge.limits import SMTP_LINE_BYTES
from bridge.net.tls import begin_tls, nothing
from bridge.smtpserver.received import LineTooLong, Received
from bridge.smtpserver.reply import with_status

log = structlog.get_logger()

COMMAND_LIMIT_BYTES = SMTP_LINE_BYTES
READ_BYTES = 256 * 1024


class ClientGone(Exception):
    """The client closed the connection, or it was cut."""


class Hooks:
    """The commands that aiosmtpd carries out itself, with what it calls meanwhile."""

    async def handle_RSET(self, server: Dialogue, session: Session, envelope: Envelope) -> str:
        """RFC 5321 §4.1.1.5: forget the message that was begun."""
        server.reset()
        return "250 OK"


class Dialogue(SMTP):
    """One connection: lines and blocks in, replies out; ``serve`` is its subclass's.

    Args:
        hostname: by which the server greets.
        loop: the running loop.
        idle_s: how long the client may say nothing.
        handshake_s: how long it may take for TLS.
    """

    def __init__(
        self, hostname: str, loop: asyncio.AbstractEventLoop, *, idle_s: float, handshake_s: float
    ) -> None:
        super().__init__(
            Hooks(), enable_SMTPUTF8=True, hostname=hostname, timeout=idle_s, loop=loop
        )
        self._idle_s = idle_s
        self._handshake_s = handshake_s
        self._heard_at = loop.time()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._serving: asyncio.Task[None] | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._wire: asyncio.Transport | None = None
        self._received: Received | None = None
        self.busy = False
        """Whether a whole message is in hand: the client waits for us, not we for the client."""

    async def serve(self) -> None:
        """Talk to the client until one of the two ends it."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget the message that was begun."""

    # -- the protocol of asyncio ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._wire = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self.transport = transport
        self._received = Received(self._wire, 2 * COMMAND_LIMIT_BYTES)
        self.session = Session(self.loop)
        self.session.peer = transport.get_extra_info("peername")
        self.envelope = Envelope()
        self._hear()
        self._serving = self.loop.create_task(self.serve())

    def connection_lost(self, error: Exception | None) -> None:
        """Stop serving."""
        self._wire = self.transport = None
        self._may_write.set()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if self._received is not None:
            self._received.end()
        if self._serving is not None:
            self._serving.cancel()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._received is not None:
            self._received.feed(data)

    def eof_received(self) -> bool:
        """Let the client close its own side: what it sent before that is still answered."""
        if self._received is not None:
            self._received.end()
        return not self.is_encrypted  # TLS knows no half of a connection

    def pause_writing(self) -> None:
        """Wait for a client that does not read."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._may_write.set()

    # -- silence -------------------------------------------------------------------------------

    def _hear(self) -> None:
        """Note that the client was heard; one timer serves the whole connection."""
        self._heard_at = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self._idle_s, self._idle_time)

    def _idle_time(self) -> None:
        left_s = self._heard_at + self._idle_s - self.loop.time()
        if self.busy or left_s > 0:
            self._idle_timer = self.loop.call_later(max(left_s, self._idle_s / 10), self._idle_time)
            return
        log.info("smtp_timeout", peer=self.peer)
        self.hang_up("421 4.4.2 Nothing was heard for too long")

    # -- facts ---------------------------------------------------------------------------------

    @property
    def peer(self) -> str:
        """The client's address, "" if it has none."""
        peer = self.session.peer if self.session is not None else None
        return str(peer[0]) if isinstance(peer, tuple) and peer else ""

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is on."""
        return self._wire is not None and self._wire.get_extra_info("ssl_object") is not None

    @property
    def has_unread(self) -> bool:
        """Whether the client has said something that nobody has read."""
        return bool(self._received)

    # -- bytes ---------------------------------------------------------------------------------

    async def push(self, status: str | bytes) -> None:
        """Write one reply; every one gets an enhanced status code (RFC 2034).

        Raises:
            ClientGone: there is nobody to write to.
        """
        line = with_status(status).encode("utf-8", "replace") if isinstance(status, str) else status
        if self._wire is None or self._wire.is_closing():
            raise ClientGone
        self._wire.write(line + b"\r\n")
        await self._may_write.wait()
        if self._wire is None:
            raise ClientGone

    async def read_line(self) -> bytes:
        """Return the next line without its end.

        Raises:
            LineTooLong, ClientGone: see there.
        """
        try:
            line = await self._stream().line(COMMAND_LIMIT_BYTES)
        except EOFError:
            raise ClientGone from None
        except LineTooLong:
            self._hear()
            raise
        self._hear()
        return line.rstrip(b"\r\n")

    async def read_block(self) -> bytes:
        """Return whatever has come.

        Raises:
            ClientGone: nothing will any more.
        """
        try:
            block = await self._stream().block(READ_BYTES)
        except EOFError:
            raise ClientGone from None
        self._hear()
        return block

    def unread(self, rest: bytes) -> None:
        """Give back what was read too much."""
        self._stream().unread(rest)

    def _stream(self) -> Received:
        if self._received is None:
            raise ClientGone
        return self._received

    async def encrypt(self, context: ssl.SSLContext, *, from_first_byte: bool = False) -> None:
        """Begin TLS; whatever was sent in clear before that is thrown away (RFC 3207 §6).

        Args:
            context: the certificate.
            from_first_byte: nothing was sent in clear; what came already belongs to TLS.

        Raises:
            ClientGone: it did not come about.
        """
        stream, plain = self._stream(), self._wire
        if plain is None:
            raise ClientGone
        if not from_first_byte:
            stream.clear()
        early = stream.take_all if from_first_byte else nothing
        try:
            encrypted = await begin_tls(
                plain, self, context, handshake_s=self._handshake_s, early=early
            )
        except (OSError, ssl.SSLError) as error:
            log.info("smtp_tls_failed", peer=self.peer, error=str(error))
            encrypted = None
        if encrypted is None:
            plain.abort()
            raise ClientGone
        self._wire = self.transport = encrypted
        stream.come_from(encrypted)

    def hang_up(self, last_words: str = "") -> None:
        """Say something, if anything is to be said, and close the connection."""
        if self._wire is None or self._wire.is_closing():
            return
        if last_words:
            self._wire.write(last_words.encode() + b"\r\n")
        self._wire.close()

    def abort(self) -> None:
        """Hang up without a word."""
        if self._wire is not None:
            self._wire.abort()

    def drop_unread(self) -> None:
        """Forget what the client has said and nobody will read."""
        if self._received is not None:
            self._received.clear()
