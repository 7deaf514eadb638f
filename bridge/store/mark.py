"""The mark: a small file beside the store that a copy of both cannot carry over unchanged.

It names the store's incarnation and how many sends had begun when it was last written. Two things
tell on a copy. A store that was put back alone is behind its mark. And where the mark was put
back too, the file is another one, or was touched after it was written: whatever copies a file and
gives it the old date (``cp -a``, ``rsync``, ``tar``) cannot give it the old time of change, which
the system keeps for itself; whatever does not give it the old date makes another file.

Renaming the folder, restarts and crashes change neither. The file is rewritten in place, in one
piece, and synced: a crash leaves the old content or the new.

Windows keeps no time of change; there the date stands for it.

Failure: ``StoreFailed``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from bridge.language import say
from bridge.store.base import StoreFailed

FILE_NAME = "pec-bridge.mark"

_CONTENT = re.compile(r"([0-9a-f]{32}) (\d{20})\n", re.ASCII)
_INODE_BITS = (1 << 63) - 1
"""The store keeps signed numbers of 64 bits; which of them an inode is matters little."""

_TOUCHED_NS = 20_000_000
"""Date and time of change are set at once when a file is written; coarser clocks are allowed."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The file as it stands.

    ``inode`` and ``changed_ns`` (time of change, nanoseconds since 1970) name the file itself.
    ``is_touched`` if somebody changed it after it was written. An unreadable one is of no
    incarnation ("").
    """

    incarnation: str
    dispatches: int
    inode: int
    changed_ns: int
    is_touched: bool


def read_mark(data_dir: Path) -> Mark | None:
    """Return the mark under ``data_dir``; None if there is none.

    Raises:
        StoreFailed: it cannot be looked at.
    """
    path = data_dir / FILE_NAME
    try:
        with open(path, "rb") as file:
            content = file.read(100).decode("ascii", "replace")
            status = os.fstat(file.fileno())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreFailed(say("{path}: {strerror}", path=path, strerror=error.strerror)) from error
    match = _CONTENT.fullmatch(content)
    if match is None:
        return _mark("", 0, status)
    return _mark(match[1], int(match[2]), status)


def write_mark(data_dir: Path, incarnation: str, dispatches: int) -> Mark:
    """Write the mark, synced, and return it as it stands then.

    Raises:
        StoreFailed: the medium failed.
    """
    path = data_dir / FILE_NAME
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            os.write(descriptor, f"{incarnation} {dispatches:020d}\n".encode("ascii"))
            os.fsync(descriptor)
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreFailed(say("{path}: {strerror}", path=path, strerror=error.strerror)) from error
    return _mark(incarnation, dispatches, status)


def _mark(incarnation: str, dispatches: int, status: os.stat_result) -> Mark:
    changed_ns = status.st_mtime_ns if os.name == "nt" else status.st_ctime_ns
    return Mark(
        incarnation,
        dispatches,
        status.st_ino & _INODE_BITS,
        changed_ns,
        is_touched=abs(changed_ns - status.st_mtime_ns) > _TOUCHED_NS,
    )
