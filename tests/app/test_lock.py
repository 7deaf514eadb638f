from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.app.folder import DataFault
from bridge.app.lock import DataLock, Locked


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
    with pytest.raises(DataFault, match="file"):
        DataLock(tmp_path / "file" / "data")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    folder, victim = tmp_path / "data", tmp_path / "victim"
    folder.mkdir()
    victim.write_text("precious")
    (folder / "lock").symlink_to(victim)
    with pytest.raises(DataFault, match="lock"):
        DataLock(folder)
    assert victim.read_text() == "precious"
