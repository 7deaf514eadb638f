"""Writes an archive of evidence to a stream; see ``layout`` for its form.

Memory: what is known of each file, no content.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import BinaryIO

from bridge.evidence.layout import MANIFEST, ArchiveKind, is_safe
from bridge.evidence.manifest import Entry, dump

SEAL = b"sha256:"
SEAL_BYTES = len(SEAL) + 64
SLICE_BYTES = 1024 * 1024
_COMMENT_LENGTH = struct.Struct("<H")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_UNIX, _MODE = 3, 0o600


class ArchiveWriter:
    """An archive while it is written; a context manager.

    Args:
        stream: where to; readable and seekable, and empty.
        kind: what it holds.
        exported_at: when, RFC 3339; nothing else in the archive says so.
    """

    def __init__(self, stream: BinaryIO, kind: ArchiveKind, exported_at: str) -> None:
        self._stream = stream
        self._kind = kind
        self._exported_at = exported_at
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED)
        self._entries: list[Entry] = []

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The files so far."""
        return tuple(self._entries)

    def add(self, name: str, content: bytes | Iterable[bytes]) -> Entry:
        """Write a file, whole or in slices."""
        entry = self._write(name, [content] if isinstance(content, bytes) else content)
        self._entries.append(entry)
        return entry

    def finish(self) -> str:
        """Write the manifest and the seal; return the whole archive's SHA-256 in hexadecimal."""
        self._write(MANIFEST, dump(self._kind, self._exported_at, self._entries))
        self._zip.close()
        digest = hashlib.sha256()
        end = self._stream.seek(0, 2) - _COMMENT_LENGTH.size
        for piece in slices(self._stream, 0, end):
            digest.update(piece)
        tail = _COMMENT_LENGTH.pack(SEAL_BYTES) + SEAL + digest.hexdigest().encode()
        self._stream.seek(end)
        self._stream.write(tail)
        digest.update(tail)
        return digest.hexdigest()

    def _write(self, name: str, content: Iterable[bytes]) -> Entry:
        if not is_safe(name):
            raise ValueError(f"{name!r} is no name for a file of an archive")
        info = zipfile.ZipInfo(name, _LONG_AGO)
        info.create_system = _UNIX
        info.external_attr = _MODE << 16
        digest, size_bytes = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=True) as file:
            for piece in content:
                file.write(piece)
                digest.update(piece)
                size_bytes += len(piece)
        return Entry(name, size_bytes, digest.hexdigest())


def slices(stream: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """Yield a stream's bytes from ``start`` to ``end``, or to where it ends before."""
    stream.seek(start)
    left = end - start
    while left > 0 and (piece := stream.read(min(SLICE_BYTES, left))):
        yield piece
        left -= len(piece)


def seal_of(stream: BinaryIO) -> tuple[bool, str]:
    """Return whether an archive's seal is whole, and the SHA-256 of all of it."""
    size_bytes = stream.seek(0, 2)
    end = max(size_bytes - SEAL_BYTES - _COMMENT_LENGTH.size, 0)
    digest = hashlib.sha256()
    for piece in slices(stream, 0, end):
        digest.update(piece)
    expected = _COMMENT_LENGTH.pack(SEAL_BYTES) + SEAL + digest.hexdigest().encode()
    stream.seek(end)
    tail = stream.read(SEAL_BYTES + _COMMENT_LENGTH.size)
    digest.update(tail)
    return tail == expected, digest.hexdigest()
