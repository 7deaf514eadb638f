"""Large literals on the disk."""

from __future__ import annotations

import os
from pathlib import Path

from bridge.spool import Spool


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
