"""Answers that are packed, though nobody asked for it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from bridge.api.connection import Answer, ApiConnection, ApiRequest
from bridge.api.encoding import PIECES_A_TURN, plain
from bridge.api.errors import OutcomeUnknown
from bridge.limits import API_ANSWER_BYTES, MIB
from tests.costs.measure import others, peak
from tests.fakes import FakeClock

TEXT = b'{"success": true}'


class Wire(httpx.AsyncByteStream):
    """What comes over a connection, in pieces."""

    def __init__(self, content: bytes, piece_bytes: int = 1000) -> None:
        self._content = content
        self._piece_bytes = piece_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._content), self._piece_bytes):
            yield self._content[at : at + self._piece_bytes]


async def asked(clock: FakeClock, content: bytes, coding: str) -> Answer:
    def answer(_request: httpx.Request) -> httpx.Response:
        headers = {"Content-Encoding": coding}
        return httpx.Response(200, headers=headers, stream=Wire(content))

    connection = ApiConnection(
        "https://api.example", "t", clock=clock, transport=httpx.MockTransport(answer)
    )
    try:
        return await connection.exchange(ApiRequest("GET", "/x", {}))
    finally:
        await connection.aclose()


async def test_others_run_while_an_answer_comes_byte_by_byte() -> None:
    content = TEXT * 1_000
    response = httpx.Response(200, stream=Wire(content, 1))
    async with others() as turns:
        before = turns.count
        assert b"".join([piece async for piece in plain(response)]) == content
        assert turns.count - before >= len(content) // PIECES_A_TURN


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("X-GZIP", gzip.compress(TEXT, mtime=0)),
        ("identity, gzip", gzip.compress(TEXT, mtime=0)),
        ("gzip", gzip.compress(TEXT * 50_000, mtime=0)),
    ],
)
async def test_what_a_proxy_packs_once_is_read(
    clock: FakeClock, coding: str, content: bytes
) -> None:
    answer = await asked(clock, content, coding)
    assert answer.content is not None
    assert answer.content.startswith(TEXT)
    assert len(answer.content) % len(TEXT) == 0


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        ("gzip, gzip", gzip.compress(gzip.compress(TEXT, mtime=0))),
        ("deflate", zlib.compress(TEXT)),
        ("br", TEXT),
        ("gzip", TEXT),
        ("gzip", gzip.compress(TEXT, mtime=0)[:-9]),
        ("gzip", b""),
    ],
    ids=["twice", "deflate", "br", "none", "broken off", "empty"],
)
async def test_what_is_packed_otherwise_is_unreadable(
    clock: FakeClock, coding: str, content: bytes
) -> None:
    with pytest.raises(OutcomeUnknown):
        await asked(clock, content, coding)


@pytest.mark.parametrize("times", [2, 8, 32])
async def test_an_answer_that_unpacks_without_end_is_given_up(clock: FakeClock, times: int) -> None:
    content = gzip.compress(bytes(times * API_ANSWER_BYTES))
    with peak() as held, pytest.raises(OutcomeUnknown, match="longer than"):
        await asked(clock, content, "gzip")
    assert held.size_bytes < 3 * API_ANSWER_BYTES + MIB
