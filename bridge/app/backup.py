"""``backup`` and ``restore``: a copy of the store while it is in use, and back.

A backup is the store alone: no secret is in it, nor the certificate's key. What waits in one that
is put back is ``restored`` (see ``outbox.lineage``) before anything else may work on it.

Failure: ``StoreFailed``, ``Locked``, ``OSError``; what was there before is there still, in its
place or beside it.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bridge.app.lock import DataLock
from bridge.app.resources import Resources
from bridge.clock import Clock
from bridge.config import Config
from bridge.model import SubmissionState
from bridge.operations.control import Progress
from bridge.store.base import ReadTransaction
from bridge.store.sqlite.backup import copy, put_in_place
from bridge.store.sqlite.connection import FILE_NAME

STAGED_NAME = "restore.unfinished"


def write_backup(data_dir: Path, target: Path, progress: Progress) -> None:
    """Copy the store of ``data_dir``, in use or not, into the empty file ``target``; blocks.

    Raises:
        StoreFailed: there is none, or it cannot be copied.
    """
    copy(data_dir / FILE_NAME, target, progress)


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a backup that was put back.

    ``moved_to`` is where the store that was there is now, None if there was none; ``waiting`` what
    waited and now needs a person's word or its acceptance receipt.
    """

    moved_to: Path | None
    waiting: int


def holds_data(data_dir: Path) -> bool:
    """Tell whether a folder has a store, in whatever state."""
    return os.path.lexists(data_dir / FILE_NAME)


async def restore(config: Config, backup: Path, clock: Clock, progress: Progress) -> Restored:
    """Put a backup back, and make ``restored`` what waits in it.

    Args:
        config: the settings; no bridge runs on their ``data_dir``.
        backup: the file.
        clock: time.
        progress: how far it has come.

    Raises:
        Locked: a bridge runs.
        StoreFailed, OSError: nothing was put back, or it cannot be used.
    """
    now = clock.now()
    moved_to = await asyncio.to_thread(_put_back, config.data_dir, backup, now, progress)
    resources = await Resources.open(config, None, clock=clock)
    try:

        async def work(tx: ReadTransaction) -> int:
            return (await tx.submission_counts()).get(SubmissionState.RESTORED, 0)

        waiting = await resources.store.read(work)
    finally:
        await resources.close()
    return Restored(moved_to, waiting)


def _put_back(data_dir: Path, backup: Path, now: datetime, progress: Progress) -> Path | None:
    backup.stat()  # before anything is made
    lock = DataLock(data_dir)
    staged = data_dir / STAGED_NAME
    try:
        staged.unlink(missing_ok=True)
        os.close(os.open(staged, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        try:
            copy(backup, staged, progress)
            aside = f".before-restore-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
            return put_in_place(staged, data_dir, aside)
        finally:
            staged.unlink(missing_ok=True)
    finally:
        lock.release()
