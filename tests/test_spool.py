"""Large literals on the disk."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from queue import SimpleQueue

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
    close = os.close
    file = SpoolFile(tmp_path)
    file.append(bytes(size_bytes))
    descriptor = file.from_beginning()

    def noting(number: int) -> None:
        close(number)
        if number == descriptor:
            closed.put(threading.get_ident())

    monkeypatch.setattr("os.close", noting)
    del file
    assert (closed.get(timeout=20) != threading.get_ident()) is elsewhere


def test_what_it_reads_and_writes_by_never_closes_itself(tmp_path: Path) -> None:
    """In garbage that is a cycle it may be asked to end first: on the loop, with a warning."""
    file = SpoolFile(tmp_path)
    file.append(b"text")
    descriptor = file.from_beginning()
    inner = file._file
    inner.__del__()
    assert os.fstat(descriptor).st_size == 4
    del file, inner
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
