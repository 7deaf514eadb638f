"""A whole bridge in the test's own process: real ports on loopback, the API in memory.

``running`` starts it on a folder, so that a test can stop it and start another on the same data.
Clients that block (``imaplib``, ``smtplib``, the command line) go on a thread: ``apart``.
"""

from __future__ import annotations

import asyncio
import imaplib
import smtplib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from random import Random
from typing import TypeVar

import httpx

from bridge.app.bridge import Bridge
from bridge.clock import Clock, SystemClock
from bridge.config import (
    Account,
    Api,
    Config,
    Database,
    Imap,
    Listen,
    Receiver,
    SecretSource,
    Send,
    Smtp,
    Sync,
    Web,
)
from bridge.credentials import AccountSecrets, ReceiverSecrets, Secret, Secrets
from bridge.net.listening import Listening
from bridge.simulator import SEQUENCE_READING, Delays, Simulator
from tests.stores import CHOSEN, DATABASES

ADDRESS = "azienda@pec.example"
PASSWORD = "parola"
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PATIENCE_S = 20.0

T = TypeVar("T")


async def apart(work: Callable[..., T], *args: object) -> T:
    """Run what blocks on a thread, so that the bridge in this loop can answer it."""
    return await asyncio.wait_for(asyncio.to_thread(work, *args), PATIENCE_S)


def simulated(*, messages: int = 0) -> Simulator:
    """Return an API with one mailbox, whose receipts come at once."""
    delays = Delays(acceptance_s=0.0, delivery_s=0.0, failure_s=0.0)
    simulator = Simulator(SEQUENCE_READING.replace(delays=delays), SystemClock(), Random(1))
    simulator.add_mailbox(ADDRESS, PASSWORD)
    simulator.seed(ADDRESS, messages)
    return simulator


def settings(data_dir: Path) -> Config:
    """Return settings with all ports free ones and everything quick."""
    nowhere = SecretSource(env="UNUSED")
    return Config(
        api=Api(token=nowhere, base_url="https://api.invalid"),
        account=(Account(address=ADDRESS, password=nowhere),),
        data_dir=data_dir,
        send=Send(rate_per_s=1000.0),
        sync=Sync(interval_s=1.0, request_budget_per_day=10**9),
        imap=Imap(listen=(Listen("127.0.0.1", 0),)),
        smtp=Smtp(listen=(Listen("127.0.0.1", 0),)),
        web=Web(listen=()),
        store=Database(nowhere if CHOSEN == "postgres" else None),
    )


@dataclass(frozen=True, slots=True)
class Running:
    """A bridge that is up."""

    bridge: Bridge
    listening: Listening
    config: Config

    def port(self, protocol: str) -> int:
        """Return the port of a protocol's first listener."""
        return next(one.port for one in self.listening.listeners if one.protocol == protocol)

    def imap(self, password: str = PASSWORD) -> imaplib.IMAP4:
        """Log in; blocks."""
        client = imaplib.IMAP4("127.0.0.1", self.port("imap"), timeout=PATIENCE_S)
        try:
            client.login(ADDRESS, password)
        except BaseException:
            client.shutdown()
            raise
        return client

    def submit(self, subject: str, *recipients: str) -> None:
        """Submit a message; blocks."""
        message = EmailMessage()
        message["From"] = ADDRESS
        message["To"] = ", ".join(recipients)
        message["Subject"] = subject
        message["Message-ID"] = f"<{subject.replace(' ', '.')}@client.example>"
        message.set_content("Salve.\n")
        with smtplib.SMTP("127.0.0.1", self.port("smtp"), timeout=PATIENCE_S) as client:
            client.login(ADDRESS, PASSWORD)
            assert client.send_message(message) == {}


def signing(receiver: Receiver) -> ReceiverSecrets:
    """Return what a receiver of a test is signed for with."""
    return ReceiverSecrets(() if receiver.url is None else (Secret(SIGNING),))


@asynccontextmanager
async def running(
    data_dir: Path,
    transport: httpx.AsyncBaseTransport | Simulator,
    *,
    clock: Clock | None = None,
    change: Callable[[Config], Config] = lambda config: config,
    database: Path | Secret | None = None,
) -> AsyncIterator[Running]:
    """Start a bridge on ``data_dir``, give it and stop it.

    ``database``: the folder whose database it is on, or its URL, where that is in PostgreSQL.
    """
    token = "token"
    if isinstance(transport, Simulator):
        token, transport = transport.token, httpx.ASGITransport(app=transport.app)
    config = change(settings(data_dir))
    url = None if config.store.url is None else await _url(database or data_dir)
    secret = Secret(PASSWORD)
    bridge = Bridge(
        config,
        Secrets(
            Secret(token),
            tuple(AccountSecrets(secret, secret) for _ in config.account),
            webhooks=tuple(signing(one) for _, _, one in config.webhooks()),
            alarms=tuple(map(signing, config.alarms.webhook)),
            store_url=url,
        ),
        clock=clock or SystemClock(),
        random=Random(1),
        http_transport=transport,
    )
    listening = await bridge.start()
    try:
        yield Running(bridge, listening, config)
    finally:
        await bridge.stop()


async def _url(database: Path | Secret) -> Secret:
    return database if isinstance(database, Secret) else Secret(await DATABASES.made(database))


async def eventually(condition: Callable[[], Awaitable[T]]) -> T:
    """Return the first true result of a condition that other tasks bring about."""
    async with asyncio.timeout(PATIENCE_S):
        while not (result := await condition()):  # noqa: ASYNC110 - has no event to wait for
            await asyncio.sleep(0.01)
    return result


async def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds that other tasks bring about."""

    async def holds() -> object:
        return condition()

    await eventually(holds)
