"""The real sync over two days: how long the inbox is not looked at. ``-s`` prints the figures."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bridge.api.client import PecClient
from bridge.api.hours import MORNING, NIGHT, NIGHT_WEIGHT, WATCH_DAY_S
from bridge.api.purpose import Purpose
from bridge.api.schema import InboxPage
from bridge.clock import ROME
from bridge.simulator import SEQUENCE_READING
from tests.fakes import FakeClock
from tests.sync.client import Passing
from tests.sync.test_service import running
from tests.sync.world import ADDRESS, World, world

MIDNIGHT = datetime(2026, 1, 14, 23, 0, tzinfo=UTC)  # in Rome
DAYS = 2
STEP_S = 20

PER_DAY = 1_440
EVEN_S = 86_400 / PER_DAY


class Noting(Passing):
    """A client that notes when the inbox was looked at."""

    def __init__(self, client: PecClient, looks: list[datetime], clock: FakeClock) -> None:
        super().__init__(client)
        self._looks = looks
        self._clock = clock

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        found = await super().inbox_page(page, query)
        if self.purpose is Purpose.LOOK:
            self._looks.append(self._clock.now())
        return found


async def pass_by(here: World, sends_a_day: int) -> None:
    """Let days pass, with sends from nine to five, each of which brings two receipts."""
    start, sent = here.clock.now(), 0
    for step in range(DAYS * 86_400 // STEP_S):
        await here.let_pass(STEP_S)
        day, second = divmod(step * STEP_S, 86_400)
        due = day * sends_a_day + sends_a_day * min(max(second - 32_400, 0), 28_800) // 28_800
        while sent < due:
            sent += 1
            for kind in ("ACCETTAZIONE", "CONSEGNA"):
                subject, at = f"{kind}: {sent}", here.clock.now()
                here.simulator.inject(ADDRESS, subject=subject, body=subject, at=at)
            here.sync.wake(here.account)
    assert here.clock.now() == start + timedelta(days=DAYS)


@pytest.mark.slow
@pytest.mark.parametrize(("sends_a_day", "most_s"), [(0, 1.5 * EVEN_S), (200, WATCH_DAY_S)])
async def test_the_longest_time_without_a_look(
    tmp_path: Path, sends_a_day: int, most_s: float
) -> None:
    clock, looks = FakeClock(MIDNIGHT), list[datetime]()
    async with world(
        tmp_path,
        SEQUENCE_READING,
        clock,
        per_day=PER_DAY,
        wrap=lambda client: Noting(client, looks, clock),
    ) as here:
        end = here.mailboxes.subscribe_mailbox(here.account, here.inbox_id, lambda change: None)
        async with running(here):
            await pass_by(here, sends_a_day)
        end()
        ends = [MIDNIGHT, *looks, MIDNIGHT + timedelta(days=DAYS)]
        gaps = [(b - a).total_seconds() for a, b in pairwise(ends)]
        told = f"{sends_a_day} sends a day: {len(looks)} looks, {max(gaps):.0f} s apart at most\n"
        sys.stdout.write(told)
        for (began, ended), gap in zip(pairwise(ends), gaps, strict=True):
            hours = began.astimezone(ROME).time(), ended.astimezone(ROME).time()
            is_day = MORNING <= hours[0] <= hours[1] < NIGHT
            assert gap <= (most_s if is_day else most_s / NIGHT_WEIGHT) + STEP_S
        assert len(looks) <= DAYS * PER_DAY
        shown = len(await here.messages())  # each text takes a request, too
        assert shown >= 0.75 * DAYS * 2 * sends_a_day
