"""The store under test, once for each backend: what the contract tests run against."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.model import AccountId, Mailbox
from bridge.store.base import Store, Transaction
from tests.stores import BACKENDS, open_store

QUICK = {"test_base", "test_texts"}
"""Modules whose tests run on PostgreSQL every time; making a database for each takes long."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        spec = getattr(item, "callspec", None)
        backend = spec and spec.params.get("store")
        if backend == "postgres" and item.path.stem not in QUICK:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=BACKENDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(tmp_path / "data", request.param)
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
