"""Telling by mail, against real SMTP servers: aiosmtpd, and some that behave badly."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bridge.app.certificate import make
from bridge.hooks.digest import sample_digest
from bridge.hooks.mail import MailTarget, Smarthost
from bridge.hooks.schedule import TryReport
from bridge.hooks.states import TryOutcome
from tests.running import apart, running, simulated

AT = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
FROM, TO = "pec-bridge@azienda.example", "sistemista@azienda.example"
LOGIN = ("bridge", "geheim")


class Kept:
    """What an SMTP server took."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.envelopes: list[Envelope] = []
        self._answer = answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        return self._answer


def right(
    _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: object
) -> AuthResult:
    assert isinstance(data, LoginPassword)
    is_right = (data.login, data.password) == tuple(one.encode() for one in LOGIN)
    return AuthResult(success=is_right, handled=is_right)


@asynccontextmanager
async def server(
    kept: Kept, ssl_context: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: SMTP(kept, loop=loop, **options), "127.0.0.1", 0, ssl=ssl_context
    )
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


async def tell(host: Smarthost) -> TryReport:
    target = MailTarget(host, FROM, TO, "both")
    try:
        return await target.tell("alarms_life_7", sample_digest("a@pec.example", AT), AT)
    finally:
        await target.aclose()


def plain(port: int, timeout_s: float = 10.0) -> Smarthost:
    return Smarthost("127.0.0.1", port, "none", timeout_s)


async def test_the_message() -> None:
    kept = Kept()
    async with server(kept) as port:
        assert await tell(plain(port)) == TryReport(TryOutcome.TAKEN)
    (envelope,) = kept.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == (FROM, [TO])
    assert isinstance(envelope.content, bytes)
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert (message["From"], message["To"]) == (FROM, TO)
    assert message["Subject"] == "pec-bridge: 1 allarme / 1 alarm: test"
    assert message["Message-ID"] == "<alarms_life_7@pec-bridge.invalid>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"] == "Thu, 15 Jan 2026 10:00:00 +0100"
    body = message.get_body()
    assert body is not None
    assert "A test of alarms, nothing to do" in body.get_content()


