"""What ends, stands still or is full: said in a sentence, and over when it is over."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import psycopg
import pytest

from bridge.model import Mailbox
from bridge.store.base import StoreFailed, StoreFull, Transaction
from bridge.store.postgres import PostgresStore
from bridge.store.postgres.connection import failure
from bridge.store.postgres.migrations import WRITE_LOCK
from tests.bound import bound
from tests.cluster import Cluster
from tests.store.made import NOW, ingested

pytestmark = pytest.mark.slow


async def test_it_serves_again_after_the_server_was_gone(
    server: Cluster, database: str, tmp_path: Path
) -> None:
    store = await PostgresStore.open(server.url(database), tmp_path)
    account = await store.write(lambda tx: tx.add_account("a@pec.example"))
    server.stop()
    with pytest.raises(StoreFailed, match="PostgreSQL"):
        await store.write(lambda tx: tx.add_subscription(account, "one"))
    with pytest.raises(StoreFailed, match="PostgreSQL"):
        await store.read(lambda tx: tx.accounts())
    assert "PostgreSQL" in str(store.failing)
    server.start()
    await store.write(lambda tx: tx.add_subscription(account, "two"))
    assert store.failing is None
    assert await store.read(lambda tx: tx.subscriptions(account)) == ("two",)
    await store.close()


async def test_a_server_that_stands_still_is_waited_for_no_longer(
    server: Cluster, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.store.postgres.database.STATEMENT_MOST_S", 1)
    monkeypatch.setattr("bridge.store.postgres.database.HANGS_S", 1)
    store = await PostgresStore.open(server.url(database), tmp_path)
    account = await store.write(lambda tx: tx.add_account("a@pec.example"))
    await store.read(lambda tx: tx.accounts())
    stopped = server.pids()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        reading = asyncio.ensure_future(store.read(lambda tx: tx.accounts()))
        writing = asyncio.ensure_future(store.write(lambda tx: tx.add_subscription(account, "one")))
        with pytest.raises(StoreFailed):
            await asyncio.wait_for(reading, 30)
        with pytest.raises(StoreFailed):
            await asyncio.wait_for(writing, 30)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    await store.write(lambda tx: tx.add_subscription(account, "two"))
    assert await store.read(lambda tx: tx.subscriptions(account)) == ("two",)
    await store.close()


async def test_several_that_write_see_each_other_in_one_order(
    server: Cluster, database: str, tmp_path: Path
) -> None:
    """As works of one store do: no UID twice, none left out, none seen before an earlier one."""
    stores = [await PostgresStore.open(server.url(database), tmp_path) for _ in range(3)]
    account = await stores[0].write(lambda tx: tx.add_account("a@pec.example"))

    async def make(tx: Transaction) -> Mailbox:
        return await tx.add_mailbox(account, "INBOX", None, 1)

    inbox = (await stores[0].write(make)).id

    async def append(tx: Transaction, name: str) -> tuple[int, int]:
        seen = len(await tx.index_rows(inbox))
        content = await tx.add_content(account, ingested(name))
        row = await tx.append_message(inbox, content, 9, frozenset(), NOW, NOW)
        assert row is not None
        return row.uid, seen

    names = [f"{number}/{n}" for number in range(3) for n in range(40)]
    written = await asyncio.gather(
        *(
            stores[at % 3].write(bound(lambda tx, name: append(tx, name), name))
            for at, name in enumerate(names)
        )
    )
    assert sorted(written) == [(uid, uid - 1) for uid in range(1, 121)]
    for store in stores:
        assert len(await store.read(lambda tx: tx.index_rows(inbox))) == 120
        await store.close()


async def test_a_work_that_conflicts_fails_alone(
    server: Cluster, database: str, tmp_path: Path
) -> None:
    store = await PostgresStore.open(server.url(database), tmp_path)
    account = await store.write(lambda tx: tx.add_account("a@pec.example"))

    async def fill(tx: Transaction, name: str) -> None:
        await tx.add_subscription(account, name)
        if name == "n5":
            await tx.add_account("A@PEC.example")

    outcomes = await asyncio.gather(
        *(
            store.write(bound(lambda tx, name: fill(tx, name), f"n{number}"))
            for number in range(10)
        ),
        return_exceptions=True,
    )
    assert [isinstance(outcome, StoreFailed) for outcome in outcomes] == [
        number == 5 for number in range(10)
    ]
    names = await store.read(lambda tx: tx.subscriptions(account))
    assert names == tuple(f"n{number}" for number in range(10) if number != 5)
    await store.close()


async def test_who_waits_for_another_for_too_long_fails_together(
    server: Cluster, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.store.postgres.connection.LOCK_MOST_S", 1)
    store = await PostgresStore.open(server.url(database), tmp_path)
    account = await store.write(lambda tx: tx.add_account("a@pec.example"))
    with psycopg.connect(server.url(database)) as other:
        other.execute(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
        works = [
            store.write(bound(lambda tx, name: tx.add_subscription(account, name), str(number)))
            for number in range(20)
        ]
        async with asyncio.timeout(10):
            outcomes = await asyncio.gather(*works, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreFailed}
    await store.write(lambda tx: tx.add_subscription(account, "later"))
    assert await store.read(lambda tx: tx.subscriptions(account)) == ("later",)
    await store.close()


def test_a_full_disk_is_known_from_other_failures() -> None:
    assert isinstance(failure(psycopg.errors.DiskFull("no space left"), "it"), StoreFull)
    other = failure(psycopg.errors.SyntaxError("wrong"), "it")
    assert not isinstance(other, StoreFull)
    assert str(other) == "it: wrong"
