"""Connections that tests make."""

from __future__ import annotations

import asyncio


async def hang_up(*writers: asyncio.StreamWriter) -> None:
    """End connections at once, whatever they still had to send.

    One with bytes that nobody takes would be open after the test's loop has ended, and its warning
    would meet whichever test runs when it is collected.
    """
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0)
