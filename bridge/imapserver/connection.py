"""One client's connection: commands to the session, one after the other, and time limits.

Knows no command but by the table. A command is carried out whole before the next is looked at.

Failure: whatever a handler does not answer for is the session's to answer; a client that is gone
ends the connection after the command under way, whose commit stands.

RFC 3501 §5.4 (autologout).
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from dataclasses import replace

import structlog

from bridge.imap.errors import Flood, ImapFault
from bridge.imap.framing import BareLine, CommandLine, Framer, NeedContinuation, Spill
from bridge.imap.parser import parse
from bridge.imapserver.capability import capabilities
from bridge.imapserver.reply import answer_to
from bridge.imapserver.services import Services
from bridge.imapserver.session import Session, SessionState
from bridge.imapserver.settings import ImapSettings
from bridge.imapserver.table import TABLE, Spec, may_tell_expunges
from bridge.imapserver.wire import Wire
from bridge.limits import (
    IMAP_FAULTS_IN_A_ROW,
    IMAP_LINE_BYTES,
    IMAP_LITERALS,
    IMAP_STRANGER_FAULTS,
    IMAP_STRANGER_LINE_BYTES,
    IMAP_STRANGER_LITERAL_BYTES,
    IMAP_STRANGER_LITERALS,
    IMAP_STRANGER_SKIPPED_BYTES,
)
from bridge.net.address import is_loopback
from bridge.net.visitors import Visitors
from bridge.spool import Spool
from bridge.trace.words import imap_command, imap_line, imap_reply

log = structlog.get_logger()

KEEPALIVE_S = 120.0
SHUTTING_DOWN = "the server is shutting down"
LOG_IN_AGAIN = "the account or its password has changed: log in again"


class ImapConnection(Wire):
    """The protocol of one connection and its session's ``Output``.

    Args:
        services: what all sessions share.
        settings: limits.
        tls: offers STARTTLS with this; None offers none.
        implicit_tls: TLS comes before the first word.
        connections: the server's; this one is among them while it lasts.
    """

    def __init__(
        self,
        services: Services,
        settings: ImapSettings,
        tls: ssl.SSLContext | None,
        *,
        implicit_tls: bool,
        connections: Visitors[ImapConnection],
    ) -> None:
        super().__init__(services.clock, _strangers_framer())
        self._implicit_tls = implicit_tls
        self._services = services
        self._settings = settings
        self._tls = tls
        self._connections = connections
        self._spool = Spool(settings.spool_dir)
        self._pause: asyncio.Future[None] | None = None
        self._ending = False
        self._why = SHUTTING_DOWN
        self._faults = 0
        self._want_tls = False
        self._want_deflate = False
        self._began_at = self.heard_at
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._task: asyncio.Task[None] | None = None

    # -- its beginning and its end ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or turn the client away."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        host = str(peer[0]) if peer else "127.0.0.1"
        self._loopback = is_loopback(host)
        self.session = Session(self._services, self, host)
        self._tap = self._services.tracing.tap("imap", host)
        if self._tap.is_on:
            self._tap.note("connected")
        verdict = self._connections.enter(self, self._clock.monotonic())
        if verdict.goes is not None:
            verdict.goes.hang_up("too many connections, log in sooner")
        if not verdict.stays:
            log.warning("imap_connection_refused", peer=host, reason="too many connections")
            self.hang_up("too many connections, try again later")
            return
        self._task = self._loop.create_task(self._serve())

    def write(self, data: bytes) -> None:
        """Send bytes; see ``Wire``."""
        if self._tap.is_on:
            for line in imap_reply(data):
                self._tap.server(line)
        super().write(data)

    def write_all(self, pieces: Sequence[bytes]) -> None:
        """Send pieces; see ``Wire``."""
        if self._tap.is_on:
            self.write(b"".join(pieces))
        else:
            super().write_all(pieces)

    def lost(self) -> None:
        """Forget the connection."""
        if self._tap.is_on:
            self._tap.note("closed")
        self._connections.leave(self)
        if self._task is None:
            self._end()

    def writable_again(self) -> None:
        """Tell what waited for the client to read."""
        if self.session.on_update is not None:
            self.session.on_update()
        if self.session.notifier is not None:
            self.session.notifier.wake()

    async def finish(self, why: str = SHUTTING_DOWN) -> None:
        """Let the command under way end, say goodbye, hang up; return when that is done."""
        self._ending, self._why = True, why
        if self.waits:
            self.hang_up(why)
        self.wake()
        await asyncio.shield(self._ended)

    @property
    def address(self) -> str:
        """Where the client comes from."""
        return self.session.peer

    @property
    def is_counted(self) -> bool:
        """Whether the client has not logged in."""
        return self.session.state is SessionState.NOT_AUTHENTICATED

    @property
    def guesses(self) -> int:
        """How many wrong passwords it has tried."""
        return self.session.failures

    def abort(self) -> None:
        """Hang up without a word."""
        self.cut()
        if self._task is not None:
            self._task.cancel()

    def check_time(self, now_s: float) -> None:
        """Hang up on a client that lets us wait for too long; assure an idling one."""
        settings = self._settings
        if self.backed_up_since is not None:
            if now_s - self.backed_up_since > settings.write_timeout_s:
                self.cut()
        elif not self.waits:
            return
        elif self.session.state is SessionState.NOT_AUTHENTICATED:
            if now_s - self._began_at > settings.login_timeout_s:
                self.hang_up("log in sooner")
        elif now_s - self.heard_at > settings.idle_timeout_s:
            self.hang_up("nothing was heard for too long")
        elif self.session.idling and now_s - self.sent_at > KEEPALIVE_S:
            self.write(b"* OK still here\r\n")

    def wake(self) -> None:
        """End the waiting for the client, and the rest after a wrong password."""
        super().wake()
        if self._pause is not None and (self.gone or self._ending):
            self._pause.cancel()

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    # -- session.Output --------------------------------------------------------------------------

    async def give_way(self) -> None:
        """Let others run, those first who have as much to do and came before.

        Raises:
            ConnectionResetError: the client is gone.
        """
        self.flush()
        await self._services.turnstile.passed()
        await self.kept_up()

    async def read_line(self) -> bytes:
        """Return the next line that is no command."""
        self.framer.expect_line()
        event = await self.event()
        assert isinstance(event, BareLine)  # noqa: S101 - it was asked for
        if self._tap.is_on:
            self._tap.client(imap_line(event.text))
        return event.text

    def hang_up(self, why: str) -> None:
        """Say goodbye and close."""
        unspeakable = self._implicit_tls and not self.encrypted
        if self.session.state is not SessionState.LOGOUT and not unspeakable:
            self.write(f"* BYE {why}\r\n".encode())
        self.session.end()
        self.close()

    def start_tls(self) -> None:
        """Ask for TLS after the reply."""
        self._want_tls = True

    def compress(self) -> None:
        """Ask for compression after the reply."""
        self._want_deflate = True

    @property
    def secure(self) -> bool:
        """Whether nobody else can listen."""
        return self.encrypted or self._loopback

    @property
    def can_start_tls(self) -> bool:
        """Whether TLS is offered and not on."""
        return self._tls is not None and not self.encrypted

    @property
    def can_compress(self) -> bool:
        """Whether compression would help and is not on."""
        return not self.compressed and not self._loopback

    # -- the conversation ------------------------------------------------------------------------

    async def _serve(self) -> None:
        try:
            if self._implicit_tls and self._tls is not None:
                await self.begin_tls(
                    self._tls, self._settings.handshake_timeout_s, from_first_byte=True
                )
            self.write(f"* OK [CAPABILITY {capabilities(self.session)}] ready\r\n".encode())
            while self.session.state is not SessionState.LOGOUT:
                await self._turn()
                if self._ending:
                    self.hang_up(self._why)
        except ConnectionError:
            pass
        except Exception:
            log.exception("imap_connection_failed", peer=self.session.peer)
        finally:
            self._spool.close()
            await self.session.close()
            self.close()
            self._connections.leave(self)  # nobody tells of a handshake that failed
            self.framer.clear()  # what nobody will read
            self._end()

    async def _turn(self) -> None:
        """Take one command and carry it out; one with large literals when its turn has come."""
        async with contextlib.AsyncExitStack() as held:
            await self._take_one(held)

    async def _take_one(self, held: contextlib.AsyncExitStack) -> None:
        session = self.session
        try:
            line = await self._command_line(held)
            tagged = parse(line, utf8=session.utf8)
        except Flood as flood:
            self.hang_up(flood.text)
            return
        except ImapFault as fault:
            self._refuse(fault)
            self._count_fault()
            await self.drain()
            return
        if self._tap.is_on:
            is_known = session.account is not None
            self._tap.client(imap_command(tagged.name, line.text, is_known=is_known))
        if session.account is not None:
            self._faults = 0
        if self._spool.failed:
            self.write(f"{tagged.tag} NO [OVERQUOTA] no room for what was sent\r\n".encode())
            await self.drain()
            return
        spec = TABLE[tagged.name]
        failures = session.failures
        await session.run(
            tagged,
            spec.handler,
            spec.states,
            allow_expunge=lambda: may_tell_expunges(spec, self._following()),
        )
        if session.tried and self._tap.is_on:
            self._tap.belongs_to(session.tried)
        if session.failures > failures:
            await self._rest()
        await self._change_wire()
        await self.drain()

    def _refuse(self, fault: ImapFault) -> None:
        """Answer what is no command; none of its words come into a trace."""
        if self._tap.is_on:
            self._tap.client("(no command, not shown)")
            self._tap.server(f"(tag) {answer_to(fault, quoted=False)}")
        super().write(f"{fault.tag} {answer_to(fault)}\r\n".encode())

    async def _change_wire(self) -> None:
        """Do what a command asked of the connection, its reply being sent."""
        if self.session.account is not None:
            self.framer.literal_limit_bytes = self._services.append_limit_bytes
            self.framer.line_limit_bytes = IMAP_LINE_BYTES
            self.framer.literal_limit = IMAP_LITERALS
            self.framer.skip_limit_bytes = None
        if self._want_tls and self.has_unread:  # somebody in between may have put it there
            log.warning("imap_went_on_in_clear_behind_starttls", peer=self.session.peer)
            self.hang_up("nothing may follow STARTTLS in clear")
        elif self._want_tls and self._tls is not None:
            await self.begin_tls(self._tls, self._settings.handshake_timeout_s)
        if self._want_deflate:
            self.begin_deflate()
        self._want_tls = self._want_deflate = False

    async def _command_line(self, held: contextlib.AsyncExitStack) -> CommandLine:
        """Return the next whole command, its large literals fetched from the disk."""
        self._spool.close()
        while True:
            event = await self.event()
            match event:
                case NeedContinuation():
                    self.write(b"+ go on\r\n")
                case Spill(data=data, last=last):
                    await self._spool.add(data, last=last)
                case CommandLine():
                    return await self._filled(event, held)

    async def _filled(self, line: CommandLine, held: contextlib.AsyncExitStack) -> CommandLine:
        if not line.spilled:
            return line
        await held.enter_async_context(self._services.literals.taken(self._spool.size_bytes))
        literals = list(line.literals)
        for place, literal in zip(line.spilled, await self._spool.read(), strict=True):
            literals[place] = literal
        return replace(line, literals=tuple(literals), spilled=())

    def _following(self) -> Spec | None:
        """Return the table's row of a command that waits whole already, if one does."""
        ahead = self.peek()
        if not isinstance(ahead, CommandLine) or ahead.spilled:
            return None
        try:
            return TABLE[parse(ahead).name]
        except ImapFault:
            return None

    def _count_fault(self) -> None:
        """Hang up on who speaks something else; a user may err, but not without end."""
        stranger = self.session.state is SessionState.NOT_AUTHENTICATED
        self._faults += 1
        if self._faults >= (IMAP_STRANGER_FAULTS if stranger else IMAP_FAULTS_IN_A_ROW):
            self.hang_up("this is an IMAP server")

    async def _rest(self) -> None:
        """Take nothing for a while: guessing passwords is slow."""
        self.flush()
        clock, delay_s = self._services.clock, self._settings.failure_delay_s
        self._pause = asyncio.ensure_future(clock.sleep(delay_s))
        await asyncio.wait({self._pause})
        self._pause = None
        if self._ending or self.gone:
            return
        if self.session.failures >= self._settings.max_login_failures:
            self.hang_up("too many wrong passwords")


def _strangers_framer() -> Framer:
    """Return a framer for who has not logged in: a name and a password are all he has to say."""
    return Framer(
        IMAP_STRANGER_LITERAL_BYTES,
        line_limit_bytes=IMAP_STRANGER_LINE_BYTES,
        literal_limit=IMAP_STRANGER_LITERALS,
        skip_limit_bytes=IMAP_STRANGER_SKIPPED_BYTES,
    )
