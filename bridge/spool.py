"""Large things on the disk while they arrive, so that a slow sender costs no memory.

The file has no name and goes with its last use. Every access is on a thread. When the disk is
full or failing what comes is dropped, and ``failed`` says so: the client can still be answered.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import IO

import structlog

log = structlog.get_logger()


class Spool:
    """What one command or message brings, each piece of it in order.

    Attributes:
        failed: something of it could not be kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._sizes: list[int] = []
        self._size_bytes = 0
        self.failed = False

    async def add(self, data: bytes, *, last: bool) -> None:
        """Take the next piece."""
        if not self.failed:
            try:
                await asyncio.to_thread(self._write, data)
            except OSError as error:
                log.error("what arrives cannot be kept", cause=str(error))
                self.failed = True
        self._size_bytes += len(data)
        if last:
            self._sizes.append(self._size_bytes)
            self._size_bytes = 0

    async def read(self) -> list[bytes]:
        """Return the pieces and forget them; they are empty if keeping them failed."""
        if self.failed:
            return [b""] * len(self._sizes)
        return await asyncio.to_thread(self._read)

    def close(self) -> None:
        """Forget everything."""
        if self._file is not None:
            self._file.close()
        self._file, self._sizes, self._size_bytes = None, [], 0
        self.failed = False

    def _write(self, data: bytes) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - see close
        self._file.write(data)

    def _read(self) -> list[bytes]:
        assert self._file is not None  # noqa: S101 - something was written
        self._file.seek(0)
        literals = [self._file.read(size_bytes) for size_bytes in self._sizes]
        self.close()
        return literals
