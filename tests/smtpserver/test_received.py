"""What has come and is not read: in order, bounded, and given back where too much was read."""

from __future__ import annotations

import asyncio

import pytest

from bridge.smtpserver.received import LineTooLong, Received
from tests.fakes import settle


class Source(asyncio.Transport):
    """Counts who is made to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = False
        self.closing = False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def is_closing(self) -> bool:
        return self.closing


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def received(source: Source) -> Received:
    return Received(source, held_bytes=20)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_lines_come_whole_however_they_are_cut(received: Received, size: int) -> None:
    sent = b"one\r\ntwo\nthree\r\n"
    lines = asyncio.ensure_future(three(received))
    for at in range(0, len(sent), size):
        received.feed(sent[at : at + size])
        await settle()
    assert await lines == [b"one\r\n", b"two\n", b"three\r\n"]


async def three(received: Received) -> list[bytes]:
    return [await received.line(10) for _ in range(3)]


@pytest.mark.parametrize("size", [1, 7, 1_000])
async def test_a_line_too_long_is_thrown_away_whole(received: Received, size: int) -> None:
    line = asyncio.ensure_future(received.line(10))
    sent = b"x" * 100 + b"\n" + b"next\n"
    for at in range(0, len(sent), size):
        received.feed(sent[at : at + size])
        await settle()
        assert size > 100 or len(received) <= 20
    with pytest.raises(LineTooLong):
        await line
    assert await received.line(10) == b"next\n"


async def test_a_line_of_the_limit_is_a_line(received: Received) -> None:
    received.feed(b"x" * 9 + b"\n" + b"x" * 10 + b"\n")
    assert await received.line(10) == b"x" * 9 + b"\n"
    with pytest.raises(LineTooLong):
        await received.line(10)


async def test_what_was_read_too_much_comes_first(received: Received) -> None:
    received.feed(b"text.\r\nNOOP\r\n")
    block = await received.block(100)
    received.unread(block[7:])
    received.feed(b"QUIT\r\n")
    assert await received.line(10) == b"NOOP\r\n"
    assert await received.line(10) == b"QUIT\r\n"


async def test_blocks_are_what_has_come(received: Received) -> None:
    received.feed(b"abcdef")
    assert await received.block(4) == b"abcd"
    assert await received.block(4) == b"ef"
    waiting = asyncio.ensure_future(received.block(4))
    await settle()
    assert not waiting.done()
    received.feed(b"g")
    assert await waiting == b"g"


async def test_the_end_is_after_all_that_came(received: Received) -> None:
    received.feed(b"QUIT\r\nha")
    received.end()
    assert await received.line(10) == b"QUIT\r\n"
    with pytest.raises(EOFError):
        await received.line(10)
    assert await received.block(10) == b"ha"
    with pytest.raises(EOFError):
        await received.block(10)


async def test_an_end_is_told_to_who_waits(received: Received) -> None:
    waiting = asyncio.ensure_future(received.block(4))
    await settle()
    received.end()
    with pytest.raises(EOFError):
        await waiting


async def test_who_sends_too_much_waits_until_it_is_read(
    received: Received, source: Source
) -> None:
    received.feed(b"x" * 20)
    assert not source.paused
    received.feed(b"x")
    assert source.paused
    await received.block(1)
    assert not source.paused


async def test_who_waits_goes_on_when_it_is_forgotten(received: Received, source: Source) -> None:
    received.feed(b"x" * 21)
    received.clear()
    assert (len(received), source.paused) == (0, False)


async def test_nobody_is_asked_to_go_on_who_hangs_up(received: Received, source: Source) -> None:
    received.feed(b"x" * 21)
    source.closing = True
    received.clear()
    assert source.paused


async def test_after_tls_the_new_source_waits(received: Received, source: Source) -> None:
    encrypted = Source()
    received.come_from(encrypted)
    received.feed(b"x" * 21)
    assert (source.paused, encrypted.paused) == (False, True)
