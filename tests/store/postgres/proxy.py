"""A way to the server that can be cut: a Unix socket in a folder of its own."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

NAME = ".s.PGSQL.5432"


class Proxy:
    """Hands on what clients and server say; what ``cut`` says becomes of the next COMMIT.

    Attributes:
        cut: ``before`` loses the COMMIT, ``after`` its answer; with either nobody gets through
            any more until ``mend`` is called. None hands it on.
        commits: how many were seen.
    """

    def __init__(self, folder: Path, server: Path) -> None:
        self._folder = folder
        self._server = server
        self._is_cut = False
        self._lines: set[asyncio.StreamWriter] = set()
        self._listener: asyncio.Server | None = None
        self.cut: str | None = None
        self.commits = 0
        self.was_cut = asyncio.Event()

    async def start(self) -> None:
        self._listener = await asyncio.start_unix_server(self._serve, self._folder / NAME)

    async def close(self) -> None:
        assert self._listener is not None
        self._listener.close()
        self.sever()

    def sever(self) -> None:
        """Cut whoever is connected."""
        for line in self._lines:
            line.transport.abort()

    def mend(self) -> None:
        """Let clients through again."""
        self._is_cut = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        to_read, to_write = await asyncio.open_unix_connection(self._server / NAME)
        self._lines |= {writer, to_write}
        back = asyncio.create_task(_pump(to_read, writer))
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                is_commit = b"COMMIT" in data and b"last_commit" in data
                self.commits += is_commit
                how, self.cut = (self.cut, None) if is_commit else (None, self.cut)
                if how == "after":  # the answer is lost with its line
                    back.cancel()
                    await asyncio.wait({back})
                    to_write.write(data)
                    await to_write.drain()
                    await to_read.read(100)
                if how is not None:
                    self._is_cut = True
                    self.sever()
                    self.was_cut.set()
                    break
                to_write.write(data)
                await to_write.drain()
        back.cancel()
        self._lines -= {writer, to_write}
        for line in (writer, to_write):
            line.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
