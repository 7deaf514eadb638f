"""A server on loopback over a store of its own, and a client that hides nothing of the wire."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bridge.clock import Clock, SystemClock
from bridge.imapserver.server import ImapServer
from bridge.imapserver.services import Services
from bridge.imapserver.settings import ImapSettings
from bridge.login import GuessGuard, LoginGate
from bridge.mailbox import Mailboxes
from bridge.model import AccountId, Flag, MessageRow, Quota
from bridge.net.listen import Listen
from bridge.store.base import Store
from tests.fakes import FakeClock

ADDRESS = "azienda@pec.example"
PASSWORD = "parola"
PATIENCE_S = 10.0
APPEND_LIMIT_BYTES = 4 * 1024 * 1024
_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")


class OneAccount:
    """Knows one login, any case."""

    def __init__(self, account: AccountId) -> None:
        self._account = account

    async def check(self, login: str, password: str) -> AccountId | None:
        known = login.casefold() == ADDRESS and password == PASSWORD
        return self._account if known else None


class Figures:
    """A quota of a mebibyte, a tenth of it used."""

    async def quota(self, account: AccountId) -> Quota | None:
        return Quota(104_858, 1_048_576)


@dataclass(slots=True)
class Client:
    """One connection; lines go out and come in as they are."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    tags: int = 0

    async def line(self) -> bytes:
        """Return the next response, its literals in it, without the last CRLF."""
        async with asyncio.timeout(PATIENCE_S):
            text = await self.reader.readline()
            while match := _LITERAL.search(text):
                text += await self.reader.readexactly(int(match[1]))
                text += await self.reader.readline()
        return text.removesuffix(b"\r\n")

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def ask(self, command: str | bytes) -> list[str]:
        """Send a command and return its responses, the tagged one last and without its tag."""
        self.tags += 1
        tag = b"t%d " % self.tags
        raw = command.encode() if isinstance(command, str) else command
        await self.send(tag + raw + b"\r\n")
        return await self.answer(tag)

    async def answer(self, tag: bytes) -> list[str]:
        """Return responses up to the tagged one."""
        lines: list[str] = []
        while True:
            line = await self.line()
            if line.startswith(tag):
                return [*lines, line[len(tag) :].decode()]
            if not line:
                raise ConnectionError(f"hung up after {lines}")
            lines.append(line.decode())

    async def ok(self, command: str | bytes) -> list[str]:
        """Send a command that must succeed; return its untagged responses."""
        *untagged, tagged = await self.ask(command)
        assert tagged.startswith("OK"), tagged
        return untagged

    async def tagged(self, command: str | bytes) -> str:
        """Send a command and return its tagged response."""
        return (await self.ask(command))[-1]

    async def append(self, mailbox: str, text: bytes, arguments: str = "") -> str:
        """Append a message by a non-synchronising literal."""
        head = f"APPEND {mailbox} {arguments}".encode()
        return await self.tagged(head + b"{%d+}\r\n%b" % (len(text), text))

    async def login(self) -> None:
        await self.ok(f'LOGIN {ADDRESS} "{PASSWORD}"')

    async def eof(self) -> bytes:
        """Return all up to the end of the connection."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read()

    def close(self) -> None:
        self.writer.close()


@dataclass(slots=True)
class Rig:
    """A running server and what it stands on."""

    server: ImapServer
    services: Services
    account: AccountId
    port: int
    clock: FakeClock
    clients: list[Client] = field(default_factory=list)

    @classmethod
    async def start(
        cls,
        store: Store,
        clock: FakeClock,
        *,
        settings: ImapSettings | None = None,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        time: Clock | None = None,
        shared: bool = False,
    ) -> Rig:
        mailboxes = Mailboxes(store, clock, has_company=lambda: shared)
        account = await mailboxes.open_account(ADDRESS)
        logins = LoginGate(OneAccount(account), GuessGuard(SystemClock()))
        services = Services(mailboxes, store, logins, time or clock, Figures(), APPEND_LIMIT_BYTES)
        server = ImapServer(services, settings or ImapSettings(failure_delay_s=0.0), tls=tls)
        ((_, port),) = await server.start([Listen("127.0.0.1", 0, implicit)])
        return cls(server, services, account, port, clock)

    async def stop(self) -> None:
        for client in self.clients:
            client.close()
        await self.server.stop()
        for client in self.clients:
            with contextlib.suppress(OSError, ssl.SSLError):
                await client.writer.wait_closed()

    async def connect(self, tls: ssl.SSLContext | None = None) -> Client:
        """Return a connection before its greeting."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            self.port,
            limit=64 * 1024 * 1024,
            ssl=tls,
            server_hostname="localhost" if tls else None,
        )
        client = Client(reader, writer)
        self.clients.append(client)
        return client

    async def client(self, mailbox: str | None = None) -> Client:
        """Return a client that has logged in and, if asked to, selected a mailbox."""
        client = await self.connect()
        await client.line()
        await client.login()
        if mailbox is not None:
            await client.ok(f"SELECT {mailbox}")
        return client

    async def add(
        self,
        text: bytes | str = "ciao",
        *,
        mailbox: str = "INBOX",
        flags: tuple[str, ...] = (),
        at: datetime = datetime(2026, 1, 15, 9, 0, tzinfo=UTC),
    ) -> MessageRow:
        """Put a message into a mailbox as sync does; a str is its subject."""
        mailboxes = self.services.mailboxes
        box = await mailboxes.find(self.account, mailbox)
        assert box is not None
        raw = message(text) if isinstance(text, str) else text
        ready = await mailboxes.prepare(raw)
        return await mailboxes.append(box.id, ready, frozenset(map(Flag, flags)), at)


def message(subject: str, body: str = "Salve.") -> bytes:
    """Return a small message."""
    lines = (
        f"From: Anna <anna@pec.example>\r\nTo: bruno@pec.example\r\nSubject: {subject}\r\n"
        f"Date: Thu, 15 Jan 2026 10:00:00 +0100\r\nMessage-ID: <{subject}@pec.example>\r\n"
        f"\r\n{body}\r\n"
    )
    return lines.encode()
