"""A server for each test, on a free loopback port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bridge.store.base import Store
from tests.fakes import FakeClock
from tests.imapserver.client import Rig
from tests.stores import open_store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(tmp_path / "data")
    yield store
    await store.close()


NewRig = Callable[..., Awaitable[Rig]]


@pytest.fixture
async def new_rig(store: Store, clock: FakeClock) -> AsyncIterator[NewRig]:
    """Give a function that starts a server with other settings; all are stopped at the end."""
    rigs: list[Rig] = []

    async def start(**options: object) -> Rig:
        rigs.append(await Rig.start(store, clock, **options))  # type: ignore[arg-type]
        return rigs[-1]

    yield start
    for rig in rigs:
        await rig.stop()


@pytest.fixture
async def rig(new_rig: NewRig) -> Rig:
    return await new_rig()
