from __future__ import annotations

import random
from collections.abc import AsyncIterator

import httpx
import pytest

from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.model import Quota
from bridge.operations.status import quota_facts, search
from bridge.simulator import READINGS, Options, PastEnd, Simulator
from tests.fakes import FakeClock

ADDRESS = "a@pec.example"


@pytest.fixture(params=list(READINGS))
def options(request: pytest.FixtureRequest) -> Options:
    return READINGS[request.param]


@pytest.fixture(params=list(PastEnd), ids=lambda past_end: past_end.value)
def simulator(request: pytest.FixtureRequest, options: Options, clock: FakeClock) -> Simulator:
    made = Simulator(options.replace(past_end=request.param), clock, random.Random(1))
    made.add_mailbox(ADDRESS, "pw")
    return made


@pytest.fixture
async def client(simulator: Simulator, clock: FakeClock) -> AsyncIterator[PecClient]:
    connection = ApiConnection(
        "http://api.invalid",
        simulator.token,
        clock=clock,
        transport=httpx.ASGITransport(app=simulator.app),
    )
    yield PecClient(connection, username=ADDRESS, password="pw", clock=clock)
    await connection.aclose()


@pytest.mark.parametrize("count", [0, 1, 25, 26, 60])
async def test_search_finds_each_row_once_however_pages_are_counted(
    simulator: Simulator, client: PecClient, count: int
) -> None:
    for number in range(count):
        simulator.inject(ADDRESS, subject=f"POSTA CERTIFICATA: pratica {number}")
        simulator.inject(ADDRESS, subject=f"POSTA CERTIFICATA: altro {number}")
    rows = await search(client, "pratica", 1_000)
    assert sorted(row.subject for row in rows) == sorted(
        f"POSTA CERTIFICATA: pratica {number}" for number in range(count)
    )
    assert len(await search(client, "pratica", 10)) == min(count, 10)


def test_quota_in_bytes() -> None:
    assert quota_facts("a", Quota(2**29, 2**30)) == {
        "account": "a",
        "usage_bytes": 2**29,
        "limit_bytes": 2**30,
        "percent": 50.0,
    }
