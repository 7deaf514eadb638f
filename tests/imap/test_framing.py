"""Bytes to events: limits, literals, and that nothing depends on how the bytes arrive."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.imap.errors import LiteralTooLong, TooLong
from bridge.imap.framing import (
    LINE_LIMIT_BYTES,
    LITERAL_COUNT_LIMIT,
    SPILL_BYTES,
    SPILL_LIMIT_BYTES,
    TOTAL_FACTOR,
    BareLine,
    CommandLine,
    Framer,
    NeedContinuation,
    Spill,
)
from tests.imap.printer import printed, tagged

LIMIT_BYTES = 100


def events(framer: Framer) -> list[object]:
    """Return all there is, faults among it."""
    found: list[object] = []
    while True:
        try:
            event = framer.next_event()
        except TooLong as fault:
            found.append((type(fault), fault.tag))
            continue
        if event is None:
            return found
        found.append(event)


def framed(*chunks: bytes, limit_bytes: int = LIMIT_BYTES) -> list[object]:
    framer = Framer(limit_bytes)
    found: list[object] = []
    for chunk in chunks:
        framer.feed(chunk)
        found += events(framer)
    return found


TABLE = {
    "a line": (b"a NOOP\r\n", [CommandLine(b"a NOOP", ())]),
    "a bare LF": (b"a NOOP\n", [CommandLine(b"a NOOP", ())]),
    "half a line": (b"a NOO", []),
    "two lines": (b"a X\r\nb Y\r\n", [CommandLine(b"a X", ()), CommandLine(b"b Y", ())]),
    "a literal waits": (b"a X {3}\r\n", [NeedContinuation()]),
    "a literal": (
        b"a X {3}\r\nabc y\r\n",
        [NeedContinuation(), CommandLine(b"a X {3}\n y", (b"abc",))],
    ),
    "a literal at once": (b"a X {3+}\r\nabc\r\n", [CommandLine(b"a X {3+}\n", (b"abc",))]),
    "an empty literal": (b"a X {0+}\r\n\r\n", [CommandLine(b"a X {0+}\n", (b"",))]),
    "a literal8": (b"a X ~{2+}\r\n\0\n\r\n", [CommandLine(b"a X ~{2+}\n", (b"\0\n",))]),
    "a literal that looks like a command": (
        b"a X {8+}\r\nb LOGOUT\r\nc Y\r\n",
        [CommandLine(b"a X {8+}\n", (b"b LOGOUT",)), CommandLine(b"c Y", ())],
    ),
    "braces elsewhere": (b"a X {3} y\r\n", [CommandLine(b"a X {3} y", ())]),
    "no number": (b"a X {}\r\n", [CommandLine(b"a X {}", ())]),
    "too long, asked first": (
        b"a X {101}\r\nb Y\r\n",
        [(LiteralTooLong, "a"), CommandLine(b"b Y", ())],
    ),
    "too long, sent at once": (
        b"a X {101+}\r\n" + b"b NOOP\r\n".ljust(101) + b" z\r\nb Y\r\n",
        [(LiteralTooLong, "a"), CommandLine(b"b Y", ())],
    ),
    "too long, and another after it": (
        b"a X {101+}\r\n" + b"x" * 101 + b" {8+}\r\nb NOOP\r\n\r\nc Y\r\n",
        [(LiteralTooLong, "a"), CommandLine(b"c Y", ())],
    ),
    "too long by its size alone": (b"a X {99999999999999999999}\r\n", [(LiteralTooLong, "a")]),
    "too long, no tag": (b"{101}\r\n", [(LiteralTooLong, "*")]),
    "too much together": (
        b"a X" + b" {99+}\r\n".ljust(108) * 5 + b"\r\nb Y\r\n",
        [(LiteralTooLong, "a"), CommandLine(b"b Y", ())],
    ),
}


@pytest.mark.parametrize(("wire", "expected"), TABLE.values(), ids=TABLE.keys())
def test_events(wire: bytes, expected: list[object]) -> None:
    assert framed(wire) == expected


@pytest.mark.parametrize(("wire", "expected"), TABLE.values(), ids=TABLE.keys())
def test_a_byte_at_a_time_gives_the_same(wire: bytes, expected: list[object]) -> None:
    assert framed(*(wire[at : at + 1] for at in range(len(wire)))) == expected


@given(st.lists(tagged, min_size=1, max_size=3), st.data())
def test_any_chunking_gives_the_same_commands(commands: list[object], data: st.DataObject) -> None:
    wire = b"".join(map(printed, commands))  # type: ignore[arg-type]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    chunks = [wire[low:high] for low, high in itertools.pairwise([0, *cuts, len(wire)])]
    assert framed(*chunks) == framed(wire)


@given(
    st.lists(
        st.sampled_from(
            [b"a X", b" {3+}\r\n", b"{3}\r\n", b"abc", b"\r\n", b"{200+}\r\n", b"x" * 99]
        ),
        max_size=12,
    ),
    st.data(),
)
def test_any_chunking_gives_the_same_faults(pieces: list[bytes], data: st.DataObject) -> None:
    wire = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    chunks = [wire[low:high] for low, high in itertools.pairwise([0, *cuts, len(wire)])]
    assert framed(*chunks) == framed(wire)


@pytest.mark.parametrize("chunk_bytes", [1 << 20, 1000], ids=["at once", "in chunks"])
def test_a_line_too_long_is_refused_before_its_end(chunk_bytes: int) -> None:
    line = b"a X " + b"y" * LINE_LIMIT_BYTES
    wire = line + b"y" * 100_000 + b"\r\nb Y\r\n"
    chunks = [wire[at : at + chunk_bytes] for at in range(0, len(wire), chunk_bytes)]
    assert framed(*chunks) == [(TooLong, "a"), CommandLine(b"b Y", ())]
    assert framed(line) == [(TooLong, "a")]


def test_a_literal_after_a_line_too_long_is_not_read_as_commands() -> None:
    wire = b"a X " + b"y" * LINE_LIMIT_BYTES + b" {8+}\r\nb NOOP\r\n\r\nc Y\r\n"
    assert framed(wire) == [(TooLong, "a"), CommandLine(b"c Y", ())]


def test_too_many_literals_are_refused() -> None:
    wire = b"a X" + b" {0+}\r\n" * (LITERAL_COUNT_LIMIT + 1) + b"\r\nb Y\r\n"
    assert framed(wire) == [(LiteralTooLong, "a"), CommandLine(b"b Y", ())]


def test_a_large_literal_is_handed_on_in_pieces() -> None:
    size = SPILL_LIMIT_BYTES + 10
    text = bytes(range(256)) * (size // 256) + b"0123456789"
    wire = b"a X {2+}\r\nhi {%d+}\r\n" % size + text + b" {1+}\r\nz\r\n"
    *spills, command = framed(wire, limit_bytes=size)
    assert all(isinstance(spill, Spill) for spill in spills)
    assert b"".join(spill.data for spill in spills if isinstance(spill, Spill)) == text
    assert [spill.last for spill in spills if isinstance(spill, Spill)] == (
        [False] * (size // SPILL_BYTES) + [True]
    )
    assert command == CommandLine(
        b"a X {2+}\n {%d+}\n {1+}\n" % size, (b"hi", b"", b"z"), spilled=(1,)
    )


def test_a_bare_line_is_taken_as_it_is() -> None:
    framer = Framer(LIMIT_BYTES)
    framer.expect_line()
    framer.feed(b"DONE {3+}\r\nabc NOOP\r\n")
    assert events(framer) == [BareLine(b"DONE {3+}"), CommandLine(b"abc NOOP", ())]


def test_what_waits_can_be_forgotten() -> None:
    framer = Framer(LIMIT_BYTES)
    framer.feed(b"a STARTTLS\r\nb LOGIN x y\r\nc {9")
    assert framer.next_event() == CommandLine(b"a STARTTLS", ())
    framer.clear()
    assert framer.pending_bytes == 0
    framer.feed(b"d Y\r\n")
    assert events(framer) == [CommandLine(b"d Y", ())]


def test_literals_have_a_limit_in_sum() -> None:
    piece = b" {100+}\r\n" + b"x" * LIMIT_BYTES
    wire = b"a X" + piece * (TOTAL_FACTOR + 1) + b"\r\nb Y\r\n"
    assert framed(wire) == [(LiteralTooLong, "a"), CommandLine(b"b Y", ())]
