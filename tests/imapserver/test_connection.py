"""The connection itself: limits, time, TLS, compression, slow readers, large literals."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import zlib
from pathlib import Path

import pytest

from bridge.app.certificate import own_identity
from bridge.imapserver.settings import ImapSettings
from tests.fakes import FakeClock, settle
from tests.imapserver.client import (
    ADDRESS,
    APPEND_LIMIT_BYTES,
    PASSWORD,
    Client,
    Rig,
    message,
)
from tests.imapserver.conftest import NewRig


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return own_identity(tmp_path_factory.mktemp("identity")).context


@pytest.fixture
def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.fixture
async def tls_rig(new_rig: NewRig, identity: ssl.SSLContext) -> Rig:
    return await new_rig(tls=identity)


async def test_greeting_names_what_can_be_done(rig: Rig) -> None:
    client = await rig.connect()
    greeting = (await client.line()).decode()
    assert greeting.startswith("* OK [CAPABILITY IMAP4rev1 ")
    assert "AUTH=PLAIN" in greeting
    assert "STARTTLS" not in greeting
    assert "COMPRESS" not in greeting


async def test_commands_that_come_together_are_answered_in_order(rig: Rig) -> None:
    client = await rig.client("INBOX")
    await client.send(b"a NOOP\r\nb FETCH 1 UID\r\nc NOO")
    assert [await client.line() for _ in range(2)] == [
        b"a OK Noop completed",
        b"b BAD no such message number",
    ]
    await client.send(b"P\r\n")
    assert await client.line() == b"c OK Noop completed"


async def test_a_command_that_counts_already_hears_of_no_expunge(rig: Rig) -> None:
    for number in range(3):
        await rig.add(f"m{number}")
    client, other = await rig.client("INBOX"), await rig.client("INBOX")
    await other.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    await client.ok("NOOP")
    await other.ok("EXPUNGE")
    await client.send(b"a NOOP\r\nb STORE 3 +FLAGS (\\Flagged)\r\nc NOOP\r\n")
    lines = [(await client.line()).decode() for _ in range(5)]
    assert lines[0] == "a OK Noop completed"
    assert lines[1].startswith("* 3 FETCH (FLAGS (\\Flagged")
    assert lines[2].startswith("b OK")
    assert lines[3] == "* 1 EXPUNGE"
    (only,) = await client.ok("SEARCH FLAGGED")
    assert only == "* SEARCH 2"


async def test_what_was_sent_before_hanging_up_is_answered(rig: Rig) -> None:
    client = await rig.client()
    await client.send(b"a NOOP\r\nb NOOP\r\n")
    client.writer.write_eof()
    assert await client.eof() == b"a OK Noop completed\r\nb OK Noop completed\r\n"


async def test_a_line_without_end_is_refused(rig: Rig) -> None:
    client = await rig.client()
    await client.send(b"a NOOP " + b"x" * 100_000)
    assert (await client.line()).startswith(b"a BAD the line is over")
    await client.send(b"x\r\nb NOOP\r\n")
    assert await client.line() == b"b OK Noop completed"


@pytest.mark.parametrize("mark", ["", "+"], ids=["asked", "unasked"])
async def test_a_literal_too_large_is_refused(rig: Rig, mark: str) -> None:
    client = await rig.client()
    size = APPEND_LIMIT_BYTES + 1
    await client.send(b"a APPEND INBOX {%d%b}\r\n" % (size, mark.encode()))
    assert (await client.line()).startswith(b"a NO [TOOBIG]")
    if mark:
        await client.send(b"b NOOP\r\n".rjust(size) + b"\r\n")
    await client.send(b"c NOOP\r\n")
    assert await client.line() == b"c OK Noop completed"


async def test_before_login_literals_are_small(rig: Rig) -> None:
    client = await rig.connect()
    await client.line()
    await client.send(b"a LOGIN {9000}\r\n")
    assert (await client.line()).startswith(b"a NO [TOOBIG]")


async def test_a_large_message_arrives_whole(rig: Rig, tmp_path: Path) -> None:
    client = await rig.client()
    text = message("grande", "".join(f"riga {number}\r\n" for number in range(200_000)))
    assert len(text) > 2 << 20
    assert (await client.append("INBOX", text)).startswith("OK [APPENDUID")
    await client.ok("SELECT INBOX")
    (line,) = await client.ok("FETCH 1 BODY.PEEK[]")
    assert line.encode() == b"* 1 FETCH (BODY[] {%d}\r\n%b)" % (len(text), text)


async def test_no_room_for_a_large_message_is_said(new_rig: NewRig, tmp_path: Path) -> None:
    rig = await new_rig(settings=ImapSettings(spool_dir=tmp_path / "missing"))
    client = await rig.client()
    assert (await client.append("INBOX", b"x" * 2_000_000)).startswith("NO [OVERQUOTA]")
    assert (await client.append("INBOX", message("piccola"))).startswith("OK")


async def test_a_reader_that_stops_is_waited_for_and_others_are_served(rig: Rig) -> None:
    text = message("m", "x" * 1_000_000)
    for number in range(12):
        await rig.add(text + str(number).encode())
    slow, quick = await rig.client("INBOX"), await rig.client("INBOX")
    slow.writer.transport.get_extra_info("socket")
    await slow.send(b"a FETCH 1:* BODY.PEEK[]\r\n")
    for _ in range(20):
        await quick.ok("NOOP")
    got = 0
    while got < 12:
        line = await slow.line()
        assert len(line) > 1_000_000
        got += 1
    assert (await slow.line()).startswith(b"a OK")


async def test_too_many_connections_are_turned_away(new_rig: NewRig, clock: FakeClock) -> None:
    rig = await new_rig(settings=ImapSettings(max_connections=1))
    first = await rig.client()
    second = await rig.connect()
    assert (await second.eof()).startswith(b"* BYE too many connections")
    await first.ok("NOOP")


async def test_wrong_passwords_end_the_connection(new_rig: NewRig, clock: FakeClock) -> None:
    settings = ImapSettings(max_login_failures=2, failure_delay_s=3.0)
    rig = await new_rig(settings=settings)
    client = await rig.connect()
    await client.line()
    assert "AUTHENTICATIONFAILED" in await client.tagged(f"LOGIN {ADDRESS} x")
    second = asyncio.ensure_future(client.tagged(f"LOGIN {ADDRESS} y"))
    await settle(50)
    assert not second.done()  # the connection rests after each failure
    await clock.advance(3.0)
    assert "AUTHENTICATIONFAILED" in await second
    await clock.advance(3.0)
    assert await client.eof() == b"* BYE too many wrong passwords\r\n"


async def test_strangers_are_not_listened_to_for_long(rig: Rig) -> None:
    client = await rig.connect()
    await client.line()
    await client.send(b"GET / HTTP/1.1\r\n" * 30)
    lines = (await client.eof()).splitlines()
    assert len(lines) == 21
    assert lines[-1] == b"* BYE this is an IMAP server"


TIMES = {
    "before login": (None, ImapSettings(login_timeout_s=60), 70.0, b"* BYE log in sooner\r\n"),
    "after login": (
        "INBOX",
        ImapSettings(idle_timeout_s=1800),
        1810.0,
        b"* BYE nothing was heard for too long\r\n",
    ),
}


@pytest.mark.parametrize(("mailbox", "settings", "wait_s", "bye"), TIMES.values(), ids=TIMES.keys())
async def test_silence(
    new_rig: NewRig,
    clock: FakeClock,
    mailbox: str | None,
    settings: ImapSettings,
    wait_s: float,
    bye: bytes,
) -> None:
    rig = await new_rig(settings=settings)
    client = await rig.client(mailbox) if mailbox else await rig.connect()
    if not mailbox:
        await client.line()
    await clock.advance(wait_s)
    assert await client.eof() == bye


async def test_an_idling_client_hears_that_the_server_lives(rig: Rig) -> None:
    client = await rig.client("INBOX")
    await client.send(b"a IDLE\r\n")
    assert await client.line() == b"+ idling"
    await rig.clock.advance(130.0)
    assert await client.line() == b"* OK still here"
    await client.send(b"DONE\r\n")
    assert await client.line() == b"a OK Idle completed"


async def test_a_client_that_reads_nothing_is_cut_off(new_rig: NewRig, clock: FakeClock) -> None:
    rig = await new_rig(settings=ImapSettings(write_timeout_s=100))
    text = message("m", "x" * 2_000_000)
    for number in range(8):
        await rig.add(text + str(number).encode())
    client = await rig.client("INBOX")
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await client.send(b"a FETCH 1:* BODY.PEEK[]\r\n")
    while rig.services.mailboxes.watchers(rig.account):  # in the end time runs out for it
        await clock.advance(10.0)
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while line := await client.line():
            assert b"a OK" not in line


async def test_stop_says_goodbye(new_rig: NewRig, clock: FakeClock) -> None:
    rig = await new_rig()
    clients = [await rig.client(), await rig.client("INBOX")]
    await clients[1].send(b"a IDLE\r\n")
    await clients[1].line()
    await rig.server.stop()
    await rig.server.stop()
    for client in clients:
        assert await client.eof() == b"* BYE the server is shutting down\r\n"
    with pytest.raises(OSError, match=r".*"):
        await rig.connect()


async def test_stop_lets_a_command_end(new_rig: NewRig, clock: FakeClock) -> None:
    rig = await new_rig()
    client = await rig.client()
    text = message("prova")
    await client.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(text), text))
    await settle(30)
    await rig.server.stop()
    assert (await client.eof()).startswith(b"a OK [APPENDUID")


async def test_starttls(tls_rig: Rig, trusting: ssl.SSLContext) -> None:
    client = await tls_rig.connect()
    assert b"STARTTLS" in await client.line()
    assert (await client.tagged("STARTTLS")).startswith("OK")
    await client.writer.start_tls(trusting, server_hostname="localhost")
    (line,) = await client.ok("CAPABILITY")
    assert "STARTTLS" not in line
    assert await client.tagged("STARTTLS") == "BAD TLS is on already, or not offered"
    await client.login()
    assert (await client.tagged("STARTTLS")).startswith("BAD")


@pytest.mark.parametrize("more", ["t2 LOGIN {} {}\r\n", "t2 LO"])
async def test_what_is_sent_in_clear_behind_starttls_ends_the_connection(
    tls_rig: Rig, more: str
) -> None:
    client = await tls_rig.connect()
    await client.line()
    await client.send(b"t1 STARTTLS\r\n" + more.format(ADDRESS, PASSWORD).encode())
    assert (await client.line()).startswith(b"t1 OK")
    assert await client.eof() == b"* BYE nothing may follow STARTTLS in clear\r\n"


async def test_implicit_tls(
    new_rig: NewRig, identity: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    rig = await new_rig(tls=identity, implicit=True)
    client = await rig.connect(trusting)
    assert b"STARTTLS" not in await client.line()
    await client.login()
    await client.ok("SELECT INBOX")


async def test_implicit_tls_needs_a_certificate(new_rig: NewRig, clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="certificate"):
        await new_rig(implicit=True)


async def test_compression_is_not_offered_on_loopback(rig: Rig) -> None:
    client = await rig.client()
    assert (await client.tagged("COMPRESS DEFLATE")).startswith("NO [COMPRESSIONACTIVE]")
    assert (await client.tagged("COMPRESS LZ4")).startswith("NO")


class Deflated:
    """A client's side of COMPRESS."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._packer = zlib.compressobj(wbits=-15)
        self._unpacker = zlib.decompressobj(-15)

    async def exchange(self, command: bytes, end: bytes) -> bytes:
        packed = self._packer.compress(command) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        await self._client.send(packed)
        text = b""
        async with asyncio.timeout(10):
            while end not in text:
                text += self._unpacker.decompress(await self._client.reader.read(65536))
        return text


