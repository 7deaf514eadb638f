"""TLS that a connection begins itself, so that who never ends the handshake is counted and timed.

uvloop reads from a new connection whatever its protocol says to that, so the first bytes of a quick
client come in clear to a protocol that wanted them for TLS. They are handed to TLS here.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast


def nothing() -> bytes:
    """Return what came early where nothing may have."""
    return b""


async def begin_tls(
    transport: asyncio.Transport,
    protocol: asyncio.BaseProtocol,
    context: ssl.SSLContext,
    *,
    handshake_s: float,
    early: Callable[[], bytes] = nothing,
) -> asyncio.Transport | None:
    """Put TLS underneath a protocol, as the server; return its transport, None if it is gone.

    Args:
        transport: what the protocol has now.
        protocol: hears of the bytes within TLS from now on.
        context: the server's certificate.
        handshake_s: how long the client may take.
        early: gives, and forgets, what came before this and belongs to the handshake.

    Raises:
        OSError: the handshake failed or took too long.
    """
    if transport.is_closing():
        return None
    loop = asyncio.get_running_loop()
    transport.pause_reading()
    first = early()
    begun = loop.create_task(
        loop.start_tls(
            transport, protocol, context, server_side=True, ssl_handshake_timeout=handshake_s
        )
    )
    try:
        if first:
            await asyncio.sleep(0)  # now TLS is the transport's protocol, and is told next
            loop.call_soon(_hand_over, transport, first)
        return await begun
    except asyncio.CancelledError:
        begun.cancel()
        raise


def _hand_over(transport: asyncio.Transport, first: bytes) -> None:
    """Let TLS read bytes as if they came now."""
    if transport.is_closing():
        return
    tls = cast(asyncio.BufferedProtocol, transport.get_protocol())
    left = memoryview(first)
    while left and not transport.is_closing():
        room = memoryview(cast(bytearray, tls.get_buffer(len(left))))
        count = min(len(room), len(left))
        room[:count] = left[:count]
        tls.buffer_updated(count)
        left = left[count:]
