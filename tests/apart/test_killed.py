"""What was killed is remembered over restarts, and no more of it than may be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import structlog.testing

from bridge.apart.killed import Killed


def test_the_second_time_is_told(tmp_path: Path) -> None:
    assert Killed(tmp_path).is_empty()
    assert not Killed(tmp_path).again(b"one")
    assert not Killed(tmp_path).again(b"two")
    assert Killed(tmp_path).again(b"one")
    assert not Killed(tmp_path).is_empty()
    Killed(tmp_path).forget(b"two")
    assert os.listdir(tmp_path) == []
    assert not Killed(tmp_path).again(b"one")


def test_so_many_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.apart.killed.KILLED_REMEMBERED", 2)
    killed = Killed(tmp_path)
    assert not any(killed.again(bytes([one])) for one in range(3))
    assert not killed.again(b"\x00")
    assert killed.again(b"\x02")


@pytest.mark.parametrize("held", [b"\xff\n", b""])
def test_a_file_that_cannot_be_read_is_none(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "pec-bridge.killed").write_bytes(held)
    assert not Killed(tmp_path).again(b"one")
    assert Killed(tmp_path).again(b"one")


def test_what_cannot_be_written_down_is_remembered_meanwhile(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        killed = Killed(tmp_path / "missing")
        assert not killed.again(b"one")
    assert logs[0]["event"] == "killed_unwritten"
    assert killed.again(b"one")


def test_without_a_folder_nothing_is_written() -> None:
    killed = Killed(None)
    assert not killed.again(b"one")
    assert killed.again(b"one")
