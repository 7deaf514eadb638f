"""Sync as it runs: when it looks, what it tells, and that nobody's trouble is another's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from unittest.mock import AsyncMock

import pytest

from bridge.api.budget import Use
from bridge.api.client import PecClient
from bridge.api.errors import ApiError, NotSent
from bridge.api.purpose import Purpose
from bridge.api.schema import InboxPage
from bridge.mailbox import FlagChange
from bridge.model import ARCHIVE, INBOX, SEEN, Uid
from bridge.simulator import SEQUENCE_READING, Failure, FaultRule, Hold, Operation, Phase
from bridge.store.base import ReadTransaction
from bridge.store.messages import Part
from bridge.sync.account import FEW_TEXTS
from bridge.sync.service import SyncSettings
from tests.fakes import FakeClock
from tests.sync.client import Passing
from tests.sync.world import ADDRESS, World, world

OTHER = "altra@pec.invalid"
PATIENCE_S = 10.0


@asynccontextmanager
async def running(here: World) -> AsyncIterator[World]:
    task = asyncio.ensure_future(here.sync.run())
    try:
        yield here
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool], clock: FakeClock | None = None) -> None:
    """Wait until something holds; the store works on a thread, so turns of the loop won't do.

    With a clock, time passes too: a second at a turn.
    """
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never came about"
        if clock is not None:
            await clock.advance(1)
        await asyncio.sleep(0.002)


def fetched(here: World, which: int = 0) -> int:
    return here.sync.standing(here.accounts[which].id).fetched


def errors(here: World, which: int = 0) -> str | None:
    return here.sync.standing(here.accounts[which].id).error


async def test_an_import_goes_through_by_itself(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 130)
        async with running(here):
            await until(lambda: fetched(here) == 130)
        standing = here.sync.standing(here.account)
        assert (standing.total, standing.error, standing.last_sync) == (130, None, here.clock.now())


async def test_standing_tells_the_progress_of_an_import(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 130)
        hold = Hold()
        here.simulator.faults.add(
            FaultRule(
                phase=Phase.BEFORE, result=None, operation=Operation.INBOX_GET, skip=60, hold=hold
            )
        )
        async with running(here):
            await hold.reached.wait()
            await until(lambda: fetched(here) >= 25)
            assert 25 <= fetched(here) < 130
            assert here.sync.standing(here.account).total == 130
            hold.release.set()
            await until(lambda: fetched(here) == 130)


async def test_the_first_page_can_be_read_before_the_others(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 60)
        hold = Hold()
        here.simulator.faults.add(
            FaultRule(
                phase=Phase.BEFORE, result=None, operation=Operation.INBOX_GET, skip=25, hold=hold
            )
        )
        async with running(here):
            await until(lambda: fetched(here) >= 25)
            newest = here.listed()[-1]
            texts = "".join((await here.messages()).values())
            assert newest.rpartition(" ")[2] in texts
            hold.release.set()
            await until(lambda: fetched(here) == 60)


async def test_a_slow_body_does_not_delay_the_next_look(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 1)
        hold = Hold()
        here.simulator.faults.add(
            FaultRule(phase=Phase.BEFORE, result=None, operation=Operation.INBOX_GET, hold=hold)
        )
        async with running(here):
            await hold.reached.wait()
            here.simulator.inject(ADDRESS, subject="Nuovo")
            await until(lambda: fetched(here) == 1, here.clock)
            hold.release.set()
            await until(lambda: fetched(here) == 2)


async def test_a_new_row_shows_at_the_next_look(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here, running(here):
        await until(lambda: here.made(Operation.QUOTA) == 1)
        here.simulator.inject(ADDRESS, subject="Nuovo")
        await until(lambda: fetched(here) == 1, here.clock)
        began = here.clock.monotonic()
        assert began <= 310


@pytest.mark.parametrize(
    ("event", "least", "most"),
    [("nobody", 290, 310), ("watched", 28, 34), ("sent", 4, 9)],
)
async def test_how_soon_the_next_look_is(
    tmp_path: Path, event: str, least: float, most: float
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here, running(here):
        await until(lambda: here.made(Operation.QUOTA) == 1)
        looks = here.made(Operation.INBOX_LIST)
        if event == "watched":
            here.mailboxes.subscribe_mailbox(here.account, here.inbox_id, lambda change: None)
        elif event == "sent":
            here.sync.wake(here.account)
        began_s = here.clock.monotonic()
        await until(lambda: here.made(Operation.INBOX_LIST) > looks, here.clock)
        assert least <= here.clock.monotonic() - began_s <= most


async def test_a_wake_for_all_wakes_each(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING, addresses=(ADDRESS, OTHER)) as here, running(here):
        await until(lambda: here.made(Operation.QUOTA) == 2)
        looks = here.made(Operation.INBOX_LIST)
        here.sync.wake()
        began_s = here.clock.monotonic()
        await until(lambda: here.made(Operation.INBOX_LIST) >= looks + 2, here.clock)
        assert here.clock.monotonic() - began_s <= 9


class Thrifty(Passing):
    """A client whose day's requests allow for looks only, from when it is told so."""

    def __init__(self, client: PecClient, told: list[bool]) -> None:
        super().__init__(client)
        self._told = told

    async def inbox_page(self, page: int | None = None, query: str | None = None) -> InboxPage:
        if self._told and self.purpose is not Purpose.LOOK:
            raise NotSent("kept for looks", kind="budget", retry_after_s=3_600.0)
        return await super().inbox_page(page, query)


