"""A server for each test, on a free loopback port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.store.base import Store
from bridge.store.sqlite import SqliteStore
from tests.fakes import FakeClock
from tests.imapserver.client import Rig


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await SqliteStore.open(tmp_path / "data")
    yield store
    await store.close()


@pytest.fixture
async def rig(store: Store, clock: FakeClock) -> AsyncIterator[Rig]:
    rig = await Rig.start(store, clock)
    yield rig
    await rig.stop()
