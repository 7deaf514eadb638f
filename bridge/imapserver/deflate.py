"""COMPRESS=DEFLATE: raw deflate both ways, never more in memory than asked for.

RFC 4978. A client may send a little that unpacks to a lot; ``take`` unpacks it piece by piece,
as the framer asks, whose limits then apply.
"""

from __future__ import annotations

import zlib

RAW_DEFLATE = -15
LEVEL = 3
"""Low: most of what is sent are texts that were sent to be read now."""

PIECE_BYTES = 64 * 1024


class Deflate:
    """One connection's two streams."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(LEVEL, zlib.DEFLATED, RAW_DEFLATE)
        self._unpacker = zlib.decompressobj(RAW_DEFLATE)
        self._packed = b""

    def pack(self, data: bytes) -> bytes:
        """Return what to send so that the client can read all of ``data``."""
        return self._packer.compress(data) + self._packer.flush(zlib.Z_SYNC_FLUSH)

    def feed(self, packed: bytes) -> None:
        """Take bytes in."""
        self._packed += packed

    @property
    def pending_bytes(self) -> int:
        """How many packed bytes wait."""
        return len(self._packed)

    def take(self) -> bytes:
        """Return the next piece.

        Raises:
            ConnectionError: what came is not deflated, or its stream was ended.
        """
        try:
            data = self._unpacker.decompress(self._packed, PIECE_BYTES)
        except zlib.error as error:
            raise ConnectionResetError("the client's deflate stream is broken") from error
        if self._unpacker.eof:
            raise ConnectionResetError("the client ended its deflate stream")
        self._packed = self._unpacker.unconsumed_tail
        return data