@pytest.mark.parametrize(
    "command",
    [f"LOGIN {ADDRESS} {PASSWORD}", "AUTHENTICATE PLAIN AGEAYg==", "AUTHENTICATE LOGIN"],
)
async def test_no_password_is_taken_in_clear_from_elsewhere(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("bridge.imapserver.connection.is_loopback", lambda host: False)
    client = await rig.connect()
    await client.line()
    assert (await client.tagged(command)).startswith("NO [PRIVACYREQUIRED]")


async def test_compression(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.imapserver.connection.is_loopback", lambda host: False)
    client = await rig.connect()
    await client.line()
    monkeypatch.setattr(
        "bridge.imapserver.connection.ImapConnection.secure", property(lambda self: True)
    )
    await client.login()
    (line,) = await client.ok("CAPABILITY")
    assert line.endswith(" COMPRESS=DEFLATE")
    assert (await client.tagged("COMPRESS DEFLATE")).startswith("OK")
    packed = Deflated(client)
    text = message("compressa", "x" * 300_000)
    append = b"a APPEND INBOX {%d+}\r\n%b\r\nb SELECT INBOX\r\n" % (len(text), text)
    assert b"a OK [APPENDUID" in await packed.exchange(append, b"b OK")
    assert text in await packed.exchange(b"c FETCH 1 BODY[]\r\n", b"c OK")
    assert b"d NO" in await packed.exchange(b"d COMPRESS DEFLATE\r\n", b"\r\n")
    await client.send(b"this is no deflate stream")
    assert await client.eof() == b""


async def test_what_fails_unforeseen_is_answered(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(account: object, name: str) -> None:
        raise ZeroDivisionError

    client = await rig.client()
    monkeypatch.setattr(rig.services.mailboxes, "find", broken)
    assert (await client.tagged("SELECT INBOX")).startswith("NO [SERVERBUG]")
    await client.ok("NOOP")


async def test_a_client_that_vanishes_leaves_nothing(rig: Rig) -> None:
    client = await rig.client("INBOX")
    await client.send(b"a IDLE\r\n")
    await client.line()
    assert rig.services.mailboxes.watchers(rig.account) == 1
    client.writer.transport.abort()
    while rig.services.mailboxes.watchers(rig.account):
        await settle(1)
