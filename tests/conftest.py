"""Fixtures that every test may use, and where their files are."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from bridge.store.sqlite import connection, migrations
from tests.fakes import FakeClock
from tests.stores import DATABASES

MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 * 1024**3


def files_in_memory() -> None:
    """Let temporary files be in memory, where there is room and nobody said where to put them.

    Thousands of tests commit to a database, each commit is synced, and half of a run's time went by
    waiting for the disk. What a sync is for, the end of power, no test can show.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK | os.X_OK):
        return
    if shutil.disk_usage(MEMORY).free >= ROOM_BYTES:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # it may have been looked up before


os.umask(0o077)  # a secret that others may read is refused, and tests write many
files_in_memory()
# A deadline is one of the clock on the wall, which on a busy machine says nothing of a test.
hypothesis.settings.register_profile("beside others", deadline=None)
hypothesis.settings.load_profile("beside others")


@pytest.fixture(autouse=True, scope="session")
def new_stores_are_copies() -> Iterator[None]:
    """Give each new store the newest schema at once.

    Its steps take 40 ms, and thousands of tests make a store: they were a third of a run. What the
    steps do, ``tests/store/sqlite/test_migrations.py`` tests, and programs that tests start.
    """
    newest = sqlite3.connect(":memory:", check_same_thread=False)
    migrations.migrate(newest)

    def migrate(store: sqlite3.Connection) -> None:
        if store.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            newest.backup(store)
        migrations.migrate(store)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "migrate", migrate)
        yield
    newest.close()


@pytest.fixture(autouse=True, scope="session")
def a_server_ends() -> Iterator[None]:
    yield
    DATABASES.remove()


@pytest.fixture(autouse=True)
def databases_go() -> Iterator[None]:
    yield
    DATABASES.drop()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
