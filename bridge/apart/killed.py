"""What was in hand when a process was killed from outside; by its digest, in a file.

Nobody can tell whether it was killed for what it did: for the memory it took, or by an
administrator who ended something. So it may be tried once more, and the file remembers which it
was, also over restarts, or it would be tried for ever. Every access is on a thread.
"""

from __future__ import annotations

import threading
from pathlib import Path

import structlog

from bridge.limits import KILLED_REMEMBERED

log = structlog.get_logger()

NAME = "pec-bridge.killed"


class Killed:
    """See the module; without a folder it is remembered until the end of this process."""

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / NAME
        self._lock = threading.Lock()
        self._digests: dict[str, None] | None = None

    def is_empty(self) -> bool:
        """Tell whether there is anything; so it usually is, and no digest need be worked out."""
        with self._lock:
            return not self._read()

    def again(self, digest: bytes) -> bool:
        """Tell whether its process was killed before; remember it if not, forget it if so."""
        with self._lock:
            digests = self._read()
            known = digest.hex() in digests
            if known:
                del digests[digest.hex()]
            else:
                digests[digest.hex()] = None
                for old in list(digests)[:-KILLED_REMEMBERED]:
                    del digests[old]
            self._write(digests)
            return known

    def forget(self, digest: bytes) -> None:
        """Forget it: the work on it has ended by itself."""
        with self._lock:
            digests = self._read()
            if digest.hex() in digests:
                del digests[digest.hex()]
                self._write(digests)

    def _read(self) -> dict[str, None]:
        if self._digests is None:
            lines = ""
            if self._path is not None:
                try:
                    lines = self._path.read_text("ascii")
                except FileNotFoundError:
                    pass
                except (OSError, ValueError) as error:
                    log.warning("killed_unreadable", cause=str(error))
            self._digests = dict.fromkeys(lines.split())
        return self._digests

    def _write(self, digests: dict[str, None]) -> None:
        if self._path is None:
            return
        try:
            if not digests:
                self._path.unlink(missing_ok=True)
                return
            new = self._path.with_suffix(".new")
            new.write_text("".join(f"{one}\n" for one in digests), "ascii")
            new.replace(self._path)
        except OSError as error:
            log.warning("killed_unwritten", cause=str(error))
