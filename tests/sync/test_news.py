"""What a listing without a total costs the news beyond its newest page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.api.budget import Purpose, RequestBudget
from bridge.simulator import SEQUENCE_READING, Ids, Missing
from bridge.simulator.options import PageCounts
from tests.fakes import FakeClock
from tests.sync.test_deletion import arrive
from tests.sync.test_service import running
from tests.sync.world import ADDRESS, World, world

WITHOUT_TOTAL = SEQUENCE_READING.replace(
    ids=Ids.STABLE, missing=Missing.NOT_FOUND, counts=PageCounts.ABSENT
)
MIDNIGHT = datetime(2026, 1, 14, 23, 0, tzinfo=UTC)


async def use_up(here: World, share: float) -> None:
    """Leave so much of the requests that an even pace would leave."""
    budget = here.accounts[0].budget
    assert isinstance(budget, RequestBudget)
    while True:
        day = budget._day(await budget._today())
        if day.remaining <= share * day.even_share:
            return
        await budget.spend(Purpose.BODY)


@pytest.mark.parametrize("is_under_way", [False, True])
async def test_news_beyond_the_newest_page_wait_for_no_pass_over_all_that_is_listed(
    tmp_path: Path, is_under_way: bool
) -> None:
    async with world(tmp_path, WITHOUT_TOTAL, FakeClock(MIDNIGHT), per_day=1_440) as here:
        arrive(here, 120)
        for _ in range(2):
            await here.sync_now()
        parts = here.sync._accounts[here.account]._parts
        assert parts is not None
        await here.clock.advance(86_400 + 3_600 if is_under_way else 3_600)
        await use_up(here, 0.75)
        async with running(here):
            for _ in range(10):
                await here.let_pass(60)
            assert parts.listing.sweeping is is_under_way
            for number in range(60):
                at = here.clock.now() + timedelta(seconds=number)
                here.simulator.inject(ADDRESS, subject="Nuovo", body=f"(nuovo {number})", at=at)
            for _ in range(10):
                await here.let_pass(60)
            shown = "".join((await here.messages()).values())
        assert all(f"(nuovo {number})" in shown for number in range(60))
