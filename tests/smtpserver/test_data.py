from __future__ import annotations

import hashlib
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.smtpserver.budget import ByteBudget
from bridge.smtpserver.data import DataReader

LIMIT_BYTES = 10_000


def read(*blocks: bytes, limit_bytes: int = LIMIT_BYTES) -> tuple[DataReader, bytes | None]:
    """Feed blocks until the end mark; return what came behind it, None if it never came."""
    reader = DataReader(limit_bytes)
    for number, block in enumerate(blocks):
        rest = reader.feed(block)
        if rest is not None:
            return reader, rest + b"".join(blocks[number + 1 :])
    return reader, None


def stuff(message: bytes) -> bytes:
    """Return what a client sends: lines with doubled dots, then the end mark (RFC 5321 §4.5.2)."""
    return re.sub(rb"(\A|\r\n)\.", rb"\1..", message) + b".\r\n"


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        pytest.param(b".\r\n", b"", id="nothing"),
        pytest.param(b"a\r\n.\r\n", b"a\r\n", id="a line"),
        pytest.param(b"\r\n.\r\n", b"\r\n", id="an empty line"),
        pytest.param(b"..\r\n.\r\n", b".\r\n", id="a lone dot"),
        pytest.param(b".a\r\n.\r\n", b"a\r\n", id="a dot not doubled"),
        pytest.param(b"...\r\n.\r\n", b"..\r\n", id="two dots"),
        pytest.param(b"a\nb\r\n.\r\n", b"a\r\nb\r\n", id="a bare line feed"),
        pytest.param(
            b"a\n.\n.\r\nb\r\n.\r\n", b"a\r\n.\r\n.\r\nb\r\n", id="dots between bare ones"
        ),
        pytest.param(b"a\rb\r\r\n.\r\n", b"a\rb\r\r\n", id="bare carriage returns"),
        pytest.param(b"\0\xff\r\n.\r\n", b"\0\xff\r\n", id="any bytes"),
    ],
)
def test_message(sent: bytes, message: bytes) -> None:
    reader, rest = read(sent + b"NOOP\r\n")
    assert reader.message() == message
    assert rest == b"NOOP\r\n"
    assert not reader.is_too_large


@pytest.mark.parametrize(
    "sent", [b"a\n.\n", b"a\n.\r\n", b"a\r\n.\n", b"a\r\n.\r", b"a\r\n..\r\n", b"a\r.\r\n", b"\r\n"]
)
def test_what_is_no_end(sent: bytes) -> None:
    assert read(sent)[1] is None


_PIECES = st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"..", b"a", b"\r\n.", b"\xff", b"bcd"])


@given(st.lists(_PIECES, max_size=30).map(b"".join), st.lists(st.integers(0, 70), max_size=8))
def test_a_message_comes_back_however_it_is_cut(text: bytes, cuts: list[int]) -> None:
    """What is kept is what was sent with line feeds mended; the digest is of what was sent."""
    message = text + b"\r\n"
    wire = stuff(message) + b"QUIT"
    places = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    blocks = [wire[start:end] for start, end in pairwise(places)]
    reader, rest = read(*blocks)
    assert rest == b"QUIT"
    assert reader.message() == re.sub(rb"(?<!\r)\n", b"\r\n", message)
    assert reader.digest() == hashlib.sha256(message).digest()


@given(st.lists(_PIECES, max_size=30).map(b"".join))
def test_one_byte_at_a_time_changes_nothing(text: bytes) -> None:
    whole, rest = read(text)
    single, single_rest = read(*(text[at : at + 1] for at in range(len(text))))
    assert (whole.message(), rest) == (single.message(), single_rest)


@pytest.mark.parametrize(("size_bytes", "fits"), [(100, True), (101, False), (5000, False)])
def test_limit(size_bytes: int, fits: bool) -> None:
    message = b"x" * (size_bytes - 2) + b"\r\n"
    sent = message + b".\r\n"
    blocks = [sent[at : at + 7] for at in range(0, len(sent), 7)]
    reader, rest = read(*blocks, limit_bytes=100)
    assert rest == b""
    assert reader.is_too_large is not fits
    assert reader.message() == (message if fits else b"")


def test_doubled_dots_do_not_count_against_the_limit() -> None:
    reader, _rest = read(b"..\r\n" * 25 + b".\r\n", limit_bytes=75)
    assert reader.message() == b".\r\n" * 25


def test_what_has_no_room_on_the_disk_is_given_up_whole() -> None:
    """Not only the block that had none: a message without it must not be taken for whole."""
    memory, disk = ByteBudget(0), ByteBudget(6)
    reader = DataReader(LIMIT_BYTES, memory, disk)
    assert reader.feed(b"uno\r\n due") is None
    assert reader.must_spill
    assert reader.spill() == b""
    assert (reader.is_over_budget, reader.is_given_up) == (True, True)
    assert reader.feed(b"\r\n.\r\n") == b""
    assert (reader.message(), memory.used_bytes, disk.used_bytes) == (b"", 0, 0)


def test_what_is_put_on_the_disk_is_in_memory_no_more() -> None:
    memory, disk = ByteBudget(100), ByteBudget(100)
    reader = DataReader(LIMIT_BYTES, memory, disk)
    assert reader.feed(b"uno due") is None
    assert (memory.used_bytes, disk.used_bytes) == (7, 0)
    assert reader.spill() == b"uno due"
    assert (memory.used_bytes, disk.used_bytes) == (0, 7)
    reader.release()
    assert (memory.used_bytes, disk.used_bytes) == (0, 0)
