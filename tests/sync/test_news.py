"""What it costs to read news beyond the newest page, and whose requests they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from bridge.api.budget import RequestBudget
from bridge.api.errors import NotSent
from bridge.api.purpose import Purpose
from bridge.api.schema import InboxPage
from bridge.simulator import SEQUENCE_READING, Ids, ListingOrder, Missing, Operation
from bridge.simulator.options import PageCounts
from bridge.sync.state import Sweep
from tests.fakes import FakeClock
from tests.sync.client import Passing
from tests.sync.test_deletion import arrive
from tests.sync.test_service import running
from tests.sync.world import ADDRESS, World, world

WITHOUT_TOTAL = SEQUENCE_READING.replace(
    ids=Ids.STABLE, missing=Missing.NOT_FOUND, counts=PageCounts.ABSENT
)
WITH_TOTAL = WITHOUT_TOTAL.replace(counts=PageCounts.NUMBERS)
MIDNIGHT = datetime(2026, 1, 14, 23, 0, tzinfo=UTC)


async def use_up(here: World, share: float) -> None:
    """Leave so much of the requests that an even pace would leave."""
    budget = here.accounts[0].budget
    assert isinstance(budget, RequestBudget)
    while True:
        day = budget._day(await budget._today())
        if day.remaining <= share * day.even_share:
            return
        await budget.spend(Purpose.LOOK)


@pytest.mark.parametrize("is_under_way", [False, True])
async def test_news_beyond_the_newest_page_wait_for_no_pass_over_all_that_is_listed(
    tmp_path: Path, is_under_way: bool
) -> None:
    async with world(tmp_path, WITHOUT_TOTAL, FakeClock(MIDNIGHT), per_day=1_440) as here:
        arrive(here, 120)
        for _ in range(2):
            await here.sync_now()
        parts = here.sync._accounts[here.account]._parts
        await here.clock.advance(86_400 + 3_600 if is_under_way else 3_600)
        await use_up(here, 0.75)
        async with running(here):
            for _ in range(10):
                await here.let_pass(60)
            assert parts.listing.sweeping is is_under_way
            assert not parts.pace._is_behind
            for number in range(60):
                at = here.clock.now() + timedelta(seconds=number)
                here.simulator.inject(ADDRESS, subject="Nuovo", body=f"(nuovo {number})", at=at)
            for _ in range(10):
                await here.let_pass(60)
            shown = "".join((await here.messages()).values())
        assert all(f"(nuovo {number})" in shown for number in range(60))


async def test_news_of_several_pages_are_part_of_the_look_where_a_total_tells_of_them(
    tmp_path: Path,
) -> None:
    """Also while a pass goes on further down: it would not come by them before its end."""
    async with world(tmp_path, WITH_TOTAL, FakeClock(MIDNIGHT), per_day=1_440) as here:
        arrive(here, 120)
        for _ in range(2):
            await here.sync_now()
        parts = here.sync._accounts[here.account]._parts
        await here.clock.advance(3_600)
        await use_up(here, 0.52)  # pages that are nobody's look are refused
        sweep = Sweep(4, None, 120, whole=False)
        parts.memory.remember(replace(parts.memory.state, sweep=sweep))
        for number in range(60):
            at = here.clock.now() + timedelta(seconds=number)
            here.simulator.inject(ADDRESS, subject="Nuovo", body=f"(nuovo {number})", at=at)
        async with running(here):
            for _ in range(8):
                await here.let_pass(60)
        assert parts.memory.live == 180


class Refusing(Passing):
    """A client that refuses pages for some purposes."""

    refused: ClassVar[set[Purpose]] = set()

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        if self.purpose in self.refused:
            raise NotSent("not now", kind="budget", retry_after_s=600.0)
        return await super().inbox_page(page, query)


async def test_a_gap_that_requests_did_not_suffice_for_stays_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not left to the pages that make sure of what is known, which wait for long."""
    refused = {Purpose.NEWS, Purpose.LISTING}
    monkeypatch.setattr(Refusing, "refused", refused)
    async with world(tmp_path, WITH_TOTAL, FakeClock(MIDNIGHT), wrap=Refusing) as here:
        arrive(here, 120)
        refused.clear()
        for _ in range(2):
            await here.sync_now()
        refused |= {Purpose.NEWS, Purpose.LISTING}
        for number in range(60):
            at = here.clock.now() + timedelta(seconds=number)
            here.simulator.inject(ADDRESS, subject="Nuovo", body=f"(nuovo {number})", at=at)
        here.mailboxes.subscribe_mailbox(here.account, here.inbox_id, lambda _: None)
        memory = here.sync._accounts[here.account]._parts.memory
        async with running(here):
            for _ in range(5):
                await here.let_pass(60)
            assert memory.live == 145
            refused.discard(Purpose.NEWS)
            for _ in range(10):
                await here.let_pass(60)
        assert memory.live == 180


