from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.mailbox import Mailboxes
from bridge.model import AccountId, Mailbox
from bridge.store.base import Store
from tests.fakes import FakeClock
from tests.stores import open_store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(tmp_path)
    yield store
    await store.close()


@pytest.fixture
def mailboxes(store: Store, clock: FakeClock) -> Mailboxes:
    return Mailboxes(store, clock)


@pytest.fixture
async def account(mailboxes: Mailboxes) -> AccountId:
    return await mailboxes.open_account("azienda@pec.example")


async def named(mailboxes: Mailboxes, account: AccountId, name: str) -> Mailbox:
    mailbox = await mailboxes.find(account, name)
    assert mailbox is not None
    return mailbox


@pytest.fixture
async def inbox(mailboxes: Mailboxes, account: AccountId) -> Mailbox:
    return await named(mailboxes, account, "INBOX")


@pytest.fixture
async def sent(mailboxes: Mailboxes, account: AccountId) -> Mailbox:
    return await named(mailboxes, account, "Sent")


@pytest.fixture
async def trash(mailboxes: Mailboxes, account: AccountId) -> Mailbox:
    return await named(mailboxes, account, "Trash")
