"""COMPRESS: both streams, and that little cannot become much at once."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.imapserver.deflate import PIECE_BYTES, Deflate


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_each_piece_can_be_read_when_it_comes(texts: list[bytes]) -> None:
    ours = Deflate()
    theirs = zlib.decompressobj(-15)
    for text in texts:
        assert theirs.decompress(ours.pack(text)) == text


def test_a_bomb_is_unpacked_piece_by_piece() -> None:
    packer = zlib.compressobj(wbits=-15)
    ours = Deflate()
    ours.feed(packer.compress(bytes(50_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH))
    assert len(ours.take()) == PIECE_BYTES
    assert ours.pending_bytes


@pytest.mark.parametrize("end", [True, False], ids=["ended", "broken"])
def test_a_stream_that_breaks_off(end: bool) -> None:
    packer = zlib.compressobj(wbits=-15)
    ours = Deflate()
    ours.feed(packer.compress(b"a NOOP\r\n") + packer.flush() if end else b"\xff\xff nonsense")
    with pytest.raises(ConnectionError):
        ours.take()
