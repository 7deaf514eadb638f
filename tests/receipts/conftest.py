from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.mailbox import Mailboxes
from tests.fakes import FakeClock
from tests.receipts.rig import ADDRESS, Rig
from tests.stores import open_store


@pytest.fixture
async def rig(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Rig]:
    store = await open_store(tmp_path)
    mailboxes = Mailboxes(store, clock)
    account = await mailboxes.open_account(ADDRESS)
    yield Rig(store, mailboxes, clock, account)
    await store.close()
