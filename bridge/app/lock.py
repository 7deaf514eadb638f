"""One process per ``data_dir``: an advisory lock that dies with its holder.

The file also names the holder's process, for the sentence that a second one gets. On Windows
the first byte of the file is locked instead, which is as good.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from bridge.app.folder import belong_to_folder, cannot_use, make_folder
from bridge.language import say

FILE_NAME = "lock"


_FLAGS = os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
"""Not through a symbolic link: what it points to would be emptied."""


class Locked(Exception):
    """Another process uses the data; ``process`` is its id, None if it did not say."""

    def __init__(self, data_dir: Path, process: int | None) -> None:
        named = say(" (process {process})", process=process) if process else ""
        super().__init__(
            say(
                "Another pec-bridge{named} is using {data_dir}; stop that one first.",
                named=named,
                data_dir=data_dir,
            )
        )
        self.process = process


class DataLock:
    """Holds ``data_dir`` from construction to ``release``.

    Raises:
        Locked: another process holds it.
        DataFault: the folder cannot be used.
    """

    def __init__(self, data_dir: Path) -> None:
        make_folder(data_dir)
        self._data_dir = data_dir
        try:
            self._file = os.open(data_dir / FILE_NAME, _FLAGS, 0o600)
        except OSError as error:
            raise cannot_use(data_dir, error) from error
        try:
            _lock(self._file)
        except OSError:
            os.lseek(self._file, 1, os.SEEK_SET)
            process = os.read(self._file, 20).strip()
            os.close(self._file)
            raise Locked(data_dir, int(process) if process.isdigit() else None) from None
        try:
            os.ftruncate(self._file, 0)
            os.write(self._file, b"\n%d\n" % os.getpid())
        except OSError as error:  # a full disk: the lock is held all the same, unsigned
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                self.release()
                raise cannot_use(data_dir, error) from error

    def release(self) -> None:
        """Let the next one in; idempotent."""
        if self._file >= 0:
            belong_to_folder(self._data_dir)
            os.close(self._file)
            self._file = -1


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
