"""A commit whose answer was lost is looked up, and neither failed nor run again meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from bridge.model import AccountId
from bridge.store.base import StoreFailed, Transaction
from bridge.store.postgres import PostgresStore
from tests.store.postgres.proxy import Proxy

pytestmark = pytest.mark.slow


class Counted:
    """A work that counts how often it is run."""

    def __init__(self) -> None:
        self.runs = 0
        self.heard: list[AccountId] = []

    async def __call__(self, tx: Transaction) -> AccountId:
        self.runs += 1
        return await tx.add_account("a@pec.example")


async def accounts(store: PostgresStore) -> int:
    return len(await store.read(lambda tx: tx.accounts()))


@pytest.mark.parametrize(("lost", "runs"), [("after", 1), ("before", 2)])
async def test_a_lost_answer_is_looked_up(
    lost: str, runs: int, proxy: Proxy, distant: PostgresStore
) -> None:
    await distant.write(lambda tx: tx.add_account("first@pec.example"))
    work = Counted()
    proxy.cut = lost
    writing = asyncio.ensure_future(distant.write(work, work.heard.append))
    await proxy.was_cut.wait()
    proxy.mend()
    account = await asyncio.wait_for(writing, 20)
    assert (work.runs, work.heard) == (runs, [account])
    assert await accounts(distant) == 2
    assert distant.failing is None


@pytest.mark.parametrize("lost", ["after", "before"])
async def test_meanwhile_others_fail_and_the_work_in_doubt_does_not(
    lost: str, proxy: Proxy, distant: PostgresStore
) -> None:
    await distant.write(lambda tx: tx.add_account("first@pec.example"))
    work = Counted()
    proxy.cut = lost
    writing = asyncio.ensure_future(distant.write(work, work.heard.append))
    await proxy.was_cut.wait()
    with pytest.raises(StoreFailed, match="PostgreSQL"):  # sooner or later it is known
        await distant.write(lambda tx: tx.add_account("other@pec.example"))
    assert distant.failing is not None
    assert not writing.done()
    proxy.mend()
    assert await asyncio.wait_for(writing, 20) == work.heard[0]
    assert await accounts(distant) == 2
    assert await distant.write(lambda tx: tx.add_account("other@pec.example"))
    assert distant.failing is None


async def test_a_store_that_closes_waits_for_no_doubt(proxy: Proxy, distant: PostgresStore) -> None:
    await distant.write(lambda tx: tx.add_account("first@pec.example"))
    proxy.cut = "before"
    writing = asyncio.ensure_future(distant.write(lambda tx: tx.add_account("a@pec.example")))
    await proxy.was_cut.wait()
    await asyncio.wait_for(distant.close(), 10)
    with pytest.raises(StoreFailed):
        await writing


async def test_a_line_that_was_cut_between_commits_is_replaced(
    proxy: Proxy, distant: PostgresStore
) -> None:
    await distant.write(lambda tx: tx.add_account("first@pec.example"))
    assert await accounts(distant) == 1
    proxy.sever()
    assert await distant.write(lambda tx: tx.add_account("a@pec.example"))
    proxy.sever()
    assert await accounts(distant) == 2
