"""Telling by ordinary mail, through the smarthost of the settings; never as a PEC.

smtplib works on a thread of its own, one try at a time, and its connection is cut when time is
over: whatever the server does, nobody waits for it. A server that says it is a pec-bridge is not
given anything: what it takes becomes a legal act that is paid for.

Failure: none; what goes wrong is in the report, as a sentence without a secret.
"""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

from bridge.api.unreachable import why_unreachable
from bridge.clock import ROME
from bridge.hooks.digest import Digest, subject_of, text_of
from bridge.hooks.schedule import TryReport
from bridge.hooks.states import TryOutcome
from bridge.language import LanguageSetting, say
from bridge.limits import SMARTHOST_ANSWER_BYTES

OURSELVES = b"pec-bridge"
SERVICE_READY = 220
DOMAIN = "pec-bridge.invalid"
DEADLINE_FACTOR = 3
"""A whole conversation may take so many times what one answer may."""


@dataclass(frozen=True, slots=True)
class Smarthost:
    """The server that takes the mail; ``login`` is name and password, None for none."""

    host: str
    port: int
    tls: Literal["starttls", "implicit", "none"]
    timeout_s: float
    login: tuple[str, str] | None = field(default=None, repr=False)
    ca_file: Path | None = None


class Rejected(Exception):
    """The server will not do; the text says why."""


class _Bounded:
    """What a server says, line by line, but not without end: smtplib keeps an answer whole.

    Args:
        lines: where it is read from.
    """

    def __init__(self, lines: BinaryIO) -> None:
        self._lines = lines
        self._left_bytes = SMARTHOST_ANSWER_BYTES

    def readline(self, most: int) -> bytes:
        """Return the next line, or so much of it.

        Raises:
            OSError: it cannot be read.
            Rejected: the server has said too much.
        """
        line = self._lines.readline(most)
        self._left_bytes -= len(line)
        if self._left_bytes < 0:
            raise Rejected(say("says more than is read of an answer"))
        return line

    def close(self) -> None:
        """Let go of the connection."""
        self._lines.close()


class _Watched(smtplib.SMTP):
    """An SMTP client that refuses to talk to a bridge, and tells of itself before it connects."""

    def getreply(self) -> tuple[int, bytes]:
        """Read an answer.

        Raises:
            smtplib.SMTPException, Rejected: there is none, or it has no end.
        """
        if self.file is None and self.sock is not None:
            self.file = _Bounded(self.sock.makefile("rb"))
        return super().getreply()

    def connect(
        self, host: str = "localhost", port: int = 0, source_address: Any = None
    ) -> tuple[int, bytes]:
        """Connect, and read the banner.

        Raises:
            OSError, smtplib.SMTPException, Rejected: nobody takes mail there.
        """
        status, banner = super().connect(host, port, source_address)
        if status != SERVICE_READY:
            raise Rejected(say("does not take mail just now (status {status})", status=status))
        if OURSELVES in banner.lower():
            raise Rejected(say("is a pec-bridge, which would send this as a PEC"))
        return status, banner


class _Plain(_Watched):
    def __init__(self, server: Smarthost, made: list[smtplib.SMTP], _tls: ssl.SSLContext) -> None:
        made.append(self)
        super().__init__(server.host, server.port, timeout=server.timeout_s)


class _Implicit(_Watched, smtplib.SMTP_SSL):
    def __init__(self, server: Smarthost, made: list[smtplib.SMTP], tls: ssl.SSLContext) -> None:
        made.append(self)
        smtplib.SMTP_SSL.__init__(
            self, server.host, server.port, timeout=server.timeout_s, context=tls
        )


