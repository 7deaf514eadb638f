"""A day of mass mail on a virtual clock: states from rows, texts by worth, within its requests.

``-s`` prints the figures.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bridge.api.client import PecClient
from bridge.api.purpose import Purpose
from bridge.api.schema import InboxMessage
from bridge.model import QueueId
from bridge.receipts.overdue import Overdue
from bridge.simulator import SEQUENCE_READING, ListingOrder
from bridge.simulator.wording import NetworkKind
from tests.fakes import FakeClock
from tests.sync.client import Passing
from tests.sync.mass import Mass, Volume, shortfalls
from tests.sync.test_real_days import MIDNIGHT, PER_DAY, STEP_S
from tests.sync.test_rows import know_issuer, receipt, states, submit
from tests.sync.test_service import running
from tests.sync.world import ADDRESS, World, world

BEGIN_S, LENGTH_S = 8 * 3_600, 10 * 3_600
INCOMING_EVERY_S = 1_200
SOON = timedelta(minutes=5)


@dataclass
class Times:
    """When what came, and when it was known: sends by number, incoming mail by subject."""

    sent: dict[QueueId, datetime] = field(default_factory=dict)
    waiting: dict[QueueId, datetime] = field(default_factory=dict)
    came: dict[str, datetime] = field(default_factory=dict)
    late: list[timedelta] = field(default_factory=list)
    shown: dict[str, datetime] = field(default_factory=dict)


class Noting(Passing):
    """A client that notes when texts came."""

    def __init__(self, client: PecClient, times: Times, clock: FakeClock) -> None:
        super().__init__(client)
        self._times = times
        self._clock = clock

    async def inbox_message(self, api_id: str) -> InboxMessage:
        message = await super().inbox_message(api_id)
        self._times.shown.setdefault(message.row.subject, self._clock.now())
        return message


async def pass_day(here: World, times: Times, sends: int) -> None:
    for step in range(86_400 // STEP_S - 1):  # the day's requests are looked at in it
        await here.let_pass(STEP_S)
        second, now = step * STEP_S, here.clock.now()
        for id, came_at in list(times.waiting.items()):
            if await states(here, id) == ["delivered"]:
                times.late.append(now - came_at)
                del times.waiting[id]
        due = sends * min(max(second - BEGIN_S, 0), LENGTH_S) // LENGTH_S
        while len(times.sent) < due:
            number = len(times.sent)
            id = await submit(here, number)
            times.sent[id] = times.waiting[id] = now
            receipt(here, number, NetworkKind.ACCEPTANCE)
            receipt(here, number, NetworkKind.DELIVERY, later_s=1)
            here.sync.wake(here.account)
        if BEGIN_S <= second < BEGIN_S + LENGTH_S and second % INCOMING_EVERY_S == 0:
            subject = f"POSTA CERTIFICATA: {second}"
            here.simulator.inject(ADDRESS, subject=subject, at=now)
            times.came[subject] = now


@pytest.mark.slow
@pytest.mark.parametrize("sends", [1_000])
async def test_states_are_known_and_mail_is_shown_within_minutes(
    tmp_path: Path, sends: int
) -> None:
    clock, times = FakeClock(MIDNIGHT), Times()
    async with world(
        tmp_path,
        SEQUENCE_READING,
        clock,
        per_day=PER_DAY,
        wrap=lambda client: Noting(client, times, clock),
    ) as here:
        await know_issuer(here)
        account = here.accounts[0]
        overdue = Overdue(
            here.store,
            here.mailboxes,
            clock,
            [here.account],
            clients={here.account: account.client.charged(Purpose.STATUS)},  # type: ignore[dict-item]
            seen_until=here.sync.seen_until,
        )
        watching = asyncio.ensure_future(overdue.run())
        end = here.mailboxes.subscribe_mailbox(here.account, here.inbox_id, lambda change: None)
        async with running(here):
            await pass_day(here, times, sends)
            use = await account.budget.use()
        end()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        made = {purpose.value: count for purpose, count in use.made.items()}
        mail = [times.shown[one] - at for one, at in times.came.items() if one in times.shown]
        texts = sum(one.startswith(("ACC", "CON")) for one in times.shown)
        sys.stdout.write(
            f"{sends} sends: known after {max(times.late)} at most, mail after {max(mail)}, "
            f"{texts} of {2 * sends} receipts' texts, requests {made}, {use.used} in all\n"
        )
        assert len(times.sent) == sends
        assert times.waiting == {}
        assert max(times.late) <= SOON
        assert len(mail) == len(times.came)
        assert max(mail) <= SOON
        assert use.used <= PER_DAY
        assert await here.alarms() == []


@pytest.mark.slow
@pytest.mark.parametrize("order", [ListingOrder.NEWEST_PAGES, ListingOrder.OLDEST])
async def test_a_full_day_of_the_plan_is_known_within_minutes(
    tmp_path: Path, order: ListingOrder
) -> None:
    """3,500 sends, of which two in a hundred fail; three in a hundred are replied to."""
    mass = Mass(Volume(3_500, failures=2, replies=3))
    async with mass.running(tmp_path, PER_DAY, SEQUENCE_READING.replace(order=order)) as here:
        today = (await mass.pass_day(here)).facts()
    sys.stdout.write(f"{today}\n")
    assert shortfalls({**today, "sends": 3_500, "per_day": PER_DAY}) == []
    assert today["rows"] > 7_000
    assert today["alarms"] == ["failure"]
