"""What was acknowledged outlives ``kill -9``; what was not is there whole or not at all."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.model import QueueId
from bridge.store.sqlite import SqliteStore
from bridge.store.sqlite.connection import FILE_NAME
from tests.bound import bound

KILLS_AFTER = (1, 7, 30, 100)
"""Acknowledged writes of each run before it is killed."""


def acknowledged_before_kill(folder: Path, after: int) -> list[int]:
    program = [sys.executable, "-m", "tests.store.sqlite.crashing", str(folder)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(after)]
        process.kill()
        told += [int(line) for line in process.stdout if line.endswith("\n")]
    return told


async def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    told: set[int] = set()
    for after in KILLS_AFTER:
        told.update(acknowledged_before_kill(tmp_path, after))
        store = await SqliteStore.open(tmp_path)
        rows = await store.read(lambda tx: tx.submissions())
        assert {f"q{number}" for number in told} <= {row.id for row in rows}
        for row in rows:
            raw = await store.read(bound(lambda tx, c: tx.raw(c, 0, 10_000), row.content))
            assert raw.startswith(f"Subject: n. {row.id[1:]}\r\n".encode())
            assert raw.endswith(b"x\r\n")
        await store.close()
    assert len(told) >= sum(KILLS_AFTER)


@pytest.mark.slow
async def test_a_file_that_was_killed_many_times_is_sound(tmp_path: Path) -> None:
    told: set[int] = set()
    for round_ in range(25):
        told.update(acknowledged_before_kill(tmp_path, 1 + round_ * 3))
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    store = await SqliteStore.open(tmp_path)
    for number in told:
        name = QueueId(f"q{number}")
        assert await store.read(bound(lambda tx, n: tx.submission(n), name)) is not None
    await store.close()
