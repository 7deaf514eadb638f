"""Recipients outside PEC are told of, beside the way of a message and never on it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from bridge.api.errors import ApiError, NotSent, OutcomeUnknown, Refused
from bridge.app.domain_check import KEPT, PAUSE_AFTER_ERROR_S, DomainCheck
from bridge.config import Config, Send
from bridge.limits import DOMAIN_LOOKUPS_PER_DAY
from bridge.mailbox import Mailboxes, MailboxTransaction
from bridge.mime.ingest import ingest
from bridge.model import DRAFTS, AccountId, QueueId
from bridge.store.base import ReadTransaction, Store
from bridge.store.outbox import NewSubmission
from bridge.store.sqlite.database import SqliteStore
from tests.fakes import FakeClock
from tests.running import apart, eventually, running, simulated

CERTIFIED = {"pec.example", "altra.example"}


class Host:
    """Knows domains, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: ApiError | None = None

    async def is_certified(self, domain: str) -> bool:
        self.asked.append(domain)
        if self.error is not None:
            raise self.error
        return domain in CERTIFIED


class Checked:
    """An outbox to submit to, and what was told of it."""

    def __init__(
        self, store: Store, clock: FakeClock, account: AccountId, boxes: Mailboxes
    ) -> None:
        self.store, self.clock, self.account, self.boxes = store, clock, account, boxes
        self.host = Host()
        self.check = DomainCheck(store, boxes, clock, self.host)
        self._count = 0

    async def submit(self, *recipients: str) -> None:
        self._count += 1
        id = QueueId(f"Q{self._count}")

        async def work(mtx: MailboxTransaction) -> None:
            box = next(one for one in await mtx.tx.mailboxes(self.account) if one.name == DRAFTS)
            now = self.clock.now()
            row = await mtx.append(box.id, ingest(b"Subject: x\r\n\r\ny\r\n"), frozenset(), now)
            await mtx.tx.add_submission(
                NewSubmission(id, self.account, f"<{id}@x>", "x", recipients, row.content, b"", now)
            )

        await self.boxes.write(work)

    async def alarms(self) -> list[str]:
        async def work(tx: ReadTransaction) -> list[str]:
            return [one.key for one in await tx.alarms()]

        return await self.store.read(work)


@pytest.fixture
async def checked(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Checked]:
    store = await SqliteStore.open(tmp_path)
    boxes = Mailboxes(store, clock)
    account = await boxes.open_account("azienda@pec.example")
    yield Checked(store, clock, account, boxes)
    await store.close()


async def test_recipients_outside_pec_are_told_once_with_how_to_take_it_back(
    checked: Checked,
) -> None:
    await checked.submit("a@pec.example", "b@Gmail.com", "c@gmail.com", "d@altra.example")
    await checked.submit("a@pec.example")
    await checked.check.look()
    await checked.check.look()
    assert await checked.alarms() == ["Q1"]
    assert sorted(checked.host.asked) == ["altra.example", "gmail.com", "pec.example"]


async def test_a_verdict_is_kept_for_a_week(checked: Checked) -> None:
    for wait in (timedelta(0), KEPT - timedelta(hours=1), timedelta(hours=2)):
        await checked.clock.advance(wait.total_seconds())
        await checked.submit("a@gmail.com")
        await checked.check.look()
    assert checked.host.asked == ["gmail.com", "gmail.com"]
    assert len(await checked.alarms()) == 3


async def test_a_day_has_so_many_lookups_and_no_more(checked: Checked) -> None:
    await checked.submit(*(f"a@d{number}.example" for number in range(DOMAIN_LOOKUPS_PER_DAY + 5)))
    await checked.check.look()
    assert len(checked.host.asked) == DOMAIN_LOOKUPS_PER_DAY
    await checked.clock.advance(86_400)
    await checked.submit("a@new.example")
    await checked.check.look()
    assert len(checked.host.asked) == DOMAIN_LOOKUPS_PER_DAY + 1


@pytest.mark.parametrize(
    "error",
    [
        NotSent("no credit", kind="payment"),
        NotSent("no token", kind="credentials"),
        Refused("no such right", status=403, message=""),
        OutcomeUnknown("silence"),
    ],
)
async def test_an_error_tells_nothing_of_anybody_and_is_logged_once(
    checked: Checked, error: ApiError
) -> None:
    checked.host.error = error
    with capture_logs() as lines:
        for _ in range(3):
            await checked.submit("a@gmail.com", "b@altro.example")
            await checked.check.look()
    assert len(checked.host.asked) == 1
    assert [line["reason"] for line in lines if line["event"] == "domain_check_off"] == [
        error.reason
    ]
    assert await checked.alarms() == []
    checked.host.error = None
    await checked.clock.advance(PAUSE_AFTER_ERROR_S)
    await checked.submit("a@gmail.com")
    await checked.check.look()
    assert await checked.alarms() == ["Q4"]


async def test_what_was_submitted_before_the_start_is_left_alone(checked: Checked) -> None:
    await checked.submit("a@gmail.com")
    await checked.clock.advance(1)
    check = DomainCheck(checked.store, checked.boxes, checked.clock, checked.host)
    await check.look()
    assert checked.host.asked == []


async def test_it_looks_when_something_was_submitted(checked: Checked) -> None:
    task = asyncio.create_task(checked.check.run())
    await checked.submit("a@gmail.com")
    assert await eventually(checked.alarms) == ["Q1"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class Hanging(httpx.AsyncBaseTransport):
    """Passes requests on, and never answers one about a domain."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.asked = asyncio.Event()
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/domini_pec/"):
            self.asked.set()
            await asyncio.Event().wait()
        return await self._inner.handle_async_request(request)


async def test_a_host_that_hangs_holds_up_neither_the_250_nor_the_send(tmp_path: Path) -> None:
    simulator = simulated()
    simulator.token = "token"
    transport = Hanging(httpx.ASGITransport(app=simulator.app))

    def change(config: Config) -> Config:
        return dataclasses.replace(config, send=Send(rate_per_s=1000.0, check_domains="warn"))

    async def sent() -> bool:
        return len(simulator.sent) == 2

    async with running(tmp_path, transport, change=change) as bridge:
        await apart(bridge.submit, "Prima", "a@gmail.com")
        await asyncio.wait_for(transport.asked.wait(), 20)
        await apart(bridge.submit, "Seconda", "b@gmail.com")
        assert await eventually(sent)


async def test_a_bridge_that_is_told_to_warns_in_the_inbox(tmp_path: Path) -> None:
    simulator = simulated()

    def change(config: Config) -> Config:
        return dataclasses.replace(config, send=Send(rate_per_s=1000.0, check_domains="warn"))

    def found() -> list[bytes]:
        client = bridge.imap()
        client.select("INBOX")
        answer = client.search(None, "SUBJECT", '"Recipients outside PEC"')[1]
        client.logout()
        return [number for line in answer for number in line.split()]

    async def told() -> list[bytes]:
        return await apart(found)

    async with running(tmp_path, simulator, change=change) as bridge:
        await apart(bridge.submit, "Prova", "a@gmail.com")
        assert len(await eventually(told)) == 1


async def test_without_the_setting_nobody_is_asked(tmp_path: Path) -> None:
    simulator = simulated()

    async def sent() -> bool:
        return bool(simulator.sent)

    async with running(tmp_path, simulator) as bridge:
        await apart(bridge.submit, "Prova", "a@gmail.com")
        assert await eventually(sent)
    assert simulator.administration.calls == []
