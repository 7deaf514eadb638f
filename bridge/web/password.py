"""The administrator's password: kept as a salted hash in a file under ``data_dir`` (0600).

The hash is that of ``credentials.local``. There is no administrator before the file is there.

Failure: ``OSError`` from ``set_password``; a file that cannot be read or is damaged opens nothing,
and the log says so.
"""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bridge.credentials.local import Hashed, decoy, hash_password, read_hash
from bridge.language import say

log = structlog.get_logger()

FILE_NAME = "web-password"
LEAST_CHARS = 8


class AdministratorPassword:
    """The password that is set under ``data_dir``, if one is."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE_NAME
        self._turns = asyncio.Semaphore(1)  # a check takes 32 MiB

    async def since(self) -> datetime | None:
        """Return when it was set, None if it is not."""
        try:
            return datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    async def fits(self, password: str) -> bool:
        """Tell whether it is the password; takes a tenth of a second, also where none is set."""
        async with self._turns:
            return await asyncio.to_thread(lambda: self._kept().fits(password))

    def _kept(self) -> Hashed:
        try:
            return read_hash(self._path.read_text("ascii", "replace").rstrip("\n"))
        except FileNotFoundError:
            return decoy()
        except (OSError, ValueError) as error:
            log.error("administrator_password_unreadable", reason=str(error))
            return decoy()


def set_password(data_dir: Path, password: str) -> Path:
    """Keep a password's hash, in place of the one before; return the file. Blocks.

    Raises:
        ValueError: the password is too short.
        OSError: it cannot be kept.
    """
    if len(password) < LEAST_CHARS:
        raise ValueError(say("A password needs {count} characters at least.", count=LEAST_CHARS))
    path = data_dir / FILE_NAME
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(file, "w") as stream:
        stream.write(hash_password(password) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
    return path
