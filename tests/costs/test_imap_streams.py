"""IMAP clients that send without end, without sense, or more than anybody unpacks."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from random import Random

import pytest

from bridge.apart.process import ApartFailed, TooCostly
from bridge.imap.errors import Flood, TooLong
from bridge.imap.framing import Framer
from bridge.imapserver.deflate import Deflate
from bridge.limits import (
    DEFLATE_FREE_BYTES,
    DEFLATE_PIECE_BYTES,
    IMAP_FAULTS_IN_A_ROW,
    IMAP_READ_AHEAD_BYTES,
    IMAP_STRANGER_LINE_BYTES,
    IMAP_STRANGER_SKIPPED_BYTES,
    MIB,
)
from bridge.mime.ingest import Ingested
from bridge.model import AccountId
from tests.costs.measure import others, peak
from tests.imapserver.client import Client, Rig
from tests.running import until


async def poured(client: Client, piece: bytes, most_bytes: int) -> bytes:
    """Send ``piece`` again and again until the server hangs up; return all it said."""

    async def pour() -> None:
        with contextlib.suppress(ConnectionError):
            for _ in range(most_bytes // len(piece)):
                await client.send(piece)

    pouring = asyncio.create_task(pour())
    said = b""
    try:
        async with asyncio.timeout(20):
            with contextlib.suppress(ConnectionError):
                while block := await client.reader.read(65536):
                    said += block
    finally:
        pouring.cancel()
        await asyncio.gather(pouring, return_exceptions=True)
    return said


BEFORE_LOGIN = {
    "empty literals": (b"a LOGIN ", b"{0+}\r\n" * 10_000),
    "one literal": (b"a LOGIN ", b"{1+}\r\nx" * 10_000),
    "a literal too large": (b"a LOGIN {99999999+}\r\n", b"x" * 60_000),
    "a line": (b"a LOGIN ", b"x" * 60_000),
    "literals behind a line too long": (b"a " + b"x" * 99_999, b" {2+}\r\n\r\n" * 6_000),
}


@pytest.mark.parametrize(("start", "piece"), BEFORE_LOGIN.values(), ids=BEFORE_LOGIN.keys())
async def test_literals_without_end_before_login(rig: Rig, start: bytes, piece: bytes) -> None:
    client = await rig.connect()
    await client.line()
    with peak() as held:
        await client.send(start)
        said = await poured(client, piece, 200 * MIB)
    assert b"* BYE that is no command any more" in said
    assert held.size_bytes < 8 * MIB
    await (await rig.client()).ok("NOOP")


def test_nothing_piles_up_that_was_not_asked_for() -> None:
    framer = Framer(8192, literal_limit=8)
    framer.feed(b"a LOGIN ")
    refused = False
    for _ in range(50):
        framer.feed(b"{0+}\r\n" * 100)
        with contextlib.suppress(Flood):
            try:
                assert framer.next_event() is None
            except TooLong:
                refused = True
                with contextlib.suppress(TooLong):
                    framer.next_event()
        assert framer.pending_bytes < 10_000
    assert refused


async def test_a_client_that_is_waited_for_is_paused_too(rig: Rig) -> None:
    client = await rig.client()
    (connection,) = rig.server._connections
    for _ in range(40):
        connection.data_received(b"x" * 60_000)
    assert connection._reading_paused
    assert IMAP_READ_AHEAD_BYTES < 40 * 60_000
    client.close()


async def test_a_strangers_line_is_short(rig: Rig) -> None:
    client = await rig.connect()
    await client.line()
    await client.send(b"a NOOP " + b"x" * IMAP_STRANGER_LINE_BYTES)
    assert (await client.line()).startswith(b"a BAD the line is over")
    assert IMAP_STRANGER_LINE_BYTES < IMAP_STRANGER_SKIPPED_BYTES


async def test_the_longest_id_is_no_line_too_long(rig: Rig) -> None:
    client = await rig.connect()
    await client.line()
    pairs = " ".join(f'"{number:030}" "{"x" * 1024}"' for number in range(30))
    assert (await client.tagged(f"ID ({pairs})")).startswith("OK")


@pytest.mark.parametrize("line", [b"\n", b"\r\n", b"x\n", b"a FOO\r\n"])
async def test_a_user_who_sends_nothing_but_faults(rig: Rig, line: bytes) -> None:
    client = await rig.client()
    async with others() as turns:
        said = await poured(client, line * 1000, 1 * MIB)
    assert said.count(b"\r\n") == IMAP_FAULTS_IN_A_ROW + 1
    assert said.endswith(b"* BYE this is an IMAP server\r\n")
    assert turns.count > IMAP_FAULTS_IN_A_ROW


async def test_a_user_may_err_now_and_then(rig: Rig) -> None:
    client = await rig.client()
    for _ in range(IMAP_FAULTS_IN_A_ROW // 10):
        for _ in range(20):
            assert (await client.tagged("FOO")).startswith("BAD")
        await client.ok("NOOP")


def zeros(size_bytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(bytes(size_bytes)) + packer.flush(zlib.Z_SYNC_FLUSH)


def test_a_stream_that_unpacks_without_end_is_cut() -> None:
    deflate = Deflate()
    deflate.feed(zeros(64 * MIB))
    unpacked = 0
    with peak() as held, pytest.raises(ConnectionError, match="without end"):  # noqa: PT012
        while deflate.pending_bytes:
            unpacked += len(deflate.take())
    assert DEFLATE_FREE_BYTES <= unpacked < 2 * DEFLATE_FREE_BYTES + 100 * 65536
    assert held.size_bytes < 1 * MIB


@pytest.mark.parametrize("size_bytes", [0, 1, DEFLATE_PIECE_BYTES, 3 * DEFLATE_PIECE_BYTES + 7])
def test_what_mail_unpacks_to_comes_whole(size_bytes: int) -> None:
    deflate = Deflate()
    deflate.feed(zeros(size_bytes))
    unpacked = b""
    while deflate.pending_bytes:
        piece = deflate.take()
        assert len(piece) <= DEFLATE_PIECE_BYTES
        unpacked += piece
    assert unpacked == bytes(size_bytes)


async def test_unpacking_lets_others_run(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.imapserver.connection.is_loopback", lambda host: False)
    monkeypatch.setattr(
        "bridge.imapserver.connection.ImapConnection.secure", property(lambda self: True)
    )
    client = await rig.client()
    assert (await client.tagged("COMPRESS DEFLATE")).startswith("OK")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    size_bytes = 6 * MIB  # over the limit of a message, so it is dropped as it comes
    random = Random(1)
    body = b"".join(random.randbytes(64) + bytes(960) for _ in range(size_bytes // 1024))
    text = b"a APPEND INBOX {%d+}\r\n%b\r\n" % (size_bytes, body)
    packed = packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)
    unpacker = zlib.decompressobj(-15)
    packed += packer.compress(b"b NOOP\r\n") + packer.flush(zlib.Z_SYNC_FLUSH)
    async with others() as turns, asyncio.timeout(20):
        await client.send(packed)
        said = b""
        while b"b OK" not in said:
            block = await client.reader.read(65536)
            assert block, said
            said += unpacker.decompress(block)
    assert b"[TOOBIG]" in said
    assert turns.count > size_bytes // DEFLATE_PIECE_BYTES


@pytest.mark.parametrize("wire", [b"{0+}\r\n", b"x\r\n", b"{3+}\r\nabc"], ids=["0", "x", "3"])
def test_time_for_junk_grows_with_its_length(wire: bytes) -> None:
    """Count what the framer hands on and keeps, at n, 2n and 4n."""
    for factor in (1, 2, 4):
        framer = Framer(8192)
        framer.feed(b"a X " + wire * 500 * factor)
        with peak() as held:
            for _ in range(600 * factor):
                try:
                    if framer.next_event() is None:
                        break
                except TooLong:
                    continue
        assert held.size_bytes < 400_000 * factor


async def test_what_a_closed_connection_sent_is_forgotten(rig: Rig) -> None:
    client = await rig.client()
    (connection,) = rig.server._connections
    await poured(client, b"\n" * 50_000, 2 * MIB)
    await until(lambda: not len(rig.server._connections))
    assert connection.framer.pending_bytes == 0


async def test_large_literals_wait_on_the_disk(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    services = rig.services
    monkeypatch.setattr(services.literals, "_limit_bytes", 3 * MIB)
    gate, begun = asyncio.Event(), []
    prepare_large = services.mailboxes.prepare_large

    async def slow(account: AccountId, raw: bytes) -> Ingested:
        if len(raw) > MIB:
            begun.append(len(raw))
            await gate.wait()
        return await prepare_large(account, raw)

    monkeypatch.setattr(services.mailboxes, "prepare_large", slow)
    clients = [await rig.client() for _ in range(3)]
    text = b"Subject: x\r\n\r\n" + b"x" * 2 * MIB
    waiting = [asyncio.create_task(one.append("INBOX", text)) for one in clients]
    await until(lambda: begun)
    other = await rig.client()
    assert (await other.append("INBOX", b"Subject: y\r\n\r\n")).startswith("OK")
    await asyncio.sleep(0.1)
    assert len(begun) == 1
    gate.set()
    assert all([(await one).startswith("OK") for one in waiting])
    assert services.literals.used_bytes == 0


@pytest.mark.parametrize(
    ("fault", "code"), [(TooCostly("x"), "[LIMIT]"), (ApartFailed("x"), "[UNAVAILABLE]")]
)
async def test_a_large_message_that_cannot_be_taken_apart_is_refused(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, fault: Exception, code: str
) -> None:
    async def fails(*_: object) -> Ingested:
        raise fault

    monkeypatch.setattr("bridge.mailbox.texts.take_apart", fails)
    client = await rig.client()
    text = b"Subject: x\r\n\r\n" + b"x" * 3 * MIB
    monkeypatch.setattr("bridge.mailbox.texts.APART_FROM_BYTES", 2 * MIB)
    assert (await client.append("INBOX", text)).startswith(f"NO {code}")
    assert (await client.append("INBOX", b"Subject: y\r\n\r\n")).startswith("OK")
