"""A secret's file, written whole or not at all: mode 0600, put in place by a rename.

``SecretFile`` is opened before the secret is had (so that a folder that cannot be written to is
found out first) and takes it at the end. On any other way out nothing is left behind.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from bridge.language import say

MODE = 0o600


class SecretFile:
    """A place for a secret; a context manager.

    An existing file keeps its owner, a new one gets its folder's, where this process may give it
    away.

    Raises:
        OSError: it cannot be written there.
    """

    mode = MODE

    def __init__(self, path: Path) -> None:
        self._path = path.resolve() if path.is_symlink() else path
        if self._path.is_dir():
            raise IsADirectoryError(21, say("is a folder"), str(path))
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=self._path.parent)
        self._unfinished = Path(name)
        self._stream = os.fdopen(descriptor, "w", encoding="utf-8")

    def __enter__(self) -> SecretFile:
        return self

    def write(self, secret: str) -> None:
        """Put the secret in place.

        Raises:
            OSError: it was not; what was there before still is.
        """
        self._stream.write(f"{secret}\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._keep_owner()
        self._unfinished.chmod(self.mode)
        self._unfinished.replace(self._path)

    def _keep_owner(self) -> None:
        if sys.platform == "win32":
            return
        with contextlib.suppress(OSError):
            before = (self._path if self._path.exists() else self._path.parent).stat()
            if stat.S_ISREG(before.st_mode) or stat.S_ISDIR(before.st_mode):
                os.chown(self._unfinished, before.st_uid, before.st_gid)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()
        self._unfinished.unlink(missing_ok=True)


class SettingsFile(SecretFile):
    """A configuration, which holds no secret: it keeps its mode, and a new one all may read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.mode = stat.S_IMODE(self._path.stat().st_mode) if self._path.exists() else 0o644
