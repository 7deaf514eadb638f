from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.model import AccountId, ContentId
from bridge.store.base import StoreFailed, StoreFull, Transaction
from bridge.store.sqlite import SqliteStore
from bridge.store.sqlite.connection import FILE_NAME, connect
from tests.bound import bound
from tests.store.made import NOW, ingested

EMPTY_PAGES = 200
"""More pages than the schema takes, fewer than a message of 2 MB."""


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path, page_limit=EMPTY_PAGES)
    yield store
    await store.close()


async def add(tx: Transaction, account: AccountId, subject: str, size: int = 10) -> ContentId:
    return await tx.add_content(account, ingested(subject, body="x" * size))


async def test_many_works_that_wait_share_one_commit(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    account = await store.write(lambda tx: tx.add_account("a@pec.example"))
    watching = connect(tmp_path / FILE_NAME, read_only=False)

    def pages_written() -> int:
        """Return the pages that commits since the last call wrote; each commit writes its own."""
        _, pages, _ = watching.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return int(pages)

    async def written_by(count: int) -> int:
        pages_written()
        names = [f"{count}/{number}" for number in range(count)]
        await asyncio.gather(
            *(
                store.write(bound(lambda tx, n: tx.add_subscription(account, n), name))
                for name in names
            )
        )
        return pages_written()

    single = await written_by(1)
    assert 0 < single <= await written_by(100) < 20 * single
    watching.close()
    await store.close()


async def test_works_of_clients_that_write_in_turn_share_commits(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    account = await store.write(lambda tx: tx.add_account("a@pec.example"))
    transactions: list[Transaction] = []

    async def client(number: int) -> None:
        async def work(tx: Transaction) -> None:
            transactions.append(tx)
            await tx.add_subscription(account, str(number))

        for _ in range(10):
            for _ in range(5 * number):  # each takes another time until its next
                await asyncio.sleep(0)
            await store.write(work)

    await asyncio.gather(*map(client, range(10)))
    assert len(transactions) == 100
    assert len({id(tx) for tx in transactions}) < 50
    await store.close()


async def test_a_lone_work_does_not_wait_for_ever_for_others(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    await asyncio.gather(*(store.write(lambda tx: tx.account("nobody")) for _ in range(10)))
    async with asyncio.timeout(10):
        await store.write(lambda tx: tx.add_account("a@pec.example"))
    await store.close()


async def test_a_work_that_raises_spoils_nothing_another_of_its_group_relies_on(
    tmp_path: Path,
) -> None:
    store = await SqliteStore.open(tmp_path)
    account = await store.write(lambda tx: tx.add_account("a@pec.example"))

    async def learn_and_fail(tx: Transaction) -> None:
        await tx.add_header_set("subject")
        await add(tx, account, "undone")
        raise RuntimeError

    failed, content = await asyncio.gather(
        store.write(learn_and_fail),
        store.write(lambda tx: add(tx, account, "kept")),
        return_exceptions=True,
    )
    assert isinstance(failed, RuntimeError)
    digest = ingested("kept", body="x" * 10).sha256
    assert await store.read(lambda tx: tx.content_by_digest(account, digest)) == content
    assert await store.read(lambda tx: tx.header_sets()) == {}
    await store.close()


async def test_a_work_too_large_is_full_and_others_of_its_group_are_kept(
    small: SqliteStore,
) -> None:
    account = await small.write(lambda tx: tx.add_account("a@pec.example"))
    outcomes = await asyncio.gather(
        small.write(lambda tx: add(tx, account, "before")),
        small.write(lambda tx: add(tx, account, "huge", 2_000_000)),
        small.write(lambda tx: add(tx, account, "after")),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], StoreFull)
    kept = [outcomes[0], outcomes[2]]
    for subject, content in zip(("before", "after"), kept, strict=True):
        digest = ingested(subject, body="x" * 10).sha256
        found = await small.read(bound(lambda tx, d: tx.content_by_digest(account, d), digest))
        assert found == content
    digest = ingested("huge", body="x" * 2_000_000).sha256
    assert await small.read(lambda tx: tx.content_by_digest(account, digest)) is None


async def test_a_full_store_takes_messages_again_once_there_is_room(small: SqliteStore) -> None:
    account = await small.write(lambda tx: tx.add_account("a@pec.example"))
    kept: list[ContentId] = []

    async def fill_up() -> None:
        while True:
            subject = f"n. {len(kept)}"
            content = await small.write(bound(lambda tx, s: add(tx, account, s, 50_000), subject))
            kept.append(content)

    with pytest.raises(StoreFull):
        await fill_up()
    assert len(kept) > 1

    async def make_room(tx: Transaction) -> int:
        await tx.mark_orphans(kept[:2], NOW)
        return await tx.drop_orphans(NOW.replace(year=2027), 10)

    assert await small.write(make_room) == 2
    content = await small.write(lambda tx: add(tx, account, "again", 50_000))
    assert await small.read(lambda tx: tx.raw(content, 0, 7)) == b"Subject"


async def test_nobody_hears_of_what_a_full_store_did_not_keep(small: SqliteStore) -> None:
    account = await small.write(lambda tx: tx.add_account("a@pec.example"))
    heard: list[ContentId] = []
    with pytest.raises(StoreFull):
        await small.write(lambda tx: add(tx, account, "huge", 2_000_000), heard.append)
    assert heard == []


async def test_the_thread_outlives_an_error_nobody_foresaw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await SqliteStore.open(tmp_path)
    with monkeypatch.context() as patch:

        def broken(*_: object, **__: object) -> None:
            raise OSError("the medium is gone")

        patch.setattr("bridge.store.sqlite.medium.connect", broken)
        with pytest.raises(StoreFailed, match="the medium is gone"):
            await store.write(lambda tx: tx.add_account("a@pec.example"))
    assert await store.write(lambda tx: tx.add_account("a@pec.example")) > 0
    await store.close()