@pytest.fixture
def tls(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    path = tmp_path / "tls.pem"
    make(path, ["localhost"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context


async def test_starttls_and_login(tls: tuple[Path, ssl.SSLContext]) -> None:
    authority, context = tls
    kept = Kept()
    async with server(kept, tls_context=context, authenticator=right, auth_required=True) as port:
        host = Smarthost("localhost", port, "starttls", 10.0, LOGIN, authority)
        assert (await tell(host)).outcome is TryOutcome.TAKEN
        stranger = Smarthost("localhost", port, "starttls", 10.0, LOGIN)
        report = await tell(stranger)
        assert "nobody trusted here has signed" in report.reason
        wrong = Smarthost("localhost", port, "starttls", 10.0, ("bridge", "falsch"), authority)
        report = await tell(wrong)
        assert report.reason == f"localhost:{port} refuses user and password (status 535)"
    assert len(kept.envelopes) == 1


async def test_tls_from_the_first_byte(tls: tuple[Path, ssl.SSLContext]) -> None:
    authority, context = tls
    kept = Kept()
    async with server(kept, ssl_context=context) as port:
        host = Smarthost("localhost", port, "implicit", 10.0, None, authority)
        assert (await tell(host)).outcome is TryOutcome.TAKEN
        misnamed = Smarthost("127.0.0.1", port, "implicit", 10.0, None, authority)
        assert "certificate of another name" in (await tell(misnamed)).reason
    assert len(kept.envelopes) == 1


async def test_no_password_is_said_where_tls_was_asked_for_and_is_not_offered() -> None:
    kept = Kept()
    async with server(kept, authenticator=right, auth_require_tls=False) as port:
        report = await tell(Smarthost("127.0.0.1", port, "starttls", 10.0, LOGIN))
    assert report.outcome is TryOutcome.DOWN
    assert "offers no TLS" in report.reason
    assert kept.envelopes == []


async def test_what_a_server_says_is_not_shown() -> None:
    kept = Kept("554 5.7.1 geheim is no good password")
    async with server(kept) as port:
        report = await tell(plain(port))
    assert report.reason == f"127.0.0.1:{port} refuses the message (status 554)"


async def test_nothing_goes_out_through_a_bridge(tmp_path: Path) -> None:
    simulator = simulated()
    async with running(tmp_path, simulator) as bridge:
        report = await tell(plain(bridge.port("smtp")))
        assert "is a pec-bridge, which would send this as a PEC" in report.reason
        await apart(lambda: None)
    assert simulator.sent == []


@asynccontextmanager
async def talking(*lines: bytes, drip_s: float | None = None) -> AsyncIterator[int]:
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            talks.add(task)
        try:
            for line in lines:
                writer.write(line)
                await writer.drain()
            while drip_s is not None:
                writer.write(b"2")
                await writer.drain()
                await asyncio.sleep(drip_s)
            await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for one in talks:
            one.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def mailing() -> bool:
    return any(one.name.startswith("alarms-mail") for one in threading.enumerate())


async def test_who_says_nothing_or_only_a_little_at_a_time_is_not_waited_for() -> None:
    async with talking() as port, talking(drip_s=0.05) as dripping, asyncio.timeout(20):
        assert (await tell(plain(port, 0.3))).outcome is TryOutcome.DOWN
        assert (await tell(plain(dripping, 0.3))).outcome is TryOutcome.DOWN
        async with asyncio.timeout(10):
            while mailing():  # noqa: ASYNC110 - no event tells of a thread's end
                await asyncio.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((b"421 later\r\n",), "does not take mail just now (status 421)"),
        ((b"220 hi\r\n250 hi\r\n452 full\r\n",), "refuses the sender's address (status 452)"),
    ],
)
async def test_why_it_did_not_go(lines: tuple[bytes, ...], words: str) -> None:
    async with talking(*lines) as port:
        report = await tell(plain(port))
    assert report.reason == f"127.0.0.1:{port} {words}"


async def test_a_server_that_says_without_end_is_read_no_further() -> None:
    """smtplib keeps an answer whole, however long it is."""
    line = b"220-" + b"a" * 200 + b"\r\n"
    async with talking(*[line * 100] * 10) as port, asyncio.timeout(20):
        report = await tell(plain(port, 5.0))
    assert report.reason == f"127.0.0.1:{port} says more than is read of an answer"


@asynccontextmanager
async def asking(ways: str, challenge: bytes) -> AsyncIterator[int]:
    """Offer a login and answer it with a challenge."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        while line := await reader.readline():
            is_hello = line.upper().startswith(b"EHLO")
            writer.write(f"250-hi\r\n250 AUTH {ways}\r\n".encode() if is_hello else challenge)
        writer.close()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


@pytest.mark.parametrize(
    ("ways", "challenge", "password", "words"),
    [
        ("CRAM-MD5", b"334 YQ\r\n", "geheim", "says what cannot be read"),
        ("CRAM-MD5", b"334 %%a\r\n", "geheim", "says what cannot be read"),
        ("PLAIN", b"334 \r\n", "gehèim", "both have to be ASCII"),
        ("LOGIN", b"334 YQ==\r\n", "gehèim", "both have to be ASCII"),
        ("CRAM-MD5", b"334 YQ==\r\n", "gehèim", "both have to be ASCII"),
    ],
)
async def test_a_login_that_smtplib_cannot_go_through_with_is_reported(
    ways: str, challenge: bytes, password: str, words: str
) -> None:
    async with asking(ways, challenge) as port:
        report = await tell(Smarthost("127.0.0.1", port, "none", 5.0, ("bridge", password)))
    assert report.outcome is TryOutcome.DOWN
    assert words in report.reason
    assert password not in report.reason


async def test_nobody_there() -> None:
    report = await tell(plain(9))
    assert report.reason == "127.0.0.1:9 refuses the connection; nothing listens there"


async def test_a_look_sends_nothing() -> None:
    kept = Kept()
    async with server(kept) as port:
        target = MailTarget(plain(port), FROM, TO, "both")
        assert (await target.look()).outcome is TryOutcome.TAKEN
        await target.aclose()
    assert kept.envelopes == []


def test_the_password_is_not_in_the_repr() -> None:
    assert "geheim" not in repr(Smarthost("h", 25, "starttls", 1.0, LOGIN))
