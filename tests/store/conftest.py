"""The store under test, once for each backend: what the contract tests run against."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bridge.model import AccountId, Mailbox
from bridge.store.base import Store, Transaction
from bridge.store.sqlite import SqliteStore

BACKENDS: dict[str, Callable[[Path], Awaitable[Store]]] = {"sqlite": SqliteStore.open}


@pytest.fixture(params=BACKENDS.values(), ids=list(BACKENDS))
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store = await request.param(tmp_path / "data")
    yield store
    await store.close()


@pytest.fixture
async def account(store: Store) -> AccountId:
    return await store.write(lambda tx: tx.add_account("azienda@pec.example"))


@pytest.fixture
async def inbox(store: Store, account: AccountId) -> Mailbox:
    async def work(tx: Transaction) -> Mailbox:
        return await tx.add_mailbox(account, "INBOX", None, 1_700_000_000)

    return await store.write(work)
