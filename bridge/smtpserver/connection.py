"""One SMTP connection: who may stay, one command after the other, an orderly end.

Between ``dialogue``, which has the bytes, and the commands of ``session``. The command loop is ours
for the reasons that are told there.

RFCs: 5321 §4.1, 3207 (STARTTLS), 2034 (enhanced status codes), 2920 (PIPELINING).

Failure: anything unforeseen in a command is logged and answered ``451 4.3.0``; the connection
goes on. ``ClientGone`` ends it without a word.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection
from typing import ClassVar, NoReturn

import structlog

from bridge.limits import (
    REPLY_CHARS,
    SMTP_BANNER_WAIT_S,
    SMTP_STRANGER_COMMANDS,
    SMTP_UNKNOWN_COMMANDS,
    shortened,
)
from bridge.model import AccountId
from bridge.net.address import is_loopback
from bridge.net.visitors import Visitors
from bridge.smtpserver.dialogue import ClientGone, Dialogue
from bridge.smtpserver.received import LineTooLong
from bridge.smtpserver.reply import refusal
from bridge.smtpserver.settings import SmtpSettings
from bridge.trace.tracing import Tracing, nothing_traced
from bridge.trace.words import shown, smtp_command

log = structlog.get_logger()

IDENT = "ESMTP pec-bridge"
SHUTTING_DOWN = "421 4.3.2 The bridge is shutting down"
LOG_IN_AGAIN = "421 4.7.0 The account or its password has changed: log in again"
FOREIGN_COMMANDS = frozenset({"CONNECT", "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "TRACE"})
"""HTTP's: a web page must not make its reader's browser send mail through a trusted network."""


ADDRESSED = frozenset({"MAIL", "RCPT"})
"""Commands whose argument must be read exactly."""

UNUSED_COMMANDS = frozenset(
    {"ATRN", "BDAT", "BURL", "ETRN", "EXPN", "SAML", "SEND", "SOML", "TURN"}
)
"""SMTP's own that are not served: whoever sends one does speak SMTP."""


