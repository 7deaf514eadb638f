"""COMPRESS=DEFLATE: raw deflate both ways, never more in memory than asked for.

RFC 4978. A client may send a little that unpacks to a lot; ``take`` unpacks it piece by piece,
as the framer asks, whose limits then apply, and gives up on what no mail unpacks to.
"""

from __future__ import annotations

import zlib

from bridge.limits import DEFLATE_FREE_BYTES, DEFLATE_PIECE_BYTES, DEFLATE_RATIO

PIECE_BYTES = DEFLATE_PIECE_BYTES
RAW_DEFLATE = -15
LEVEL = 3
"""Low: most of what is sent are texts that were sent to be read now."""

FEED_BYTES = 4 * 1024
"""Packed bytes given at a time: what is left over is copied with each piece."""


class Deflate:
    """One connection's two streams."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(LEVEL, zlib.DEFLATED, RAW_DEFLATE)
        self._unpacker = zlib.decompressobj(RAW_DEFLATE)
        self._packed = bytearray()
        self._given = b""
        self._more_inside = False
        self._packed_bytes = 0
        self._unpacked_bytes = 0

    def pack(self, data: bytes) -> bytes:
        """Return what to send so that the client can read all of ``data``."""
        return self._packer.compress(data) + self._packer.flush(zlib.Z_SYNC_FLUSH)

    def feed(self, packed: bytes) -> None:
        """Take bytes in."""
        self._packed += packed

    @property
    def pending_bytes(self) -> int:
        """How many packed bytes wait; 1 for what is in the unpacker already."""
        return len(self._packed) + len(self._given) or int(self._more_inside)

    def take(self) -> bytes:
        """Return the next piece.

        Raises:
            ConnectionError: what came is not deflated, its stream was ended, or it unpacks to
                more than any mail would.
        """
        if not self._given:
            self._given = bytes(self._packed[:FEED_BYTES])
            del self._packed[:FEED_BYTES]
            self._packed_bytes += len(self._given)
        try:
            data = self._unpacker.decompress(self._given, PIECE_BYTES)
        except zlib.error as error:
            raise ConnectionResetError("the client's deflate stream is broken") from error
        if self._unpacker.eof:
            raise ConnectionResetError("the client ended its deflate stream")
        self._given = self._unpacker.unconsumed_tail
        self._more_inside = len(data) == PIECE_BYTES
        self._unpacked_bytes += len(data)
        if self._unpacked_bytes > DEFLATE_FREE_BYTES + DEFLATE_RATIO * self._packed_bytes:
            raise ConnectionResetError("the client's deflate stream unpacks without end")
        return data
