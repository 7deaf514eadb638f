"""Fixtures: the simulator beside which an outbox runs, and the rig that runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.outbox import dispatcher
from bridge.simulator import Simulator
from tests.fakes import FakeClock
from tests.outbox.rig import Rig, rig_on, simulated


@pytest.fixture
def simulator(clock: FakeClock) -> Simulator:
    return simulated(clock)


@pytest.fixture
async def rig(tmp_path: Path, clock: FakeClock, simulator: Simulator) -> AsyncIterator[Rig]:
    async with rig_on(tmp_path, clock, simulator) as rig:
        yield rig


@pytest.fixture
def looks_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the days of a long outage their thousands of idle looks."""
    monkeypatch.setattr(dispatcher, "LOOK_AGAIN_S", 7200.0)
