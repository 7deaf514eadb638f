"""SMTP clients that speak without end, or something else, and more messages than there is room."""

from __future__ import annotations

import asyncio

import pytest

from bridge.limits import REPLY_CHARS, SMTP_LINE_BYTES, SMTP_STRANGER_COMMANDS
from bridge.smtpserver.data import DataReader
from bridge.smtpserver.reply import reply
from tests.costs.measure import others, peak
from tests.running import until
from tests.smtpserver.conftest import ADDRESS, TO, Client, Serve, Served, message
from tests.streams import hang_up

SENT = (
    f"EHLO x\r\nMAIL FROM:<{ADDRESS}>\r\nRCPT TO:<{TO}>\r\nDATA\r\n".encode() + message() + b".\r\n"
)


@pytest.mark.parametrize("line", [b"NOOP", b"EHLO x", b"\xff", b"RSET", b"HELP"])
async def test_a_stranger_has_so_many_commands(served: Served, line: bytes) -> None:
    client = await served.connect()
    async with others() as turns:
        client.writer.write((line + b"\r\n") * 10_000)
        said = await client.reader.read()
        while block := await client.reader.read():
            said += block
    replies = said.splitlines()
    assert replies[-1].startswith(b"421 4.7.0 ")
    assert len(replies) <= 12 * SMTP_STRANGER_COMMANDS
    assert turns.count >= min(len(replies), 10)


@pytest.mark.parametrize("count", [200, 400, 800])
async def test_each_command_of_a_user_lets_others_run(served: Served, count: int) -> None:
    client = await served.user()
    async with others() as turns:
        await client.send(b"NOOP\r\n" * count)
        for _ in range(count):
            assert (await client.reply()).code == 250
    assert turns.count >= count


async def test_lines_too_long_are_not_kept(served: Served) -> None:
    client = await served.user()
    with peak() as held:
        for _ in range(10):
            await client.send(b"NOOP " + b"x" * (20 * SMTP_LINE_BYTES) + b"\r\n")
            assert (await client.reply()).code == 500
    assert held.size_bytes < 100 * SMTP_LINE_BYTES
    assert (await client.do("NOOP")).code == 250


async def test_messages_that_come_at_once_are_taken_a_block_each_turn(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So thirty clients hold up a small command by one block, not by thirty."""
    fed: list[int] = []
    feed = DataReader.feed

    def noted(reader: DataReader, data: bytes) -> bytes | None:
        fed.append(turns.count)
        return feed(reader, data)

    monkeypatch.setattr(DataReader, "feed", noted)
    clients = [await served.user() for _ in range(10)]
    async with others() as turns:
        await asyncio.gather(*(_send_much(client) for client in clients))
    assert len(fed) >= 3 * len(clients)
    assert len(set(fed)) == len(fed)


async def _send_much(client: Client) -> None:
    await client.send(SENT.removeprefix(b"EHLO x\r\n").removesuffix(b".\r\n"))
    for _ in range(100):
        await client.send((b"x" * 998 + b"\r\n") * 20)
    await client.send(b".\r\n")
    assert [(await client.reply()).code for _ in range(4)] == [250, 250, 354, 250]


EARLY = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n",
    "PROXY": b"PROXY TCP4 192.0.2.1 192.0.2.2 4242 25\r\n",
    "PROXY, binary": b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c",
    "XCLIENT": b"XCLIENT ADDR=192.0.2.1\r\n",
    "STUN": b"\x00\x01\x00\x00\x21\x12\xa4\x42\r\n",
    "WebDAV": b"PROPFIND / HTTP/1.1\r\n\r\n",
    "a header": b"Host: 127.0.0.1\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("start", EARLY.values(), ids=EARLY.keys())
async def test_talk_before_the_banner_in_a_trusted_network(serve: Serve, start: bytes) -> None:
    served = await serve(trusted=True)
    reader, writer = await asyncio.open_connection(served.host, served.port)
    writer.write(start + SENT)
    said = await Client(reader, writer).reader.read()
    await hang_up(writer)
    assert said == b"421 4.7.0 This is SMTP; goodbye\r\n"
    assert await served.queued() == ()


@pytest.mark.parametrize(
    "start", [one for one in EARLY.values() if one and not one.startswith(b"\r\n")]
)
async def test_the_first_line_that_is_no_smtp_in_a_trusted_network(
    serve: Serve, start: bytes
) -> None:
    served = await serve(trusted=True)
    client = await served.connect()
    await client.send(start + SENT)
    assert (await client.reply()).code == 421
    assert await client.at_end()
    assert await served.queued() == ()


async def test_smtps_own_verbs_are_refused_and_the_session_goes_on(serve: Serve) -> None:
    served = await serve(trusted=True)
    client = await served.connect()
    for verb in ("EXPN x", "ETRN x", "BDAT 5", "TURN"):
        assert (await client.do(verb)).code in (500, 502)
    await client.do("EHLO client")
    assert (await client.submit(message())).code == 250


async def test_a_user_in_a_trusted_network_may_err(serve: Serve) -> None:
    served = await serve(trusted=True)
    client = await served.user()
    assert (await client.do("BLAH")).code == 500
    assert (await client.do("NOOP")).code == 250


@pytest.mark.parametrize("text", ["x" * 100_000, "a@b, " * 20_000, "\u0300" * 10_000])
def test_replies_are_bounded(text: str) -> None:
    assert len(reply(550, "5.7.1", text)) < 8 * REPLY_CHARS


async def test_a_client_too_many_is_told_so_and_may_talk(serve: Serve) -> None:
    served = await serve(max_sessions=1)
    first = await served.connect()
    reader, writer = await asyncio.open_connection(served.host, served.port)
    writer.write(b"EHLO x\r\n" * 100)
    assert (await reader.read()).startswith(b"421 4.7.0 Too many connections")
    await hang_up(writer)
    assert (await first.do("NOOP")).code == 250


async def test_what_a_closed_session_sent_is_forgotten(served: Served) -> None:
    client = await served.connect()
    (session,) = served.server._connections
    client.writer.write(b"NOOP\r\n" * 10_000)
    await client.reader.read()
    await until(lambda: not len(served.server._connections))
    assert not session.has_unread
