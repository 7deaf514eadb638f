"""A submission server on a free port, with a real store behind it, and a client of raw lines."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bridge.app.certificate import own_identity
from bridge.credentials import Authenticator, Login, Secret
from bridge.login import GuessGuard, LoginGate
from bridge.mailbox import Mailboxes
from bridge.mime.strict.rules import SubmissionRules
from bridge.model import INBOX, SENT, AccountId, Uid
from bridge.net.listen import Listen
from bridge.outbox.queue import Outbox, QueueSettings
from bridge.smtpserver.server import SmtpServer
from bridge.smtpserver.settings import SmtpSettings, TrustedNetwork
from bridge.store.base import ReadTransaction, Store
from bridge.store.outbox import SubmissionRow
from bridge.store.sqlite.database import SqliteStore
from bridge.wake import Wake
from tests.fakes import FakeClock
from tests.streams import hang_up

ADDRESS = "azienda@pec.example"
PASSWORD = "segreto-della-casella"
TO = "uno@altra.example"
LOOPBACK = ip_network("127.0.0.0/8")


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply; ``text`` without codes, lines joined."""

    code: int
    status: str
    text: str
    lines: tuple[str, ...]


class Client:
    """Speaks SMTP in lines, and breaks its rules when a test wants that."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def reply(self) -> Reply:
        lines = []
        while True:
            line = (await self.reader.readuntil(b"\r\n")).decode()
            lines.append(line[4:].rstrip("\r\n"))
            if line[3] == " ":
                break
        status, _, text = " ".join(lines).partition(" ")
        return Reply(int(line[:3]), status, text, tuple(lines))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def do(self, command: str) -> Reply:
        await self.send(command.encode() + b"\r\n")
        return await self.reply()

    async def log_in(self) -> None:
        await self.do("EHLO client")
        plain = base64.b64encode(f"\0{ADDRESS}\0{PASSWORD}".encode()).decode()
        assert (await self.do(f"AUTH PLAIN {plain}")).code == 235

    async def submit(self, raw: bytes, *recipients: str, sender: str = ADDRESS) -> Reply:
        """Submit a message as it is: with its own end mark behind it."""
        for command in (f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{to}>" for to in recipients or [TO])):
            reply = await self.do(command)
            if reply.code != 250:
                return reply
        reply = await self.do("DATA")
        if reply.code != 354:
            return reply
        await self.send(raw + b".\r\n")
        return await self.reply()

    async def at_end(self) -> bool:
        """Tell whether the server hung up, once it has said all it had to."""
        return not await self.reader.read()


def message(body: str = "Ciao.\r\n", /, **fields: str | None) -> bytes:
    """A message fit to be sent, but for the given fields; None leaves one out."""
    usual = {"From": ADDRESS, "To": TO, "Message-ID": "<1@erp.example>", "Subject": "Prova"}
    spelled = {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [f"{name}: {value}" for name, value in (usual | spelled).items() if value is not None]
    return "\r\n".join([*lines, "", body]).encode()


@dataclass(slots=True)
class Served:
    """A running server and what it writes to."""

    server: SmtpServer
    store: Store
    account: AccountId
    host: str
    port: int
    stack: AsyncExitStack

    async def connect(self, tls: ssl.SSLContext | None = None) -> Client:
        reader, writer = await asyncio.open_connection(self.host, self.port, ssl=tls)
        self.stack.push_async_callback(hang_up, writer)
        client = Client(reader, writer)
        greeting = await client.reply()
        assert greeting.code == 220, greeting
        return client

    async def user(self) -> Client:
        """Return a client that has logged in."""
        client = await self.connect()
        await client.log_in()
        return client

    async def queued(self) -> tuple[SubmissionRow, ...]:
        async def work(tx: ReadTransaction) -> tuple[SubmissionRow, ...]:
            return await tx.submissions()

        return await self.store.read(work)

    async def texts(self) -> list[bytes]:
        """Return the text of each entry of the queue."""
        rows = await self.queued()

        async def work(tx: ReadTransaction) -> list[bytes]:
            return [await tx.raw(row.content, 0, 2**31) for row in rows]

        return await self.store.scan(work)

    async def inbox(self) -> list[bytes]:
        """Return the text of each message in INBOX."""

        async def work(tx: ReadTransaction) -> list[bytes]:
            boxes = {box.name: box for box in await tx.mailboxes(self.account)}
            uids = [Uid(uid) for uid in range(1, boxes[INBOX].uid_next)]
            rows = await tx.message_rows(boxes[INBOX].id, uids)
            return [await tx.raw(row.content, 0, row.size_bytes) for row in rows]

        return await self.store.read(work)

    async def sent_copies(self) -> int:
        """Return how many messages are in ``Sent``."""

        async def work(tx: ReadTransaction) -> int:
            boxes = {box.name: box for box in await tx.mailboxes(self.account)}
            return int(boxes[SENT].uid_next) - 1

        return await self.store.read(work)


Serve = Callable[..., Coroutine[Any, Any, Served]]


@pytest.fixture(scope="session")
def tls_context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return own_identity(tmp_path_factory.mktemp("tls")).context


@pytest.fixture(scope="session")
def client_tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.fixture
async def serve(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Serve]:
    """Start servers; ``settings`` are those of ``SmtpSettings`` that have no name of their own."""
    async with AsyncExitStack() as stack:

        async def start(
            *,
            rules: SubmissionRules | None = None,
            trusted: bool = False,
            others: Sequence[str] = (),
            urgent: bool = False,
            wrap: Callable[[Store], Store] = lambda store: store,
            tls: ssl.SSLContext | None = None,
            implicit: bool = False,
            queue: QueueSettings | None = None,
            page_limit: int | None = None,
            **settings: Any,
        ) -> Served:
            own = await SqliteStore.open(tmp_path / "data", page_limit=page_limit)
            stack.push_async_callback(own.close)
            account = await Mailboxes(own, clock).open_account(ADDRESS)
            store = wrap(own)
            mailboxes = Mailboxes(store, clock)
            outbox = Outbox(mailboxes, clock, Random(1), queue or QueueSettings(), Wake())
            accounts = {account: ADDRESS}
            accounts |= {await mailboxes.open_account(one): one for one in others}
            every = [TrustedNetwork(LOOPBACK, one, urgent) for one in accounts]
            networks = tuple(every) if trusted else ()
            server = SmtpServer(
                outbox,
                LoginGate(
                    Authenticator([Login(account, ADDRESS, Secret(PASSWORD))]),
                    GuessGuard(clock),
                ),
                clock,
                Random(2),
                SmtpSettings(accounts, rules or SubmissionRules(), networks, **settings),
                tls=tls,
            )
            stack.push_async_callback(server.stop)
            ((host, port),) = await server.start([Listen("127.0.0.1", 0, implicit)])
            return Served(server, own, account, host, port, stack)

        yield start


@pytest.fixture
async def served(serve: Serve) -> Served:
    return await serve()
