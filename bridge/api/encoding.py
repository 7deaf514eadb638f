"""The bytes of an answer, unpacked within reason.

Requests ask for ``identity``. A proxy that compresses all the same is understood, since a send
whose answer cannot be read is an uncertain one; a coding upon a coding is not, for it serves
nobody but who wants to fill our memory (RFC 9110 §8.4).
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

import httpx

from bridge.limits import API_PIECE_BYTES

PIECES_A_TURN = 250
"""Of what came in one read thousands of chunks of a byte may be left: others run in between."""

GZIP = 31
"""zlib's window of 32 KiB with gzip's header."""


async def plain(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield an answer's content in pieces, none of them larger than was sent or than a piece.

    Raises:
        httpx.DecodingError: it is encoded otherwise, damaged, or broke off.
        httpx.HTTPError: the connection broke.
    """
    named = response.headers.get("Content-Encoding", "").casefold().split(",")
    codings = [name.strip() for name in named if name.strip() not in ("", "identity")]
    if response.is_stream_consumed:  # a transport in memory gave all of it at once
        yield response.content
    elif not codings:
        async for chunk in raw_pieces(response):
            yield chunk
    elif codings in (["gzip"], ["x-gzip"]):
        async for piece in _gunzipped(raw_pieces(response)):
            yield piece
    else:
        raise httpx.DecodingError("the answer is in a coding that was not asked for")


async def raw_pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield an answer's content as it comes, in however small pieces, and let others run.

    Raises:
        httpx.HTTPError: the connection broke.
    """
    number = 0
    async for piece in response.aiter_raw():
        yield piece
        number += 1
        if number % PIECES_A_TURN == 0:
            await asyncio.sleep(0)


async def _gunzipped(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    unpacker = zlib.decompressobj(GZIP)
    async for chunk in chunks:
        packed = chunk
        while packed and not unpacker.eof:
            try:
                piece = unpacker.decompress(packed, API_PIECE_BYTES)
            except zlib.error:
                raise httpx.DecodingError("the answer is not gzip") from None
            packed = unpacker.unconsumed_tail
            yield piece
    if not unpacker.eof:
        yield unpacker.flush(API_PIECE_BYTES)
    if not unpacker.eof:
        raise httpx.DecodingError("the answer broke off")