async def test_looks_go_on_where_what_is_missing_cannot_be_looked_for(tmp_path: Path) -> None:
    told = list[bool]()
    async with world(tmp_path, SEQUENCE_READING, wrap=lambda client: Thrifty(client, told)) as here:
        here.simulator.seed(ADDRESS, 5)
        async with running(here):
            await until(lambda: fetched(here) == 5, here.clock)
            here.simulator.delete(ADDRESS, here.simulator.inbox(ADDRESS)[2].row)
            here.simulator.inject(ADDRESS, subject="Nuovo")
            told.append(True)
            await until(lambda: fetched(here) == 6, here.clock)
            told.clear()
            await until(lambda: fetched(here) == 5, here.clock)


@pytest.mark.slow
async def test_a_day_stays_within_its_budget(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING, per_day=200) as here:
        here.simulator.seed(ADDRESS, 500)
        async with running(here):
            for _ in range(400):
                await here.clock.advance(30)
                await asyncio.sleep(0.001)
            made = len(here.simulator.calls())
            assert made <= 200
            assert 25 <= fetched(here) < 200
            assert here.made(Operation.INBOX_LIST) > 5


async def test_one_accounts_trouble_is_not_anothers(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING, addresses=(ADDRESS, OTHER)) as here:
        here.simulator.seed(OTHER, 30)
        here.simulator.faults.add(
            FaultRule(phase=Phase.BEFORE, result=Failure.TIMEOUT, mailbox=ADDRESS, times=None)
        )
        async with running(here):
            await until(lambda: fetched(here, 1) == 30 and errors(here, 0) is not None)
            assert errors(here, 1) is None
            here.simulator.inject(OTHER, subject="Nuovo")
            await until(lambda: fetched(here, 1) == 31, here.clock)


