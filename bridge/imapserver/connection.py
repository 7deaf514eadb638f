"""One client's connection: bytes in, commands to the session, responses out.

Carries time limits, TLS, compression and backpressure; knows no command but by the table. A
command is carried out whole before the next is looked at; a client that does not read what it
was sent is not sent more.

Failure: whatever a handler does not answer for is the session's to answer; a client that is gone
ends the connection after the command under way, whose commit stands.

RFCs: 3501 §5.4 (autologout), §6.2.1 (STARTTLS); 4978 (COMPRESS).
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from typing import cast

import structlog

from bridge.config.listen import is_loopback
from bridge.imap.errors import ImapFault
from bridge.imap.framing import BareLine, CommandLine, Event, Framer, NeedContinuation, Spill
from bridge.imap.parser import parse
from bridge.imapserver.capability import capabilities
from bridge.imapserver.deflate import Deflate
from bridge.imapserver.session import Services, Session, State
from bridge.imapserver.settings import ImapSettings
from bridge.imapserver.spool import Spool
from bridge.imapserver.table import TABLE, Spec, may_tell_expunges

log = structlog.get_logger()

STRANGER_LITERAL_BYTES = 8 * 1024
"""Before login a literal holds a name or a password."""

READ_AHEAD_BYTES = 512 * 1024
WRITE_AHEAD_BYTES = 1024 * 1024
GATHER_BYTES = 64 * 1024
"""A reply is sent in one piece up to this."""

STRANGER_FAULTS = 20
"""Commands that are none, before login: whoever sends more does not speak IMAP."""

KEEPALIVE_S = 120.0


class Connection(asyncio.Protocol):
    """The protocol of one connection and its session's ``Output``.

    Args:
        services: what all sessions share.
        settings: limits.
        tls: offers STARTTLS with this; None offers none.
        encrypted: the connection is under TLS from its first byte.
        connections: the server's; this one is among them while it lasts.
    """

    def __init__(
        self,
        services: Services,
        settings: ImapSettings,
        tls: ssl.SSLContext | None,
        *,
        encrypted: bool,
        connections: set[Connection],
    ) -> None:
        self._transport: asyncio.Transport
        self._services = services
        self._settings = settings
        self._tls = tls
        self._encrypted = encrypted
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._framer = Framer(STRANGER_LITERAL_BYTES)
        self._spool = Spool(settings.spool_dir)
        self._deflate: Deflate | None = None
        self._ahead: Event | ImapFault | None = None
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._more: asyncio.Future[None] | None = None
        self._pause: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._backed_up_since: float | None = None
        self._reading_paused = False
        self._eof = False
        self._gone = False
        self._ending = False
        self._faults = 0
        self._want_tls = False
        self._want_deflate = False
        self._began_at = self._heard_at = self._sent_at = services.clock.monotonic()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._task: asyncio.Task[None] | None = None

    # -- asyncio.Protocol ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or turn the client away."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        peer = transport.get_extra_info("peername")
        host = str(peer[0]) if peer else "127.0.0.1"
        self._loopback = is_loopback(host.removeprefix("::ffff:"))
        self._transport.set_write_buffer_limits(high=WRITE_AHEAD_BYTES)
        self.session = Session(self._services, self, host)
        if len(self._connections) >= self._settings.max_connections:
            self._transport.write(b"* BYE too many connections, try again later\r\n")
            self._transport.close()
            return
        self._connections.add(self)
        self._task = self._loop.create_task(self._serve())

    def data_received(self, data: bytes) -> None:
        """Take bytes in; more than enough pauses the reading."""
        self._heard_at = self._services.clock.monotonic()
        if self._deflate is None:
            self._framer.feed(data)
        else:
            self._deflate.feed(data)
        if self._more is not None:
            self._wake()
        elif self._framer.pending_bytes > READ_AHEAD_BYTES:
            self._pause_reading()

    def eof_received(self) -> bool:
        """Let the client close its own side: what it sent before is still answered."""
        self._eof = True
        self._wake()
        return not self._encrypted

    def connection_lost(self, error: Exception | None) -> None:
        """End what waits for the client."""
        self._gone = True
        self._wake()
        self.resume_writing()
        self._connections.discard(self)
        if self._task is None:
            self._end()

    def pause_writing(self) -> None:
        """Note that the client does not keep up."""
        self._backed_up_since = self._services.clock.monotonic()

    def resume_writing(self) -> None:
        """Go on with what waits."""
        self._backed_up_since = None
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        if self._gone:
            return
        if self.session.on_update is not None:
            self.session.on_update()
        if self.session.notifier is not None:
            self.session.notifier.wake()

    # -- session.Output ------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send bytes: at once while the client is waited for, else with the rest of the reply."""
        if self._gone or not data:
            return
        self._out.append(data)
        self._out_bytes += len(data)
        if self._more is not None or self._out_bytes >= GATHER_BYTES:
            self._flush()

    def _flush(self) -> None:
        """Hand what was gathered to the transport."""
        if not self._out or self._gone:
            return
        data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        self._out_bytes = 0
        self._sent_at = self._services.clock.monotonic()
        self._transport.write(data if self._deflate is None else self._deflate.pack(data))

    async def drain(self) -> None:
        """Send what was gathered, let others run, wait while the client does not keep up."""
        self._flush()
        await asyncio.sleep(0)
        if self._backed_up_since is not None:
            self._writable = self._loop.create_future()
            await self._writable
            self._writable = None
        if self._gone:
            raise ConnectionResetError("the client is gone")

    async def read_line(self) -> bytes:
        """Return the next line that is no command."""
        self._framer.expect_line()
        event = await self._event()
        assert isinstance(event, BareLine)  # noqa: S101 - it was asked for
        return event.text

    def start_tls(self) -> None:
        """Ask for TLS after the reply."""
        self._want_tls = True

    def compress(self) -> None:
        """Ask for compression after the reply."""
        self._want_deflate = True

    @property
    def backed_up(self) -> bool:
        """Whether the client does not keep up."""
        return self._backed_up_since is not None

    @property
    def secure(self) -> bool:
        """Whether nobody else can listen."""
        return self._encrypted or self._loopback

    @property
    def can_start_tls(self) -> bool:
        """Whether TLS is offered and not on."""
        return self._tls is not None and not self._encrypted

    @property
    def can_compress(self) -> bool:
        """Whether compression would help and is not on."""
        return self._deflate is None and not self._loopback

    # -- what the server does with it ------------------------------------------------------------

    async def finish(self) -> None:
        """Let the command under way end, say goodbye, hang up; return when that is done."""
        self._ending = True
        if self._more is not None:
            self._hang_up("the server is shutting down")
        self._wake()
        await asyncio.shield(self._ended)

    def abort(self) -> None:
        """Hang up without a word."""
        self._transport.abort()
        if self._task is not None:
            self._task.cancel()

    def check_time(self, now_s: float) -> None:
        """Hang up on a client that lets us wait for too long; assure an idling one."""
        settings = self._settings
        if self._backed_up_since is not None:
            if now_s - self._backed_up_since > settings.write_timeout_s:
                self._transport.abort()
        elif self._more is None:
            return
        elif self.session.state is State.NOT_AUTHENTICATED:
            if now_s - self._began_at > settings.login_timeout_s:
                self._hang_up("log in sooner")
        elif now_s - self._heard_at > settings.idle_timeout_s:
            self._hang_up("nothing was heard for too long")
        elif self.session.idling and now_s - self._sent_at > KEEPALIVE_S:
            self.write(b"* OK still here\r\n")

    # -- the conversation ------------------------------------------------------------------------

    async def _serve(self) -> None:
        try:
            self.write(f"* OK [CAPABILITY {capabilities(self.session)}] ready\r\n".encode())
            while self.session.state is not State.LOGOUT:
                await self._turn()
                if self._ending:
                    self._hang_up("the server is shutting down")
        except ConnectionError:
            pass
        except Exception:
            log.exception("imap_connection_failed", peer=self.session.peer)
        finally:
            self._spool.close()
            await self.session.close()
            self._flush()
            self._transport.close()
            self._end()

    async def _turn(self) -> None:
        """Take one command and carry it out."""
        session = self.session
        try:
            tagged = parse(await self._command_line())
        except ImapFault as fault:
            session.refuse(fault)
            self._count_fault()
            return
        if self._spool.failed:
            self.write(f"{tagged.tag} NO [OVERQUOTA] no room for what was sent\r\n".encode())
            return
        spec = TABLE[tagged.name]
        failures = session.failures
        await session.run(
            tagged,
            spec.handler,
            spec.states,
            allow_expunge=lambda: may_tell_expunges(spec, self._following()),
        )
        if session.failures > failures:
            await self._rest()
        if session.account is not None:
            self._framer.literal_limit_bytes = self._services.append_limit_bytes
        if self._want_tls:
            await self._begin_tls()
        if self._want_deflate:
            self._begin_deflate()
        await self.drain()

    async def _command_line(self) -> CommandLine:
        """Return the next whole command, its large literals fetched from the disk."""
        self._spool.close()
        while True:
            event = await self._event()
            match event:
                case NeedContinuation():
                    self.write(b"+ go on\r\n")
                case Spill(data=data, last=last):
                    await self._spool.add(data, last=last)
                case CommandLine():
                    return await self._filled(event)

    async def _filled(self, line: CommandLine) -> CommandLine:
        if not line.spilled:
            return line
        literals = list(line.literals)
        for place, literal in zip(line.spilled, await self._spool.read(), strict=True):
            literals[place] = literal
        return replace(line, literals=tuple(literals), spilled=())

    async def _event(self) -> Event:
        while True:
            ahead, self._ahead = self._ahead, None
            if isinstance(ahead, ImapFault):
                raise ahead
            event = ahead if ahead is not None else self._framer.next_event()
            if event is not None:
                return event
            await self._read_more()

    async def _read_more(self) -> None:
        if self._deflate is not None and self._deflate.pending:
            self._framer.feed(self._deflate.take())
            return
        self._flush()
        if self._eof or self._gone:
            raise ConnectionResetError("the client is gone")
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
        self._more = self._loop.create_future()
        try:
            await self._more
        finally:
            self._more = None

    def _following(self) -> Spec | None:
        """Return the table's row of a command that waits whole already, if one does."""
        if self._ahead is None:
            try:
                self._ahead = self._framer.next_event()
            except ImapFault as fault:
                self._ahead = fault
        if not isinstance(self._ahead, CommandLine) or self._ahead.spilled:
            return None
        try:
            return TABLE.get(parse(self._ahead).name)
        except ImapFault:
            return None

    def _count_fault(self) -> None:
        if self.session.state is State.NOT_AUTHENTICATED:
            self._faults += 1
            if self._faults >= STRANGER_FAULTS:
                self._hang_up("this is an IMAP server")

    async def _rest(self) -> None:
        """Take nothing for a while: guessing passwords is slow."""
        self._flush()
        self._pause = asyncio.ensure_future(
            self._services.clock.sleep(self._settings.failure_delay_s)
        )
        await asyncio.wait({self._pause})
        self._pause = None
        if self._ending or self._gone:
            return
        if self.session.failures >= self._settings.max_login_failures:
            self._hang_up("too many wrong passwords")

    async def _begin_tls(self) -> None:
        """Put TLS under the connection; what was sent in clear after STARTTLS is forgotten."""
        self._want_tls = False
        assert self._tls is not None  # noqa: S101 - it was offered
        self._flush()
        self._transport.pause_reading()
        self._framer.clear()
        self._ahead = None
        try:
            transport = await self._loop.start_tls(
                self._transport, self, self._tls, server_side=True
            )
        except (OSError, ValueError) as error:
            raise ConnectionAbortedError("TLS could not be begun") from error
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self._transport.set_write_buffer_limits(high=WRITE_AHEAD_BYTES)
        self._encrypted = True
        self._reading_paused = False

    def _begin_deflate(self) -> None:
        self._want_deflate = False
        self._flush()
        self._deflate = Deflate()

    # -- inside ----------------------------------------------------------------------------------

    def _hang_up(self, why: str) -> None:
        if self.session.state is not State.LOGOUT:
            self.write(f"* BYE {why}\r\n".encode())
            self._flush()
        self.session.state = State.LOGOUT
        self._gone = True
        self._transport.close()
        self._wake()

    def _pause_reading(self) -> None:
        if not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def _wake(self) -> None:
        if self._pause is not None and (self._gone or self._ending):
            self._pause.cancel()
        if self._more is not None and not self._more.done():
            self._more.set_result(None)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
