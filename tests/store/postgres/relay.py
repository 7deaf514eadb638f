"""A way to the server, in a thread of its own, on which bytes can be held: nobody is told."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.store.postgres.proxy import NAME


class Relay:
    """A network that fails as networks do: what is sent does not arrive, and no line ends.

    Args:
        folder: where its socket is.
        server: the folder of the server's.
    """

    def __init__(self, folder: Path, server: Path) -> None:
        self._folder = folder
        self._server = server
        self._passes = asyncio.Event()
        self._passes.set()
        self._ending = asyncio.Event()
        self._listens = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._listens.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    def hold(self) -> None:
        """Let nothing through, in either direction, until ``let_go``."""
        self._loop.call_soon_threadsafe(self._passes.clear)

    def let_go(self) -> None:
        """Hand on what was held."""
        self._loop.call_soon_threadsafe(self._passes.set)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with await asyncio.start_unix_server(self._serve, self._folder / NAME):
            self._listens.set()
            await self._ending.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):  # the server's, or our end
            await self._passes.wait()
            to_read, to_write = await asyncio.open_unix_connection(self._server / NAME)
            await asyncio.gather(self._pump(reader, to_write), self._pump(to_read, writer))
        writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(65536):
                    await self._passes.wait()
                    writer.write(data)
                    await writer.drain()
        finally:
            writer.transport.abort()