class SmtpConnection(Dialogue):
    """The protocol of one connection, without the commands that make up a submission.

    Args:
        settings: see ``SmtpSettings``.
        tls: offers STARTTLS with this; None offers none.
        loop: the running loop.
        visitors: the server's, this one among them while it lasts.
        implicit_tls: TLS comes before the first word.
        tracing: writes down what is said while somebody asks for it; None: nothing.

    Attributes:
        tap: what is said goes there.
    """

    commands: ClassVar[frozenset[str]] = frozenset()
    """What a client may ask for, in capitals: what its class and those above have methods for."""

    def __init_subclass__(cls) -> None:
        names = (name for name in dir(cls) if name.startswith("smtp_"))
        cls.commands = frozenset(name.removeprefix("smtp_") for name in names)

    def __init__(
        self,
        settings: SmtpSettings,
        tls: ssl.SSLContext | None,
        loop: asyncio.AbstractEventLoop,
        visitors: Visitors[SmtpConnection],
        *,
        implicit_tls: bool = False,
        tracing: Tracing | None = None,
    ) -> None:
        tracing = tracing or nothing_traced()
        super().__init__(
            settings.hostname,
            loop,
            idle_s=settings.idle_timeout_s,
            handshake_s=settings.handshake_timeout_s,
        )
        self.settings = settings
        self.starttls = tls
        self._visitors = visitors
        self._implicit_tls = implicit_tls
        self._tracing = tracing
        self.tap = tracing.tap("smtp", "")
        self._turned_away = False
        self._unknown_commands = 0
        self._stranger_commands = 0
        self._ending = False
        self._last_words = SHUTTING_DOWN
        self._login_timer: asyncio.TimerHandle | None = None
        self._answered = asyncio.Event()
        self._ended = asyncio.Event()

    # -- its beginning and its end -------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or turn the client away."""
        super().connection_made(transport)
        self.tap = self._tracing.tap("smtp", self.peer)
        if self.tap.is_on:
            self.tap.note("connected")
        verdict = self._visitors.enter(self, self.loop.time())
        if verdict.goes is not None:
            verdict.goes.hang_up("421 4.7.0 Too many connections, log in sooner")
        if not verdict.stays:
            log.warning("smtp_client_turned_away", peer=self.peer, reason="too many connections")
            self._turned_away = True
            self.hang_up("421 4.7.0 Too many connections, try again later")
            return
        self._login_timer = self.loop.call_later(self.settings.login_timeout_s, self._login_time)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(error)
        if self.tap.is_on:
            self.tap.note("closed")
        self._over()

    def _over(self) -> None:
        self._visitors.leave(self)
        if self._login_timer is not None:
            self._login_timer.cancel()
        self._answered.set()
        self._ended.set()

    def _login_time(self) -> None:
        if self.is_counted:
            log.info("smtp_login_timeout", peer=self.peer)
            self.hang_up("421 4.4.2 Log in sooner")

    async def finish(self, last_words: str = SHUTTING_DOWN) -> None:
        """Answer what is in hand, say goodbye, hang up; return when nothing is in hand."""
        self._ending, self._last_words = True, last_words
        if self.busy:
            await self._answered.wait()
        else:
            self.hang_up(last_words)

    async def wait_closed(self) -> None:
        """Wait for the end; over TLS the client has to agree to it, and an idle one does not."""
        await self._ended.wait()

    async def push(self, status: str | bytes) -> None:
        """Write one reply; see ``Dialogue.push``.

        Raises:
            ClientGone: there is nobody to write to.
        """
        if self.tap.is_on:
            said = status.encode("utf-8", "replace") if isinstance(status, str) else status
            for line in said.split(b"\r\n"):
                self.tap.server(shown(line))
        await super().push(status)

    def hang_up(self, last_words: str = "") -> None:
        """Close the connection; nothing is said in clear where TLS comes first."""
        if last_words and self.tap.is_on:
            self.tap.server(last_words)
        super().hang_up(last_words if self.is_encrypted or not self._implicit_tls else "")

    async def encrypt(self, context: ssl.SSLContext, *, from_first_byte: bool = False) -> None:
        """Begin TLS; see ``Dialogue.encrypt``.

        Raises:
            ClientGone: it did not come about.
        """
        try:
            await super().encrypt(context, from_first_byte=from_first_byte)
        except ClientGone:
            self._over()  # nobody tells of a handshake that failed
            raise

    # -- facts ---------------------------------------------------------------------------------

    @property
    def is_private(self) -> bool:
        """Whether a password may be sent: over TLS, or without leaving this machine."""
        return self.is_encrypted or is_loopback(self.peer)

    @property
    def is_stranger(self) -> bool:
        """Whether the client has neither logged in nor begun a message."""
        return True

    def take_over(self, settings: SmtpSettings, ended: Collection[AccountId]) -> bool:
        """Go by these settings from here on; False if the client may not go on.

        Args:
            settings: from here on.
            ended: accounts whose clients may not.
        """
        self.settings = settings
        return True

    @property
    def is_counted(self) -> bool:
        """Whether it would have to log in and has not."""
        return self.is_stranger and not self.is_trusted_unheard

    @property
    def address(self) -> str:
        """The client's address, "" if it has none."""
        return self.peer

    @property
    def guesses(self) -> int:
        """How many wrong passwords it has tried."""
        return 0

    @property
    def is_trusted_unheard(self) -> bool:
        """Whether whatever comes may be sent, because of where it comes from alone."""
        return False

    # -- commands ------------------------------------------------------------------------------

    async def refuse(self, code: int, status: str, text: str, *, utf8: bool = False) -> None:
        """Write a refusal down and give it.

        Args:
            code: the reply code.
            status: the enhanced status code.
            text: the sentence; what is beyond a reply's length is left out of its middle.
            utf8: whether letters outside ASCII may be in it (RFC 6531 §3.7.4).

        Raises:
            ClientGone: there is nobody to write to.
        """
        reason = shortened(text, REPLY_CHARS)
        log.info("smtp_refusal", peer=self.peer, code=code, status=status, reason=reason)
        await self.push(refusal(code, status, text, self.settings.language, utf8=utf8))

    async def serve(self) -> None:
        """Greet the client and carry out its commands, until one of the two ends it."""
        try:
            if self._turned_away:
                return
            if self._implicit_tls and self.starttls is not None:
                await self.encrypt(self.starttls, from_first_byte=True)
            if self.is_trusted_unheard:
                await self._refuse_early_talk()
            await self.push(f"220 {self.hostname} {IDENT}")
            while not self._ending:
                await self._next_command()
            self.hang_up(self._last_words)
        except ClientGone:
            pass
        finally:
            self.hang_up()
            self._answered.set()
            self.drop_unread()

    async def _refuse_early_talk(self) -> None:
        """Hang up on who speaks before he was greeted: it is no SMTP, but might look like it.

        A TLS hello, a ``PROXY`` line, an HTTP request made to hold commands (a message in it
        would be a legal act): their senders do not wait for a banner.
        """
        await asyncio.sleep(SMTP_BANNER_WAIT_S)
        if self.has_unread:
            self._turn_away("it spoke before it was greeted")

    def _turn_away(self, why: str) -> NoReturn:
        log.warning("smtp_client_turned_away", peer=self.peer, reason=why)
        self.hang_up("421 4.7.0 This is SMTP; goodbye")
        raise ClientGone

    async def _next_command(self) -> None:
        await asyncio.sleep(0)  # commands that came together let others have their turn
        self._stranger_commands = self._stranger_commands + 1 if self.is_stranger else 0
        if self._stranger_commands > SMTP_STRANGER_COMMANDS:
            self._turn_away("it neither logs in nor sends")
        try:
            line = await self.read_line()
        except LineTooLong:
            await self.push("500 5.5.2 The line is too long")
            return
        if self.tap.is_on:
            self.tap.client(smtp_command(line))
        try:
            await self._carry_out(line)
        except ClientGone:
            raise
        except Exception as error:
            log.error("smtp_command_failed", peer=self.peer, exc_info=error)
            self.reset()
            await self.push(
                "451 4.3.0 The bridge failed at this command; its log says why. Try again later"
            )

    async def _carry_out(self, line: bytes) -> None:
        verb, _, rest = line.partition(b" ")
        name = verb.decode("ascii", "replace")
        if name.upper() not in self.commands:
            await self._unknown(name.upper())
            return
        command = getattr(self, f"smtp_{name.upper()}")
        try:
            argument = rest.decode("utf-8")
        except UnicodeDecodeError:
            if name.upper() in ADDRESSED:
                await self.push("553 5.6.7 The address is not in UTF-8")
                return
            argument = rest.decode("ascii", "backslashreplace")  # a name nobody looks at
        await command(argument.strip() or None)

    async def _unknown(self, name: str) -> None:
        """Refuse what is no command here; where no login is asked for, it is the last word."""
        self._unknown_commands += 1
        foreign = name in FOREIGN_COMMANDS or (
            self.is_trusted_unheard and name not in UNUSED_COMMANDS
        )
        if foreign or self._unknown_commands > SMTP_UNKNOWN_COMMANDS:
            self._turn_away("it does not speak SMTP")
        await self.push("500 5.5.1 Unknown command")

    async def smtp_QUIT(self, arg: str | None) -> None:
        """RFC 5321 §4.1.1.10.

        Raises:
            ClientGone: always; the connection ends here.
        """
        await self.push("221 2.0.0 Bye")
        raise ClientGone

    async def smtp_HELP(self, arg: str | None) -> None:
        """RFC 5321 §4.1.1.8."""
        await self.push("214 2.0.0 This server takes messages from its users (RFC 6409)")

    async def smtp_VRFY(self, arg: str | None) -> None:
        """RFC 5321 §3.5.3: says nothing about who is here."""
        await self.push("252 2.5.0 Send the message and see")

    async def smtp_STARTTLS(self, arg: str | None) -> None:
        """RFC 3207; who goes on in clear behind the command is hung up on (§6).

        Raises:
            ClientGone: it did not come about.
        """
        if arg:
            await self.push("501 5.5.4 Syntax: STARTTLS")
            return
        if self.starttls is None or self.is_encrypted:
            await self.push("454 4.7.0 TLS is not available here")
            return
        if self.has_unread:
            self._turn_away("it went on in clear behind STARTTLS")
        await self.push("220 2.0.0 Ready to start TLS")
        await self.encrypt(self.starttls)
        self.forget()

    def forget(self) -> None:
        """Forget everything the client said before TLS (RFC 3207 §4.2)."""
        self.reset()
        if self.session is not None:
            self.session.host_name = None
            self.session.extended_smtp = False
