"""Large things on the disk while they arrive and are worked on, so that they cost no memory.

The files have no name and go with their last use. Every access is on a thread; so is the end of a
large one, for the system takes milliseconds to take back what it held. When the disk is
full or failing what comes is dropped, and ``failed`` says so: the client can still be answered.
"""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import io
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import structlog

log = structlog.get_logger()

PIECE_BYTES = 1024 * 1024


class SpoolFile:
    """A file without a name, closed with its last use; any thread may use it.

    Raises:
        OSError: there cannot be one, or, by any method: the disk is full or failing.
    """

    def __init__(self, folder: Path | None) -> None:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            self._descriptor = os.dup(file.fileno())
        # A file object would close itself, perhaps before this is asked to, when both are garbage.
        self._file = io.FileIO(self._descriptor, "rb+", closefd=False)
        self._lock = threading.Lock()

    def __del__(self) -> None:
        """Close it, on a thread of its own if it is large: its last use may be on the loop.

        That may be anywhere, in the middle of taking a lock too, so no lock is taken here.
        """
        if not hasattr(self, "_descriptor"):
            return
        with contextlib.suppress(OSError, RuntimeError):  # the process is ending
            if os.fstat(self._descriptor).st_size >= PIECE_BYTES:
                _thread.start_new_thread(os.close, (self._descriptor,))
                return
        os.close(self._descriptor)

    @classmethod
    def holding(cls, folder: Path | None, pieces: Iterable[bytes]) -> SpoolFile:
        """Return one with some bytes in it, a piece after the other."""
        file = cls(folder)
        for piece in pieces:
            file.append(piece)
        return file

    def from_beginning(self) -> int:
        """Return its descriptor, for a process that reads or writes it from its beginning."""
        self._file.seek(0)
        return self._descriptor

    def append(self, data: bytes) -> None:
        """Write at the end."""
        with self._lock:
            self._file.seek(0, io.SEEK_END)
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]

    def read(self, at: int, length_bytes: int) -> bytes:
        """Return so many bytes from ``at`` on, fewer at the end."""
        with self._lock:
            self._file.seek(at)
            data = self._file.read(length_bytes)
            while data and len(data) < length_bytes:
                more = self._file.read(length_bytes - len(data))
                if not more:
                    break
                data += more
            return data

    def line(self) -> bytes:
        """Return its first line without the end."""
        found = bytearray()
        while piece := self.read(len(found), PIECE_BYTES):
            end = piece.find(b"\n")
            found += piece if end < 0 else piece[:end]
            if end >= 0:
                break
        return bytes(found)

    def size_bytes(self) -> int:
        """Return how long it is."""
        with self._lock:
            return self._file.seek(0, io.SEEK_END)


class Spooled:
    """A stretch of a file, as long as ``len`` says."""

    def __init__(self, file: SpoolFile, start: int, size_bytes: int) -> None:
        self.file = file
        self._start = start
        self._size_bytes = size_bytes

    def __len__(self) -> int:
        """Return how many bytes it has."""
        return self._size_bytes

    def __repr__(self) -> str:
        """Name the size, never the content."""
        return f"<Spooled {self._size_bytes} bytes>"

    def part(self, at: int, size_bytes: int) -> Spooled:
        """Return a stretch of it."""
        return Spooled(self.file, self._start + at, size_bytes)

    def read(self, at: int, length_bytes: int) -> bytes:
        """Return a part; blocks, like all that reads here."""
        return self.file.read(self._start + at, max(0, min(length_bytes, self._size_bytes - at)))

    def pieces(self, piece_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
        """Give everything, a piece at a time."""
        for at in range(0, self._size_bytes, piece_bytes):
            yield self.read(at, piece_bytes)

    def contains(self, wanted: bytes) -> bool:
        """Say whether some bytes, fewer than a piece, are in it."""
        before = b""
        for piece in self.pieces():
            if wanted in before + piece:
                return True
            before = piece[-len(wanted) :]
        return False

    def whole(self) -> bytes:
        """Return everything."""
        return self.read(0, self._size_bytes)


class SpooledText(Spooled):
    """A text in UTF-8, and its digest."""

    def __init__(self, text: Spooled, sha256: bytes) -> None:
        super().__init__(text.file, text._start, len(text))
        self.sha256 = sha256

    def beginning(self, chars: int) -> str:
        """Return so many of its first characters, if it has them."""
        return self.read(0, 4 * chars).decode("utf-8", "ignore")[:chars]


class Spool:
    """What one command or message brings, each piece of it in order.

    Attributes:
        failed: something of it could not be kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._file: SpoolFile | None = None
        self._sizes: list[int] = []
        self._size_bytes = 0
        self.failed = False

    @property
    def size_bytes(self) -> int:
        """How much came, whether it could be kept or not."""
        return sum(self._sizes) + self._size_bytes

    async def add(self, data: bytes, *, last: bool) -> None:
        """Take the next piece."""
        if not self.failed:
            try:
                await asyncio.to_thread(self._write, data)
            except OSError as error:
                log.error("spool_failed", cause=str(error))
                self.failed = True
        self._size_bytes += len(data)
        if last:
            self._sizes.append(self._size_bytes)
            self._size_bytes = 0

    async def read(self) -> list[bytes]:
        """Return the pieces and forget them; they are empty if keeping them failed."""
        if self.failed:
            return [b""] * len(self._sizes)
        return await asyncio.to_thread(lambda: [one.whole() for one in self.take()])

    def take(self) -> list[Spooled]:
        """Return the pieces as they are on the disk, and forget them. Nothing has ``failed``."""
        assert self._file is not None  # noqa: S101 - something was written
        taken, at = [], 0
        for size_bytes in self._sizes:
            taken.append(Spooled(self._file, at, size_bytes))
            at += size_bytes
        self.close()
        return taken

    def close(self) -> None:
        """Forget everything."""
        self._file, self._sizes, self._size_bytes = None, [], 0
        self.failed = False

    def _write(self, data: bytes) -> None:
        if self._file is None:
            self._file = SpoolFile(self._folder)
        self._file.append(data)
