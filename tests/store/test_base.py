"""What ``store.base.Store`` promises of ``write``, ``read``, ``scan`` and ``close``."""

from __future__ import annotations

import asyncio

import pytest

from bridge.model import AccountId, Mailbox
from bridge.store.base import ReadTransaction, Store, StoreFailed, Transaction
from tests.bound import bound


class Refused(Exception):
    """What a work raises of its own."""


async def names(store: Store, account: AccountId) -> tuple[str, ...]:
    return await store.read(lambda tx: tx.subscriptions(account))


async def test_a_write_returns_what_its_work_returned(store: Store) -> None:
    account = await store.write(lambda tx: tx.add_account("a@pec.example"))
    assert await store.read(lambda tx: tx.account("a@pec.example")) == account


async def test_a_work_sees_its_own_changes_and_others_do_not_yet(
    store: Store, account: AccountId
) -> None:
    async def work(tx: Transaction) -> tuple[str, ...]:
        await tx.add_subscription(account, "one")
        return await tx.subscriptions(account)

    assert await names(store, account) == ()
    assert await store.write(work) == ("one",)
    assert await names(store, account) == ("one",)


async def test_a_work_that_raises_is_undone_alone(store: Store, account: AccountId) -> None:
    async def refuse(tx: Transaction) -> None:
        await tx.add_subscription(account, "refused")
        raise Refused

    async def keep(tx: Transaction, name: str) -> None:
        await tx.add_subscription(account, name)

    outcomes = await asyncio.gather(
        store.write(lambda tx: keep(tx, "before")),
        store.write(refuse),
        store.write(lambda tx: keep(tx, "after")),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), Refused, type(None)]
    assert await names(store, account) == ("after", "before")


async def test_a_broken_constraint_undoes_the_whole_work(store: Store, inbox: Mailbox) -> None:
    async def work(tx: Transaction) -> None:
        await tx.add_subscription(inbox.account, "one")
        await tx.add_mailbox(inbox.account, inbox.name, None, 1)

    with pytest.raises(StoreFailed):
        await store.write(work)
    assert await names(store, inbox.account) == ()


async def test_works_see_each_other_in_the_order_they_came(
    store: Store, account: AccountId
) -> None:
    async def work(tx: Transaction, name: str) -> tuple[str, ...]:
        await tx.add_subscription(account, name)
        return await tx.subscriptions(account)

    written = [f"n{number:02}" for number in range(40)]
    seen = await asyncio.gather(
        *(store.write(bound(lambda tx, name: work(tx, name), name)) for name in written)
    )
    assert [len(found) for found in seen] == list(range(1, 41))


async def test_committed_is_called_in_commit_order_before_the_caller_goes_on(
    store: Store, account: AccountId
) -> None:
    heard: list[str] = []

    async def work(tx: Transaction, name: str) -> str:
        await tx.add_subscription(account, name)
        return name

    async def write(name: str) -> None:
        await store.write(lambda tx: work(tx, name), heard.append)
        heard.append(f"{name} returned")

    await asyncio.gather(*(write(name) for name in "abcd"))
    assert [one for one in heard if len(one) == 1] == list("abcd")
    assert all(heard.index(name) < heard.index(f"{name} returned") for name in "abcd")


async def test_committed_sees_what_was_committed(store: Store, account: AccountId) -> None:
    seen: list[asyncio.Task[tuple[str, ...]]] = []

    def committed(_: None) -> None:
        seen.append(asyncio.ensure_future(names(store, account)))

    await store.write(lambda tx: tx.add_subscription(account, "one"), committed)
    assert await seen[0] == ("one",)


async def test_committed_is_not_called_for_what_was_undone(store: Store) -> None:
    heard: list[None] = []

    async def refuse(tx: Transaction) -> None:
        raise Refused

    with pytest.raises(Refused):
        await store.write(refuse, heard.append)
    assert heard == []


async def test_a_fault_in_committed_loses_no_commit_and_no_caller(
    store: Store, account: AccountId
) -> None:
    def committed(_: None) -> None:
        raise Refused

    await asyncio.gather(
        store.write(lambda tx: tx.add_subscription(account, "one"), committed),
        store.write(lambda tx: tx.add_subscription(account, "two")),
    )
    assert await names(store, account) == ("one", "two")


async def test_a_cancelled_caller_takes_nothing_back(store: Store, account: AccountId) -> None:
    heard: list[None] = []
    task = asyncio.ensure_future(
        store.write(lambda tx: tx.add_subscription(account, "one"), heard.append)
    )
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.write(lambda tx: tx.add_subscription(account, "two"))
    assert await names(store, account) == ("one", "two")
    assert heard == [None]


async def test_a_read_and_a_scan_cannot_write(store: Store, account: AccountId) -> None:
    async def work(tx: ReadTransaction) -> None:
        await tx.add_subscription(account, "one")  # type: ignore[attr-defined]

    for run in (store.read, store.scan):
        with pytest.raises(StoreFailed):
            await run(work)
    assert await names(store, account) == ()


async def test_what_a_read_raises_reaches_its_caller(store: Store) -> None:
    async def work(tx: ReadTransaction) -> None:
        raise Refused

    for run in (store.read, store.scan):
        with pytest.raises(Refused):
            await run(work)
    assert await store.read(lambda tx: tx.account("a@pec.example")) is None


async def test_a_work_may_await_nothing_else(store: Store, account: AccountId) -> None:
    async def work(tx: Transaction) -> None:
        await tx.add_subscription(account, "one")
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="await nothing but its transaction"):
        await store.write(work)
    assert await names(store, account) == ()


async def test_close_finishes_what_was_begun_and_refuses_what_comes(
    store: Store, account: AccountId
) -> None:
    begun = asyncio.ensure_future(store.write(lambda tx: tx.add_subscription(account, "one")))
    await asyncio.sleep(0)
    await store.close()
    await store.close()
    await begun
    for run in (store.write, store.read, store.scan):
        with pytest.raises(StoreFailed, match="closed"):
            await run(lambda tx: tx.subscriptions(account))
