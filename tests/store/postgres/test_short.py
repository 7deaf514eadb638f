"""Reads that ask one thing are asked on the loop; all others see one moment, on a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from bridge.model import AccountId
from bridge.store.base import ReadTransaction, StoreFailed
from bridge.store.postgres import PostgresStore
from bridge.store.postgres.short import TRIED_AGAIN
from tests.cluster import Cluster
from tests.running import eventually

SLEEPS = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = '{}' AND query LIKE '%pg_sleep%'"
    " AND state = 'active' AND pid <> pg_backend_pid()"
)


@pytest.fixture
async def store(server: Cluster, database: str, tmp_path: Path) -> AsyncIterator[PostgresStore]:
    store = await PostgresStore.open(server.url(database), tmp_path)
    await store.write(lambda tx: tx.add_account("a@pec.example"))
    yield store
    await store.close()


async def one_thing(tx: ReadTransaction) -> str:
    await tx.accounts()
    return threading.current_thread().name


class Several:
    """A work that asks for as much as it is told to."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.threads: list[str] = []

    async def work(self, tx: ReadTransaction) -> list[list[AccountId]]:
        self.threads.append(threading.current_thread().name)
        return [await tx.accounts() for _ in range(self.times)]


async def test_what_asks_one_thing_changes_no_thread(store: PostgresStore) -> None:
    here = threading.current_thread().name
    assert [await store.read(one_thing) for _ in range(4)] == [here] * 4


async def test_what_asks_nothing_is_answered(store: PostgresStore) -> None:
    assert await store.read(Several(0).work) == []


async def test_what_asks_for_several_things_sees_one_moment(
    server: Cluster, database: str, store: PostgresStore
) -> None:
    async def work(tx: ReadTransaction) -> bool:
        before = await tx.accounts()
        number = next(numbers)
        server.run(f"INSERT INTO account (address) VALUES ('{number}@pec.example')", database)
        return before == await tx.accounts()

    numbers = iter(range(100))
    assert [await store.read(work) for _ in range(3)] == [True] * 3
    assert len(await store.read(lambda tx: tx.accounts())) > 3


async def test_a_work_is_tried_at_once_again_when_it_asks_for_less(store: PostgresStore) -> None:
    here = threading.current_thread().name
    several = Several(2)
    await store.read(several.work)
    assert here in several.threads
    several.times, several.threads = 1, []
    for _ in range(TRIED_AGAIN):
        await store.read(several.work)
    assert here not in several.threads
    await store.read(several.work)
    assert here in several.threads


async def test_a_work_that_stands_nowhere_goes_to_a_thread(store: PostgresStore) -> None:
    assert await store.read(partial(one_thing)) != threading.current_thread().name


async def test_many_are_asked_at_once(store: PostgresStore) -> None:
    found = await asyncio.gather(*(store.read(lambda tx: tx.accounts()) for _ in range(200)))
    assert found == [found[0]] * 200
    assert len(found[0]) == 1


async def test_a_lost_connection_is_replaced(
    server: Cluster, database: str, store: PostgresStore
) -> None:
    for _ in range(3):
        server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        )
        assert await store.read(one_thing)
        assert await store.read(one_thing) == threading.current_thread().name


async def test_one_that_is_given_up_leaves_nothing_for_the_next(
    server: Cluster, database: str, store: PostgresStore
) -> None:
    async def slow(tx: ReadTransaction) -> object:
        return tx._row("SELECT 1 FROM pg_sleep(20)")  # type: ignore[attr-defined]

    reading = asyncio.ensure_future(store.read(slow))
    await eventually(partial(asyncio.to_thread, server.run, SLEEPS.format(database)))
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert len(await store.read(lambda tx: tx.accounts())) == 1


async def test_a_read_changes_nothing(store: PostgresStore) -> None:
    async def delete(tx: ReadTransaction) -> object:
        return tx._row("DELETE FROM account RETURNING id")  # type: ignore[attr-defined]

    with pytest.raises(StoreFailed, match="read-only"):
        await store.read(delete)
    assert len(await store.read(lambda tx: tx.accounts())) == 1


async def test_what_takes_too_long_is_not_asked_again(
    server: Cluster, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.store.postgres.database.STATEMENT_MOST_S", 1)
    asked: list[str] = []

    async def slow(tx: ReadTransaction) -> object:
        asked.append(threading.current_thread().name)
        return tx._row("SELECT 1 FROM pg_sleep(20)")  # type: ignore[attr-defined]

    store = await PostgresStore.open(server.url(database), tmp_path)
    with pytest.raises(StoreFailed, match="statement timeout"):
        await store.read(slow)
    await store.close()
    assert asked == [threading.current_thread().name]