async def test_once_a_gap_that_was_left_is_read_what_goes_on_further_down_is_no_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = set[Purpose]()
    monkeypatch.setattr(Refusing, "refused", refused)
    clock = FakeClock(MIDNIGHT)
    async with world(tmp_path, WITH_TOTAL, clock, per_day=1_440, wrap=Refusing) as here:
        arrive(here, 500)
        for _ in range(2):
            await here.sync_now()
        parts, budget = here.sync._accounts[here.account]._parts, here.accounts[0].budget

        async def come() -> int:
            """Let 60 rows come, look, and return the requests that went for news."""
            before = (await budget.use()).made.get(Purpose.NEWS, 0)
            for number in range(60):
                at = here.clock.now() + timedelta(seconds=number)
                here.simulator.inject(ADDRESS, subject="Nuovo", body=f"({at})", at=at)
            await parts.listing.look()
            await here.clock.advance(600)
            return (await budget.use()).made.get(Purpose.NEWS, 0) - before

        refused.add(Purpose.NEWS)
        assert await come() == 0
        refused.clear()
        assert await come() >= 4
        assert not parts.listing.sweeping
        sweep = Sweep(10, None, parts.memory.state.total, whole=False)
        parts.memory.remember(replace(parts.memory.state, sweep=sweep))
        parts.memory.added(-1)  # what the sweep is to find
        assert await come() == 2
        assert parts.listing.sweeping


@pytest.mark.parametrize("order", ListingOrder)
async def test_gaps_left_one_above_the_other_are_all_read_as_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: ListingOrder
) -> None:
    """None is passed over, and no pass over all that is listed has to find it."""
    refused = {Purpose.NEWS, Purpose.LISTING}
    monkeypatch.setattr(Refusing, "refused", refused)
    reading = WITH_TOTAL.replace(order=order)
    async with world(tmp_path, reading, FakeClock(MIDNIGHT), wrap=Refusing) as here:
        arrive(here, 1_000)
        refused.clear()
        for _ in range(2):
            await here.sync_now()
        refused |= {Purpose.NEWS, Purpose.LISTING}
        parts = here.sync._accounts[here.account]._parts
        for _ in range(4):
            for number in range(60):
                at = here.clock.now() + timedelta(seconds=number)
                here.simulator.inject(ADDRESS, subject="Nuovo", body=f"({at})", at=at)
            await parts.listing.look()
            with pytest.raises(NotSent):
                await parts.listing.step()
            await here.clock.advance(600)
        assert parts.memory.live <= 1_000 + 4 * 25
        refused.discard(Purpose.NEWS)
        made = here.made(Operation.INBOX_LIST)
        await parts.listing.look()
        while parts.listing.sweeping:
            await parts.listing.step()
        assert parts.memory.live == 1_240
        assert here.made(Operation.INBOX_LIST) - made <= 240 // 25 + 4
        assert await here.by_rank() == here.listed()
