from __future__ import annotations

import asyncio
import base64
import logging
import smtplib
import socket
import ssl
from random import Random
from typing import Any, cast

import pytest
import structlog

from bridge.login import GuessGuard, LoginGate
from bridge.mailbox import Mailboxes
from bridge.mime.strict.rules import SubmissionRules
from bridge.model import AccountId
from bridge.net.listen import Listen
from bridge.outbox.plan import Plan
from bridge.outbox.queue import Outbox, QueueSettings
from bridge.smtpserver.server import SmtpServer
from bridge.smtpserver.settings import SmtpSettings
from bridge.wake import Wake
from tests.fakes import FakeClock, settle
from tests.smtpserver.conftest import ADDRESS, PASSWORD, TO, Serve, Served, message
from tests.streams import hang_up


class Nobody:
    async def check(self, login: str, password: str) -> AccountId | None:
        return None


class SlowOutbox:
    """Queues nothing until it is let."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.let = asyncio.Event()

    async def enqueue(self, *_arguments: object) -> Any:
        self.asked.set()
        await self.let.wait()
        raise AssertionError("never let")


def bare_server(clock: FakeClock) -> SmtpServer:
    outbox = cast(Outbox, SlowOutbox())
    logins = LoginGate(Nobody(), GuessGuard(clock))
    return SmtpServer(outbox, logins, clock, Random(1), SmtpSettings({}))


async def test_listens_on_every_address_and_says_where(clock: FakeClock) -> None:
    server = bare_server(clock)
    addresses = await server.start([Listen("127.0.0.1", 0), Listen("127.0.0.1", 0)])
    try:
        assert len({port for _host, port in addresses}) == 2
        for host, port in addresses:
            reader, writer = await asyncio.open_connection(host, port)
            assert (await reader.readline()).startswith(b"220 pec-bridge.localhost ESMTP")
            await hang_up(writer)
    finally:
        await server.stop()


async def test_one_address_that_cannot_be_had_leaves_none_open(clock: FakeClock) -> None:
    server = bare_server(clock)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with pytest.raises(OSError, match="address"):
            await server.start([Listen("127.0.0.1", port), Listen(*taken.getsockname())])
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_implicit_tls_needs_a_certificate(clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="certificate"):
        await bare_server(clock).start([Listen("127.0.0.1", 0, implicit_tls=True)])


async def test_stop_says_goodbye_and_may_be_called_twice(served: Served) -> None:
    client = await served.connect()
    await served.server.stop()
    assert (await client.reply()).code == 421
    assert await client.at_end()
    await served.server.stop()
    with pytest.raises(ConnectionError):
        await served.connect()


@pytest.mark.parametrize("implicit", [True, False], ids=["smtps", "starttls"])
async def test_stop_does_not_wait_for_an_idle_client_to_end_tls(
    serve: Serve, tls_context: ssl.SSLContext, client_tls: ssl.SSLContext, implicit: bool
) -> None:
    """Such a client reads nothing until it wants something, and so never answers the goodbye."""
    served = await serve(tls=tls_context, implicit=implicit)

    def connect() -> smtplib.SMTP:
        if implicit:
            client: smtplib.SMTP = smtplib.SMTP_SSL(served.host, served.port, context=client_tls)
        else:
            client = smtplib.SMTP(served.host, served.port)
            client.starttls(context=client_tls)
        client.ehlo()
        return client

    client = await asyncio.to_thread(connect)
    await asyncio.wait_for(served.server.stop(), 5)  # the grace never passes: the clock stands
    assert (await asyncio.to_thread(client.getreply))[0] == 421
    client.close()


async def test_stop_lets_a_message_in_hand_be_answered(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = cast(Any, served.server)._delivery._outbox
    let, asked, real = asyncio.Event(), asyncio.Event(), outbox.enqueue

    async def slowly(*arguments: Any) -> Any:
        asked.set()
        await let.wait()
        return await real(*arguments)

    monkeypatch.setattr(outbox, "enqueue", slowly)
    client = await served.user()
    answer = asyncio.ensure_future(client.submit(message()))
    await asked.wait()
    stopping = asyncio.ensure_future(served.server.stop())
    await settle()
    assert not stopping.done()
    let.set()
    assert (await answer).code == 250
    assert (await client.reply()).code == 421
    await stopping
    assert len(await served.queued()) == 1


async def test_stop_waits_no_longer_than_the_grace(
    served: Served, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowOutbox()
    monkeypatch.setattr(cast(Any, served.server)._delivery, "_outbox", slow)
    client = await served.user()
    answer = asyncio.ensure_future(client.submit(message()))
    await slow.asked.wait()
    stopping = asyncio.ensure_future(served.server.stop())
    await clock.advance(9)
    assert not stopping.done()
    await clock.advance(2)
    await asyncio.wait_for(stopping, 5)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await answer


async def test_too_many_connections(serve: Serve) -> None:
    served = await serve(max_sessions=1)
    first = await served.connect()
    reader, writer = await asyncio.open_connection(served.host, served.port)
    assert (await reader.read()).startswith(b"421 4.7.0 Too many connections")
    await hang_up(writer)
    assert (await first.do("NOOP")).code == 250
    await first.do("QUIT")
    assert await first.at_end()
    await served.connect()


async def test_silence_ends_a_connection(serve: Serve) -> None:
    served = await serve(idle_timeout_s=0.05)
    client = await served.connect()
    assert (await client.reply()).code == 421
    assert await client.at_end()


async def test_silence_inside_a_message_does_too(serve: Serve) -> None:
    served = await serve(idle_timeout_s=0.3)
    client = await served.user()
    await client.do(f"MAIL FROM:<{ADDRESS}>")
    await client.do(f"RCPT TO:<{TO}>")
    await client.do("DATA")
    await client.send(message())
    assert (await client.reply()).code == 421
    assert await client.at_end()
    assert await served.queued() == ()


async def test_no_password_and_no_content_is_in_any_log_line(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    name, password = (base64.b64encode(one.encode()).decode() for one in (ADDRESS, PASSWORD))
    response = base64.b64encode(f"\0{ADDRESS}\0{PASSWORD}".encode()).decode()
    with structlog.testing.capture_logs() as logs:
        client = await served.connect()
        for line in ["AUTH LOGIN", name, password, PASSWORD]:  # refused, and it goes on regardless
            await client.do(line)
        await client.do("EHLO client")
        for line in [f"AUTH PLAIN {response}x", f"AUTH PLAIN x {response}", f"AUTH {response}"]:
            await client.do(line)
        for line in [f"AUTH LOGIN {name}", f"{password}x"]:
            await client.do(line)
        for line in [f" AUTH PLAIN {response}", f"AUTH\tPLAIN {response}"]:
            await client.do(line)
        await client.log_in()
        await client.submit(message("riservato\r\n"))
    written = "\n".join([*(record.getMessage() for record in caplog.records), repr(logs)])
    assert "submission_queued" in written
    for secret in (PASSWORD, password, response, "riservato"):
        assert secret.upper() not in written.upper()


# -- settings that change while clients are connected ------------------------------------------


async def taken_over(
    served: Served,
    clock: FakeClock,
    *,
    ended: tuple[AccountId, ...] = (),
    queue: QueueSettings | None = None,
    **settings: Any,
) -> None:
    """Let the server go by other settings, and queue elsewhere."""
    outbox = Outbox(
        Mailboxes(served.store, clock), clock, Random(3), queue or QueueSettings(), Wake()
    )
    await served.server.take_over(
        outbox, SmtpSettings({served.account: ADDRESS}, **settings), ended
    )


async def test_who_is_connected_goes_by_the_new_rules(served: Served, clock: FakeClock) -> None:
    client = await served.user()
    copied = message(Cc="due@altra.example")
    assert (await client.submit(copied, TO, "due@altra.example")).code == 250
    await taken_over(served, clock, rules=SubmissionRules(max_recipients=2, cc="refuse"))
    assert (await client.submit(copied, TO, "due@altra.example")).code == 550
    for number, code in enumerate((250, 250, 452)):
        if number == 0:
            assert (await client.do(f"MAIL FROM:<{ADDRESS}>")).code == 250
        assert (await client.do(f"RCPT TO:<{number}@altra.example>")).code == code


async def test_who_is_connected_queues_in_the_new_outbox(served: Served, clock: FakeClock) -> None:
    client = await served.user()
    used_up = QueueSettings(plan=Plan("standard", 1, "day"), over_plan="refuse")
    await taken_over(served, clock, queue=used_up)
    assert (await client.submit(message())).code == 250
    assert (await client.submit(message(Message_ID="<2@erp.example>"))).code == 452


async def test_a_network_that_is_trusted_no_more_sends_no_more(
    serve: Serve, clock: FakeClock
) -> None:
    served = await serve(trusted=True)
    client = await served.connect()
    await client.do("EHLO scanner")
    assert (await client.submit(message())).code == 250
    await taken_over(served, clock)
    assert (await client.do(f"MAIL FROM:<{ADDRESS}>")).code == 530


async def test_a_message_begun_from_there_is_taken_no_more(serve: Serve, clock: FakeClock) -> None:
    served = await serve(trusted=True)
    client = await served.connect()
    for command in ("EHLO scanner", f"MAIL FROM:<{ADDRESS}>", f"RCPT TO:<{TO}>"):
        assert (await client.do(command)).code == 250
    await taken_over(served, clock)
    assert "log in again" in (await client.reply()).text
    assert await client.at_end()
    assert await served.queued() == ()


@pytest.mark.parametrize("is_ended", [True, False])
async def test_who_logged_in_goes_on_unless_the_account_has_ended(
    served: Served, clock: FakeClock, is_ended: bool
) -> None:
    client = await served.user()
    await taken_over(served, clock, ended=(served.account,) if is_ended else ())
    reply = await (client.reply() if is_ended else client.submit(message()))
    assert reply.text.startswith("The account" if is_ended else "Ok: queued")
    assert (reply.code, await served.queued() == ()) == ((421, True) if is_ended else (250, False))


async def test_messages_give_back_the_room_that_they_took(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.smtpserver.server.SUBMISSIONS_BYTES", 1_500)
    monkeypatch.setattr("bridge.smtpserver.server.SUBMISSIONS_SPOOLED_BYTES", 0)
    served = await serve(rules=SubmissionRules(max_message_bytes=1_000))
    client = await served.user()
    text = "x" * 600 + "\r\n"
    for number in range(8):  # more than there is room for in memory and on the disk together
        reply = await client.submit(message(text, Message_ID=f"<{number}@erp.example>"))
        assert reply.code == 250
