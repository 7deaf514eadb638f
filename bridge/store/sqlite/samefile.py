"""Whether what a connection writes to is still what stands under its name.

A file that was taken away or replaced is written to as if nothing had happened: each commit
succeeds, and is gone with the process. So the names are looked at before each.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

VANISHED = (
    "it was taken away or replaced while the bridge uses it. Stop the bridge, put the data back or "
    "restore a backup, and start it again"
)


class SameFile:
    """Remembers which files a database and its WAL are, from the first ``check`` on."""

    def __init__(self, path: Path) -> None:
        self._known: dict[str, tuple[int, int] | None] = {
            name: None for name in (str(path), f"{path}-wal")
        }

    def check(self) -> None:
        """See that nothing changed.

        Raises:
            sqlite3.OperationalError: a file is gone, or is another one.
        """
        for name, known in self._known.items():
            found = _identity(name)
            if known is None:
                self._known[name] = found
            elif found != known:
                raise sqlite3.OperationalError(VANISHED)


def _identity(name: str) -> tuple[int, int] | None:
    try:
        status = os.stat(name)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
