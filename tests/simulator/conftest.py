"""Fixtures: a simulator on the fake clock, near the published examples, and its caller."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import pytest

from bridge.simulator import SEQUENCE_READING, ListingOrder, Simulator
from tests.fakes import FakeClock
from tests.simulator.caller import Caller, calling


@pytest.fixture
def simulator(clock: FakeClock) -> Simulator:
    return Simulator(SEQUENCE_READING.replace(order=ListingOrder.OLDEST), clock, Random(7))


@pytest.fixture
async def api(simulator: Simulator) -> AsyncIterator[Caller]:
    async with calling(simulator) as caller:
        yield caller
