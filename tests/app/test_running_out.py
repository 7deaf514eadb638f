"""Alarms before something runs out: when, once, ended by themselves, and never in the way."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import httpx
import pytest
from structlog.testing import capture_logs

from bridge.api.budget import ENOUGH_TO_LOOK
from bridge.app.resources import Resources
from bridge.app.running_out import AGAIN_S, EVERY_S, FIRST_AFTER_S, RunningOut
from bridge.config import Config, Send
from bridge.credentials import AccountSecrets, Secret, Secrets
from bridge.mailbox import MailboxTransaction
from bridge.mime.ingest import ingest
from bridge.model import SENT, QueueId
from bridge.registration.whole import check
from bridge.simulator import SEQUENCE_READING, AdminOperation, Failure, Phase, Simulator
from bridge.store.base import ReadTransaction
from bridge.store.outbox import NewSubmission
from tests.fakes import FakeClock
from tests.registration.test_whole import GOOD, TODAY
from tests.running import settings, until

ADDRESS = "azienda@pecmassiva.com"
DAY_S = 86_400.0


class Watched:
    """A resources with one account, the simulated hosts, and what looks at them."""

    def __init__(self, resources: Resources, simulator: Simulator, clock: FakeClock) -> None:
        self.core = resources
        self.clock = clock
        self.simulator = simulator
        self.admin = simulator.administration
        self.token = self.admin.tokens.create(
            {"scopes": ["POST:ws.pecmassiva.com/send"], "ttl": 40 * 86_400, "name": "invio"}
        )
        self.watch = self.built()

    def built(self, *, key: bool = True, admin: str | None = None) -> RunningOut:
        secret = Secret("parola")
        secrets = Secrets(
            Secret(self.token.token),
            (AccountSecrets(secret, secret),),
            Secret(admin or self.simulator.token),
            Secret(self.admin.api_key) if key else None,
        )
        return RunningOut(self.core, secrets, httpx.ASGITransport(app=self.simulator.app))

    async def alarms(self) -> list[str]:
        async def work(tx: ReadTransaction) -> list[str]:
            return [f"{one.kind} {one.text}" for one in await tx.alarms()]

        return await self.core.store.read(work)

    async def inbox(self) -> int:
        box = await self.core.mailboxes.find(self.core.accounts[0].id, "INBOX")
        assert box is not None
        return len(await self.core.mailboxes.index(box.id))

    async def after(self, days: float) -> list[str]:
        await self.clock.advance(days * DAY_S)
        assert await self.watch.look()
        return await self.alarms()

    async def queue(self, recipients: int) -> None:
        account = self.core.accounts[0].id

        async def work(mtx: MailboxTransaction) -> None:
            box = next(one for one in await mtx.tx.mailboxes(account) if one.name == SENT)
            now = self.clock.now()
            row = await mtx.append(box.id, ingest(b"Subject: x\r\n\r\ny\r\n"), frozenset(), now)
            to = tuple(f"a{number}@b.example" for number in range(recipients))
            await mtx.tx.add_submission(
                NewSubmission(QueueId("Q1"), account, "<1@x>", "x", to, row.content, b"", now)
            )

        await self.core.mailboxes.write(work)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    base = settings(tmp_path)
    account = dataclasses.replace(base.account[0], address=ADDRESS)
    source = account.password
    api = dataclasses.replace(base.api, email="titolare@example.it", api_key=source)
    return dataclasses.replace(base, api=api, account=(account,))


@pytest.fixture
async def watched(config: Config, clock: FakeClock) -> AsyncIterator[Watched]:
    resources = await Resources.open(config, None, clock=clock)
    yield Watched(resources, Simulator(SEQUENCE_READING, clock, Random(1)), clock)
    await resources.close()


async def test_a_token_is_told_of_30_and_7_days_before_its_end(watched: Watched) -> None:
    assert await watched.after(9) == []
    assert await watched.after(1) == ["token-expiry In scadenza / About to expire: token invio"]
    assert await watched.inbox() == 1
    await watched.after(22)
    assert await watched.inbox() == 1
    assert len(await watched.after(1)) == 1
    assert await watched.inbox() == 2


async def test_a_token_that_lives_longer_ends_its_alarm(watched: Watched) -> None:
    assert len(await watched.after(11)) == 1
    watched.admin.tokens.update(watched.token.token, {"ttl": 300 * 86_400}, None)
    assert await watched.after(0) == []
    assert await watched.inbox() == 1


async def test_tokens_that_are_not_in_use_are_nobodys_concern(watched: Watched) -> None:
    watched.admin.tokens.create({"scopes": ["POST:ws.pecmassiva.com/send"], "ttl": 86_400})
    assert await watched.after(0) == []


async def test_a_mailbox_is_told_of_with_how_to_renew_it(watched: Watched) -> None:
    registry = watched.admin.registry
    box = registry.register(dict(check(GOOD, TODAY).values))
    registry.move(box.id, "evasa")
    watched.admin.tokens.update(watched.token.token, {"ttl": 364 * 86_400}, None)
    box.expires_at = watched.clock.now() + timedelta(days=35)
    assert await watched.after(4) == []
    assert await watched.after(1) == [f"mailbox-expiry In scadenza / About to expire: {ADDRESS}"]
    await watched.after(23)
    assert await watched.inbox() == 2
    registry.renew(box.id, "1")
    assert await watched.after(0) == []


async def test_credit_that_does_not_pay_for_the_queue_is_told(watched: Watched) -> None:
    await watched.queue(100)
    watched.admin.purse.credit_eur = 5.0
    assert await watched.after(0) == []
    watched.admin.purse.credit_eur = 4.99
    expected = ["credit Credito insufficiente / Not enough credit: 4.99 EUR"]
    assert await watched.after(0) == expected
    assert await watched.after(1) == expected
    assert await watched.inbox() == 1
    watched.admin.purse.top_up(10.0)
    assert await watched.after(0) == []


async def test_with_the_flat_plan_the_queue_costs_nothing(config: Config, clock: FakeClock) -> None:
    flat = dataclasses.replace(config, send=Send(plan="flat"))
    resources = await Resources.open(flat, None, clock=clock)
    watched = Watched(resources, Simulator(SEQUENCE_READING, clock, Random(1)), clock)
    await watched.queue(100)
    watched.admin.purse.credit_eur = 0.0
    assert await watched.after(0) == []
    await resources.close()


async def test_without_a_key_it_says_once_what_it_does_not_watch(watched: Watched) -> None:
    watched.watch = watched.built(key=False)
    with capture_logs() as lines:
        for _ in range(3):
            await watched.after(1)
    said = [line for line in lines if line["event"] == "expiry_look_off"]
    assert len(said) == 1
    assert {call.operation for call in watched.admin.calls} == {AdminOperation.LIST}


@pytest.mark.parametrize("admin", ["wrong", None], ids=["wrong token", "no permission"])
async def test_without_the_permission_it_asks_no_second_time(
    watched: Watched, admin: str | None
) -> None:
    watched.watch = watched.built(key=False, admin=admin or watched.token.token)
    with capture_logs() as lines:
        for _ in range(3):
            await watched.after(1)
    assert len(watched.admin.calls) == 1
    reasons = [line["reason"] for line in lines if line["event"] == "expiry_look_off"]
    assert len(reasons) == 2
    assert watched.token.token not in str(lines)


async def test_a_host_that_does_not_answer_is_asked_again_and_no_alarm_ends(
    watched: Watched,
) -> None:
    assert len(await watched.after(11)) == 1
    watched.admin.faults.fail(None, Phase.BEFORE, Failure.TIMEOUT, times=3)
    assert not await watched.watch.look()
    assert len(await watched.alarms()) == 1


async def test_it_looks_a_while_after_the_start_and_then_once_a_day(watched: Watched) -> None:
    task = asyncio.create_task(watched.watch.run())
    watched.admin.faults.fail(AdminOperation.WALLET, Phase.BEFORE, Failure.TIMEOUT)

    def looks() -> int:
        return sum(one.operation is AdminOperation.WALLET for one in watched.admin.calls)

    await watched.clock.advance(FIRST_AFTER_S - 1)
    assert looks() == 0
    for wait_s, expected in ((1, 1), (AGAIN_S, 2), (EVERY_S - 1, 2), (1, 3)):
        await watched.clock.advance(wait_s)
        await until(lambda: watched.clock.next_wake_s)
        assert looks() == expected
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def subscription(scope: str, available: int, days: int = 30) -> dict[str, object]:
    """Return one as the description shows it: numbers are text."""
    return {
        "id": "656d1e2f8b3c2a001f7e4a20",
        "scope": scope,
        "active": True,
        "availableRequests": str(available),
        "startsAt": "2026-01-01T00:00:00+00:00",
        "expiresAt": (FakeClock().now() + timedelta(days=days)).isoformat(),
    }


async def test_a_subscription_bounds_the_day_and_what_it_lacks_is_told(watched: Watched) -> None:
    budget = watched.core.accounts[0].budget
    here = watched.admin.subscriptions
    assert await watched.after(0) == []
    assert (await budget.use()).subscribed is None
    host = urlsplit(watched.core.config.api.base_url).hostname
    here += [
        subscription(f"GET:{host}/inbox", 30_000),
        subscription("GET:elsewhere.example/inbox", 3),
        {**subscription(f"GET:{host}/inbox", 1), "active": False},
        {"scope": f"GET:{host}/inbox"},
    ]
    assert await watched.after(0) == []
    assert (await budget.use()).per_day == 1_000
    here[:] = [subscription(f"GET:{host}/inbox", 3_000), subscription(f"POST:{host}/send", 5)]
    await watched.queue(5)
    assert await watched.after(0) == [
        "subscription Abbonamento quasi esaurito / Subscription nearly used up: 3000"
    ]
    assert (await budget.use()).per_day == ENOUGH_TO_LOOK
    here[1] = subscription(f"POST:{host}/send", 4)
    assert len(await watched.after(0)) == 2
    here.clear()
    assert await watched.after(0) == []
    assert (await budget.use()).per_day == watched.core.config.sync.request_budget_per_day


async def test_subscriptions_that_may_not_be_seen_bound_nothing(watched: Watched) -> None:
    with capture_logs() as lines:
        for _ in range(2):
            watched.admin.faults.refuse(AdminOperation.SUBSCRIPTIONS, 403, "Wrong Scope", None)
            assert await watched.after(1) == []
    said = [line for line in lines if line["event"] == "expiry_look_off"]
    assert len(said) == 1
    assert (await watched.core.accounts[0].budget.use()).subscribed is None
