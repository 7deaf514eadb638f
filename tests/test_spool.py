"""Large literals on the disk."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from bridge.spool import PIECE_BYTES, Spool, SpoolFile


async def test_literals_come_back_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await spool.add(b"ab", last=False)
    await spool.add(b"c", last=True)
    await spool.add(b"", last=True)
    await spool.add(b"de", last=True)
    assert await spool.read() == [b"abc", b"", b"de"]
    assert os.listdir(tmp_path) == []
    await spool.add(b"again", last=True)
    assert await spool.read() == [b"again"]


async def test_a_disk_that_fails_is_remembered_until_the_next_command(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "missing")
    await spool.add(b"ab", last=True)
    assert spool.failed
    assert await spool.read() == [b""]
    spool.close()
    assert not spool.failed


@pytest.mark.parametrize(
    ("size_bytes", "elsewhere"), [(PIECE_BYTES - 1, False), (PIECE_BYTES, True)]
)
def test_a_large_file_is_given_back_on_a_thread_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size_bytes: int, elsewhere: bool
) -> None:
    closed = SimpleQueue[int]()
    made = tempfile.TemporaryFile

    class Noting:
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self._file = made(*arguments, **options)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def close(self) -> None:
            self._file.close()
            closed.put(threading.get_ident())

    monkeypatch.setattr("bridge.spool.tempfile.TemporaryFile", Noting)
    file = SpoolFile(tmp_path)
    file.append(bytes(size_bytes))
    del file
    assert (closed.get(timeout=20) != threading.get_ident()) is elsewhere