class Conversation:
    """One conversation with a smarthost, on a thread, that another thread can cut.

    Args:
        server: whom to talk to.
    """

    def __init__(self, server: Smarthost) -> None:
        self._server = server
        self._made: list[smtplib.SMTP] = []

    def hold(self, message: EmailMessage | None, sender: str, receiver: str) -> None:
        """Connect, begin TLS, log in, hand over a message if there is one, and say goodbye.

        Raises:
            OSError, smtplib.SMTPException, Rejected: it was not handed over.
        """
        server = self._server
        tls = ssl.create_default_context(cafile=server.ca_file and str(server.ca_file))
        kind = _Implicit if server.tls == "implicit" else _Plain
        try:
            client = kind(server, self._made, tls)
            if server.tls == "starttls":
                client.starttls(context=tls)
            if server.login is not None:
                client.login(*server.login)
            if message is not None:
                client.send_message(message, sender, [receiver])
            with contextlib.suppress(OSError, smtplib.SMTPException):
                client.quit()
        finally:
            for one in self._made:
                one.close()

    def cut(self) -> None:
        """Cut the connection, so that the thread that waits on it goes on."""
        for client in self._made:
            sock = getattr(client, "sock", None)
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


class MailTarget:
    """See the module.

    Args:
        server: the smarthost.
        sender: whose mail it is.
        receiver: who reads it.
        language: what it is written in.
    """

    def __init__(
        self, server: Smarthost, sender: str, receiver: str, language: LanguageSetting
    ) -> None:
        self._language = language
        self._server = server
        self._sender = sender
        self._receiver = receiver
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="alarms-mail")

    async def aclose(self) -> None:
        """Begin nothing any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def tell(self, name: str, told: Digest, at: datetime) -> TryReport:
        """Send a message of alarms.

        Args:
            name: stands before the ``@`` of its Message-ID: the same again is the same message.
            told: the alarms.
            at: its date, aware.
        """
        return await self._report(self._message(name, told, at))

    async def look(self) -> TryReport:
        """Connect and log in, and send nothing."""
        return await self._report(None)

    def _message(self, name: str, told: Digest, at: datetime) -> EmailMessage:
        host = socket.gethostname()
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = self._receiver
        message["Subject"] = subject_of(told, self._language)
        message["Date"] = format_datetime(at.astimezone(ROME))
        message["Message-ID"] = f"<{name}@{DOMAIN}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text_of(told, host, self._language))
        return message

    async def _report(self, message: EmailMessage | None) -> TryReport:
        conversation = Conversation(self._server)
        under_way = asyncio.get_running_loop().run_in_executor(
            self._thread, conversation.hold, message, self._sender, self._receiver
        )
        shown = f"{self._server.host}:{self._server.port}"
        try:
            async with asyncio.timeout(DEADLINE_FACTOR * self._server.timeout_s):
                await under_way
        except (OSError, smtplib.SMTPException, Rejected, ValueError) as error:
            # ValueError: smtplib cannot read a challenge, or write this user or password.
            return TryReport(
                TryOutcome.DOWN, say("{shown} {error}", shown=shown, error=_why(error))
            )
        finally:
            conversation.cut()
        return TryReport(TryOutcome.TAKEN)


def _why(error: Exception) -> str:
    """Say what went wrong; what the server wrote may quote the password and is not shown."""
    match error:
        case Rejected():
            sentence: str = error.args[0]
            return sentence
        case smtplib.SMTPAuthenticationError():
            return say("refuses user and password (status {status})", status=error.smtp_code)
        case smtplib.SMTPNotSupportedError():
            return say("offers no TLS, or no login that is known here")
        case smtplib.SMTPRecipientsRefused():
            return say("refuses the receiver's address")
        case smtplib.SMTPSenderRefused():
            return say("refuses the sender's address (status {status})", status=error.smtp_code)
        case smtplib.SMTPResponseException():
            return say("refuses the message (status {status})", status=error.smtp_code)
        case UnicodeEncodeError():
            return say("takes no user or password here: both have to be ASCII")
        case ValueError() if not isinstance(error, OSError):  # as of a certificate
            return say("says what cannot be read when it is to be logged in")
        case smtplib.SMTPException():
            return say("broke the conversation off")
    return why_unreachable(error) or say("broke the connection off")
