from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.lock import DataLock, Locked


def test_one_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = DataLock(folder)
    with pytest.raises(Locked, match=rf"process {os.getpid()}\) is using") as locked:
        DataLock(folder)
    assert locked.value.process == os.getpid()
    first.release()
    first.release()
    DataLock(folder).release()
    assert folder.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        DataLock(tmp_path / "file" / "data")
