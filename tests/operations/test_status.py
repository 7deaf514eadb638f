from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bridge.api.budget import RequestBudget
from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.mailbox import Mailboxes
from bridge.model import Quota
from bridge.operations.accounts import ApiAccount, ApiAccounts
from bridge.operations.status import Sends, StatusOperations, quota_facts, search
from bridge.outbox.plan import PLANS
from bridge.outbox.window import Window
from bridge.simulator import READINGS, Options, PastEnd, Simulator
from bridge.store.base import Transaction
from bridge.store.remote import NewRemote, Worth
from bridge.store.sqlite import SqliteStore
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


async def test_status_counts_a_day_and_says_where_its_receipts_fill_inbox(
    tmp_path: Path, clock: FakeClock
) -> None:
    store = await SqliteStore.open(tmp_path)
    account = await Mailboxes(store, clock).open_account(ADDRESS)
    now = clock.now()

    async def come(tx: Transaction) -> None:
        for number in range(330):
            at = now - timedelta(hours=30 if number < 20 else 1)
            name = number.to_bytes(32)
            row = NewRemote(
                account,
                name,
                str(number),
                "{}",
                sender="s",
                recipient=ADDRESS,
                date_text="d",
                subject="o",
                received_at=at,
                first_seen=at,
            )
            worth = (Worth.INCOMING, Worth.RECEIPT, Worth.CONFIRMATION)[number % 3]
            await tx.judge_remote(await tx.add_remote(row), worth, None)

    await store.write(come)
    for deliver_to, said in (("INBOX", "207 receipts came into INBOX"), ("Ricevute", None)):
        facts = StatusOperations(
            store,
            clock,
            ApiAccounts((ApiAccount(account, ADDRESS, None),)),
            Sends(PLANS["standard"], Window.parse(""), deliver_to),
            None,
            {account: RequestBudget(clock, 1_440)},
            lambda: None,
        )
        (one,) = (await facts.methods()["status"]({}, lambda *_: None))["accounts"]
        assert one["forecast"]["needed"] == 240 + 13 + 310
        assert (one["hint"] or "").startswith(said or "")
        assert bool(one["hint"]) == bool(said)
    await store.close()
