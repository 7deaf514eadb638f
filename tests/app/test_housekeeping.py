from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.app.housekeeping import INDEX_PAUSE_S, INTERVAL_S, Housekeeping
from bridge.mailbox import Mailboxes
from bridge.mime.ingest import ingest
from bridge.model import ContentId, Uid
from bridge.store.base import ReadTransaction, Store
from bridge.store.sqlite.connection import FILE_NAME
from bridge.store.sqlite.database import SqliteStore
from tests.fakes import FakeClock, settle


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await SqliteStore.open(tmp_path)
    yield store
    await store.close()


async def expunged(mailboxes: Mailboxes, clock: FakeClock) -> ContentId:
    """Put a message into Drafts, take it out for good and return its text's id."""
    account = await mailboxes.open_account("a@pec.example")
    drafts = await mailboxes.find(account, "Drafts")
    assert drafts is not None
    message = ingest(b"Subject: x\r\n\r\ny\r\n")
    row = await mailboxes.append(drafts.id, message, frozenset(), clock.now())
    await mailboxes.expunge(drafts.id, [Uid(row.uid)])
    return row.content


async def is_kept(store: Store, content: ContentId) -> bool:
    async def work(tx: ReadTransaction) -> bytes:
        return await tx.raw(content, 0, 1)

    return bool(await store.read(work))


async def test_a_text_without_a_message_is_dropped_a_day_later(
    store: Store, clock: FakeClock
) -> None:
    mailboxes = Mailboxes(store, clock)
    housekeeping = Housekeeping(mailboxes, clock)
    content = await expunged(mailboxes, clock)
    assert await housekeeping.tidy() == 0
    assert await is_kept(store, content)
    await clock.advance(25 * 3600)
    assert await housekeeping.tidy() == 1
    assert not await is_kept(store, content)


async def test_it_tidies_every_hour(store: Store, clock: FakeClock) -> None:
    mailboxes = Mailboxes(store, clock)
    housekeeping = Housekeeping(mailboxes, clock)
    content = await expunged(mailboxes, clock)
    task = asyncio.create_task(housekeeping.run())
    try:
        while await is_kept(store, content):
            await settle()
            if clock.next_wake_s is not None:
                assert clock.next_wake_s <= INTERVAL_S
                await clock.advance(clock.next_wake_s)
        assert clock.monotonic() <= 27 * 3600
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_an_older_version_read_is_read_anew_at_the_start(
    store: Store, clock: FakeClock, tmp_path: Path
) -> None:
    mailboxes = Mailboxes(store, clock)
    account = await mailboxes.open_account("a@pec.example")
    drafts = await mailboxes.find(account, "Drafts")
    assert drafts is not None
    for number in range(40):
        message = ingest(b"Subject: x\r\n\r\n%d\r\n" % number)
        await mailboxes.append(drafts.id, message, frozenset(), clock.now())
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("INSERT INTO stale_content SELECT id FROM content")
    connection.close()
    task = asyncio.create_task(Housekeeping(mailboxes, clock).run())
    try:
        while clock.monotonic() < INTERVAL_S / 2:
            await settle()
            await clock.advance(INDEX_PAUSE_S if clock.next_wake_s is None else clock.next_wake_s)
        assert await store.read(lambda tx: tx.stale_contents(1)) == []
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