async def test_a_refused_password_is_told_once_probed_slowly_and_forgiven(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.set_password(ADDRESS, "another")
        async with running(here):
            await until(lambda: errors(here) is not None)
            asked = len(here.simulator.calls())
            for _ in range(60):
                await here.clock.advance(60)
                await asyncio.sleep(0.002)
            assert len(here.simulator.calls()) - asked < 10
            assert [alarm.kind for alarm in await here.alarms()] == ["credentials"]
            here.simulator.set_password(ADDRESS, "parola")
            here.simulator.seed(ADDRESS, 3)
            for _ in range(90):
                await here.clock.advance(60)
                await asyncio.sleep(0.002)
            await until(lambda: fetched(here) == 3)
            assert errors(here) is None
            assert await here.alarms() == []


async def test_errors_are_retried_ever_more_slowly(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.faults.fail(None, Phase.BEFORE, Failure.CONNECT_ERROR, times=None)
        async with running(here):
            for _ in range(60):
                await here.clock.advance(60)
                await asyncio.sleep(0.001)
            assert 4 <= len(here.simulator.calls()) <= 20


async def test_the_quota_is_read_now_and_then_and_told_at_80_and_90_percent(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        for percent, raised in ((50, []), (81, ["80"]), (93, ["80", "90"]), (85, ["80"]), (10, [])):
            here.simulator.set_quota(ADDRESS, used_bytes=percent * 10**7, limit_bytes=100 * 10**7)
            await here.sync_now()
            assert sorted(alarm.key for alarm in await here.alarms()) == raised
            figures = await here.sync.quota(here.account)
            assert figures is not None
            assert figures.percent == pytest.approx(percent, abs=0.1)
            await here.clock.advance(3700)
        assert here.made(Operation.QUOTA) == 5
        await here.restart()
        assert await here.sync.quota(here.account) == figures


async def test_a_quota_that_is_not_told_is_asked_for_again_and_holds_up_no_mail(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.set_quota(ADDRESS, used_bytes=85 * 10**7, limit_bytes=100 * 10**7)
        here.simulator.seed(ADDRESS, 3)
        here.simulator.faults.fail(Operation.QUOTA, Phase.BEFORE, Failure.TIMEOUT)
        await here.sync_now()
        assert await here.alarms() == []
        await here.clock.advance(16 * 60)
        await here.sync_now()
        assert [alarm.key for alarm in await here.alarms()] == ["80"]


async def test_with_the_api_down_everything_here_works_and_is_carried_out_later(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 5)
        await here.sync_now()
        down = here.simulator.faults.fail(None, Phase.BEFORE, Failure.CONNECT_ERROR, times=None)
        async with running(here):
            await until(lambda: errors(here) is not None)
            assert len(await here.messages()) == 5
            uid, gone, *_ = await here.messages()
            flags = frozenset({SEEN})
            await here.mailboxes.change_flags(here.inbox_id, [uid], FlagChange.ADD, flags)
            await here.mailboxes.expunge(here.inbox_id, [gone])
            assert len(await here.messages()) == 4
            here.simulator.faults.remove(down)
            await until(lambda: len(here.listed()) == 4, here.clock)
        assert errors(here) is None


async def test_sync_now_tells_what_came_and_what_went_wrong(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 30)
        assert await here.sync_now() == 30
        here.simulator.faults.fail(None, Phase.BEFORE, Failure.CONNECT_ERROR)
        with pytest.raises(ApiError):
            await here.sync_now()
        assert "could not be reached" in str(errors(here))
        assert await here.sync_now() == 0
        assert errors(here) is None


async def test_sync_now_beside_a_running_sync_reads_nothing_twice(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 130)
        async with running(here):
            await here.sync_now()
            await until(lambda: fetched(here) == 130)
        assert here.made(Operation.INBOX_GET) == 130
        assert len(await here.messages()) == 130


async def test_progress_is_told_while_it_goes_on(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        here.simulator.seed(ADDRESS, 60)
        told: list[tuple[int, int]] = []
        hold = Hold()
        here.simulator.faults.add(
            FaultRule(
                phase=Phase.BEFORE, result=None, operation=Operation.INBOX_GET, skip=40, hold=hold
            )
        )
        asked = asyncio.ensure_future(
            here.sync.sync_now(here.account, lambda done, total: told.append((done, total)))
        )
        await hold.reached.wait()
        await here.clock.advance(1)
        assert told
        assert all(done <= total == 60 for done, total in told)
        hold.release.set()
        assert await asked == 60


async def test_an_account_that_is_not_followed_has_no_standing(tmp_path: Path) -> None:
    settings = SyncSettings(interval_s=1)
    async with world(tmp_path, SEQUENCE_READING, settings=settings) as here:
        stranger = await here.mailboxes.open_account("nessuno@pec.invalid")
        assert here.sync.standing(stranger).last_sync is None
        assert await here.sync.quota(stranger) is None
        assert (await here.mailboxes.find(stranger, INBOX)) is not None


@pytest.mark.parametrize("mailbox", [INBOX, ARCHIVE])
async def test_an_expunge_is_followed_by_the_deletion_within_seconds(
    tmp_path: Path, mailbox: str
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here, running(here):
        here.simulator.seed(ADDRESS, 5)
        await until(lambda: fetched(here) == 5, here.clock)
        await here.clock.advance(1000)
        box = await here.mailboxes.find(here.account, mailbox)
        assert box is not None
        uids = [min(await here.messages())]
        if box.id != here.inbox_id:
            moved = await here.mailboxes.move(here.inbox_id, uids, box)
            await here.clock.advance(10)
            assert len(here.listed()) == 5
            uids = [new for _, new in moved.pairs]
        began_s = here.clock.monotonic()
        await here.mailboxes.expunge(box.id, uids)
        await until(lambda: len(here.listed()) == 4, here.clock)
        assert here.clock.monotonic() - began_s <= 5


async def test_an_account_is_not_woken_by_anothers_expunge(tmp_path: Path) -> None:
    async with world(tmp_path, SEQUENCE_READING, addresses=(ADDRESS, OTHER)) as here, running(here):
        here.simulator.seed(OTHER, 2)
        await until(lambda: fetched(here, 1) == 2, here.clock)
        box = await here.mailboxes.find(here.accounts[1].id, INBOX)
        assert box is not None
        asked = len(here.simulator.calls())
        await here.mailboxes.expunge(box.id, [Uid(1)])
        await until(lambda: here.made(Operation.INBOX_DELETE) == 1, here.clock)
        made = here.simulator.calls()[asked:]
        assert {call.mailbox for call in made} == {OTHER}


@pytest.mark.parametrize("is_open_first", [True, False])
async def test_after_trouble_the_pause_is_short_while_a_client_is_there(
    tmp_path: Path, is_open_first: bool
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here, running(here):
        await until(lambda: here.made(Operation.QUOTA) == 1)
        if is_open_first:
            here.mailboxes.subscribe_mailbox(here.account, here.inbox_id, lambda change: None)
        down = here.simulator.faults.fail(None, Phase.BEFORE, Failure.CONNECT_ERROR, times=None)
        for _ in range(80):
            await here.clock.advance(60)
            await asyncio.sleep(0.002)
        here.mailboxes.subscribe_mailbox(here.account, here.inbox_id, lambda change: None)
        asked = len(here.simulator.calls())
        began_s = here.clock.monotonic()
        await until(lambda: len(here.simulator.calls()) > asked, here.clock)
        assert here.clock.monotonic() - began_s <= 62
        await until_told(here, [("reading", "inbox")])
        here.simulator.faults.remove(down)
        await until(lambda: errors(here) is None, here.clock)
        assert here.clock.monotonic() - began_s <= 150
        await until_told(here, [])


@pytest.mark.slow
async def test_requests_used_up_are_told_with_figures_and_looks_go_on(tmp_path: Path) -> None:
    clock = FakeClock(datetime(2026, 1, 15, 15, 0, tzinfo=UTC))
    async with world(tmp_path, SEQUENCE_READING, clock, per_day=60) as here, running(here):
        here.simulator.seed(ADDRESS, 100)
        await until(lambda: fetched(here) >= 20, here.clock)
        looks = here.made(Operation.INBOX_LIST)
        here.mailboxes.subscribe_mailbox(here.account, here.inbox_id, lambda change: None)
        for _ in range(420):
            await here.clock.advance(60)
            await asyncio.sleep(0.002)
        (alarm,) = await here.alarms()
        assert (alarm.kind, alarm.key) == ("requests", "2026-01-15")
        assert here.made(Operation.INBOX_LIST) >= looks + 5
        assert errors(here) is None
        assert fetched(here) < 60
        text = await told(here)
        assert "Of today's 60 requests" in text
        assert "At today's volume about" in " ".join(text.split())
        assert "body" in text
        for _ in range(90):
            await here.clock.advance(60)
            await asyncio.sleep(0.002)
        assert "2026-01-15" not in [alarm.key for alarm in await here.alarms()]


@pytest.mark.parametrize(
    ("missed", "texts", "looks", "is_told"),
    [
        pytest.param({Purpose.RECEIPT}, FEW_TEXTS, 0, False, id="few"),
        pytest.param({Purpose.RECEIPT, Purpose.CONFIRMATION}, 1, 0, False, id="and what is spared"),
        pytest.param({Purpose.RECEIPT}, FEW_TEXTS + 1, 0, True, id="many"),
        pytest.param({Purpose.RECEIPT, Purpose.LISTING}, 1, 0, True, id="pages too"),
        pytest.param(set[Purpose](), 100, 0, False, id="none"),
        pytest.param({Purpose.RECEIPT}, 1, 1440, True, id="nothing is left"),
    ],
)
async def test_a_few_receipts_whose_texts_wait_do_not_use_a_day_up(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    missed: set[Purpose],
    texts: int,
    looks: int,
    is_told: bool,
) -> None:
    async with world(tmp_path, SEQUENCE_READING) as here:
        account = here.sync._accounts[here.account]
        today, made = here.clock.now().date(), {Purpose.LOOK: looks}
        use = Use(today, 1440, made, frozenset(missed), left_s=9_999.0, missed=frozenset(missed))
        monkeypatch.setattr(account._account.budget, "use", AsyncMock(return_value=use))
        monkeypatch.setattr(
            account._parts.texts,
            "missing",
            AsyncMock(side_effect=lambda most: [0] * min(texts, most)),
        )
        await account._tell_use()
        told = [alarm.kind for alarm in await here.alarms()]
        assert told == (["requests"] if is_told else [])


async def until_told(here: World, expected: list[tuple[str, str]]) -> None:
    """Wait until just these alarms are raised."""
    deadline_s = time.monotonic() + PATIENCE_S
    while [(alarm.kind, alarm.key) for alarm in await here.alarms()] != expected:
        assert time.monotonic() < deadline_s, await here.alarms()
        await asyncio.sleep(0.002)


async def told(here: World) -> str:
    """Return the texts of all alarms."""

    async def work(tx: ReadTransaction) -> str:
        texts = []
        for row in await tx.index_rows(here.inbox_id):
            message = await tx.message_row(here.inbox_id, Uid(row[0]))
            assert message is not None
            raw = (await tx.pieces([message.content], [Part.RAW]))[0][1]
            assert isinstance(raw, bytes)
            mail = message_from_bytes(raw, policy=default)
            if mail["Auto-Submitted"]:
                texts.append(mail.get_content())
        return " ".join(" ".join(texts).split())

    return await here.store.read(work)
