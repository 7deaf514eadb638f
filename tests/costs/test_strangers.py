"""Strangers that hold connections, with and without TLS, on both protocols."""

from __future__ import annotations

import asyncio
import ssl
from functools import partial

import pytest

from bridge.imapserver.server import ImapServer
from bridge.imapserver.settings import ImapSettings
from bridge.limits import STRANGERS_PER_ADDRESS
from bridge.smtpserver.server import SmtpServer
from tests.fakes import FakeClock
from tests.imapserver.client import Rig
from tests.imapserver.conftest import NewRig
from tests.running import until
from tests.smtpserver.conftest import Client, Serve
from tests.streams import hang_up


async def ended(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


def _is_empty(server: ImapServer | SmtpServer) -> bool:
    return not len(server._connections)


@pytest.mark.parametrize("start", [b"", b"\x16\x03\x01"], ids=["silent", "begun"])
async def test_a_handshake_that_does_not_end_is_cut(
    serve: Serve, new_rig: NewRig, tls_context: ssl.SSLContext, start: bytes
) -> None:
    served = await serve(tls=tls_context, implicit=True, handshake_timeout_s=0.1)
    rig = await new_rig(
        tls=tls_context, implicit=True, settings=ImapSettings(handshake_timeout_s=0.1)
    )
    for port, server in ((served.port, served.server), (rig.port, rig.server)):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(start)
        assert await ended(reader) == b""
        await hang_up(writer)
        await until(partial(_is_empty, server))


async def test_a_starttls_that_fails_gives_its_place_back(
    serve: Serve, tls_context: ssl.SSLContext
) -> None:
    served = await serve(tls=tls_context)
    client = await served.connect()
    await client.do("EHLO x")
    assert (await client.do("STARTTLS")).code == 220
    await client.send(b"this is no hello\r\n" * 10)
    await ended(client.reader)
    await until(lambda: not len(served.server._connections))


async def test_who_does_not_log_in_is_hung_up_on(
    serve: Serve, new_rig: NewRig, clock: FakeClock
) -> None:
    served = await serve(login_timeout_s=0.2)
    stranger, user = await served.connect(), await served.user()
    assert (await stranger.reply()).code == 421
    assert (await user.do("NOOP")).code == 250
    rig = await new_rig(settings=ImapSettings(login_timeout_s=10.0))
    client = await rig.connect()
    await client.line()
    await clock.advance(20.0)
    assert await client.eof() == b"* BYE log in sooner\r\n"


async def test_a_trusted_application_may_wait(serve: Serve) -> None:
    served = await serve(trusted=True, login_timeout_s=0.05)
    client = await served.connect()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.reply(), 0.3)
    assert (await client.do("NOOP")).code == 250


async def test_strangers_of_one_address_do_not_fill_smtp(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.net.visitors.STRANGER_GRACE_S", -1.0)
    served = await serve(max_sessions=STRANGERS_PER_ADDRESS + 5)
    user = await served.user()
    held = [await served.connect() for _ in range(STRANGERS_PER_ADDRESS + 20)]
    assert (await held[0].reply()).code == 421
    assert len(served.server._connections) == STRANGERS_PER_ADDRESS + 1
    await served.user()
    assert (await user.do("NOOP")).code == 250


async def test_strangers_of_one_address_do_not_fill_imap(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.net.visitors.STRANGER_GRACE_S", -1.0)
    user = await rig.client()
    held = [await rig.connect() for _ in range(STRANGERS_PER_ADDRESS + 20)]
    for one in held:
        await one.line()
    assert await held[0].eof() == b"* BYE too many connections, log in sooner\r\n"
    await user.ok("NOOP")
    await rig.client()


@pytest.mark.parametrize("implicit", [False, True], ids=["clear", "implicit TLS"])
async def test_a_client_too_many_ends_without_a_traceback(
    serve: Serve, tls_context: ssl.SSLContext, client_tls: ssl.SSLContext, implicit: bool
) -> None:
    served = await serve(max_sessions=1, tls=tls_context, implicit=implicit)
    first = await served.connect(client_tls if implicit else None)
    reader, writer = await asyncio.open_connection(served.host, served.port)
    writer.write(b"EHLO x\r\n" * 100)
    said = await ended(reader)
    assert said == b"" if implicit else said.startswith(b"421 4.7.0 Too many connections")
    await hang_up(writer)
    assert isinstance(first, Client)
    assert (await first.do("NOOP")).code == 250
