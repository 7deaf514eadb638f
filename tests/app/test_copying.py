"""``store copy``: there and back, everything is as it was, and a bridge goes on with it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.app.copying import copy_store
from bridge.app.database import DataPlace
from bridge.app.lock import DataLock, Locked
from bridge.config import Config, Database, SecretSource
from bridge.credentials import Secret
from bridge.operations.control import OperationFailed, ask
from bridge.store.base import StoreFailed, Transaction
from bridge.store.messages import TextField
from bridge.store.postgres.tables import PostgresTables
from bridge.store.sql.copying import Row, Table
from bridge.store.sqlite import SqliteStore
from bridge.store.sqlite.connection import FILE_NAME
from bridge.store.sqlite.tables import opened
from tests import cluster
from tests.app.test_postgres import delivered, subjects
from tests.running import ADDRESS, apart, running, simulated
from tests.store.made import NOW, ingested
from tests.store.test_texts import TEXTS
from tests.stores import DATABASES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(cluster.missing() is not None, reason=str(cluster.missing())),
]


def on_postgres(config: Config) -> Config:
    return replace(config, store=Database(SecretSource(env="UNUSED")))


def nobody(_done: int, _total: int) -> None:
    """Nobody is told."""


async def copied(place: DataPlace, target: str) -> dict[str, int]:
    return await asyncio.to_thread(copy_store, place, target, nobody)


def rows_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with opened(path) as source:
        return {table.name: list(source.read(table)) for table in source.tables()}


async def filled(data_dir: Path) -> None:
    """Make a store with texts of every kind."""
    store = await SqliteStore.open(data_dir)

    async def work(tx: Transaction) -> None:
        account = await tx.add_account("Azienda@pec.example")
        inbox = await tx.add_mailbox(account, "INBOX", None, 1)
        for number, text in enumerate(TEXTS):
            content = await tx.add_content(account, ingested(f"{number}{text}", body=text))
            await tx.append_message(inbox.id, content, 9, frozenset(), NOW, NOW)
        gone = await tx.add_mailbox(account, "gone", None, 1)
        await tx.remove_mailbox(gone.id)
        await tx.index_bodies(100)

    await store.write(work)
    await store.close()


async def test_there_and_back_every_row_is_the_same(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    await filled(first)
    url = DATABASES.url(first)
    counts = await copied(DataPlace(first), url)
    assert counts["content_body_text"] == len(TEXTS)
    second.mkdir()
    assert await copied(DataPlace(first, Secret(url)), str(second)) == counts
    assert rows_of(first / FILE_NAME) == rows_of(second / FILE_NAME)
    store = await SqliteStore.open(second)
    account = await store.read(lambda tx: tx.account("azienda@pec.example"))
    assert account is not None
    made = await store.write(lambda tx: tx.add_mailbox(account, "new", None, 1))
    assert made.id == 3  # the second one's number is not given again
    found, _ = await store.scan(lambda tx: tx.matching_text(1, TextField.BODY, "\0"))  # type: ignore[arg-type]
    assert len(found) == sum("\0" in text for text in TEXTS)
    await store.close()


async def test_a_bridge_goes_on_with_the_copy(tmp_path: Path) -> None:
    simulator = simulated(messages=3)
    async with running(tmp_path, simulator) as bridge:
        await apart(bridge.submit, "First", ADDRESS)
        await delivered(tmp_path, 1)
        before = await subjects(bridge)
    await copied(DataPlace(tmp_path), DATABASES.url(tmp_path))
    async with running(tmp_path, simulator, change=on_postgres) as bridge:
        assert (await subjects(bridge))[: len(before)] == before
        assert (await ask(tmp_path, "status", {}))["queue"] == {"submitted": 1}
        await apart(bridge.submit, "Second", ADDRESS)
        await delivered(tmp_path, 2)
    async with running(tmp_path, simulator) as bridge:  # the original is behind its mark
        assert len(await subjects(bridge)) >= len(before)


async def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    await filled(tmp_path)
    url = DATABASES.url(tmp_path)
    await copied(DataPlace(tmp_path), url)
    with pytest.raises(StoreFailed, match="holds data already"):
        await copied(DataPlace(tmp_path), url)
    with pytest.raises(StoreFailed, match="is there already"):
        await copied(DataPlace(tmp_path, Secret(url)), str(tmp_path))


async def test_a_row_that_did_not_arrive_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(tmp_path)
    url = DATABASES.url(tmp_path)
    whole = PostgresTables.write

    def all_but_one(tables: PostgresTables, table: Table, rows: Iterable[Row]) -> None:
        kept = list(rows)
        whole(tables, table, kept[1:] if table.name == "content_text" else kept)

    with monkeypatch.context() as patch:
        patch.setattr(PostgresTables, "write", all_but_one)
        with pytest.raises(StoreFailed, match="not the same: row 1 of content_text"):
            await copied(DataPlace(tmp_path), url)
    assert await copied(DataPlace(tmp_path), url)  # nothing was kept


async def test_other_tables_keep_nothing(tmp_path: Path) -> None:
    await filled(tmp_path)
    url = DATABASES.url(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("CREATE TABLE later (id INTEGER PRIMARY KEY)")
    with pytest.raises(StoreFailed, match="other tables: later"):
        await copied(DataPlace(tmp_path), url)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("DROP TABLE later")
    assert await copied(DataPlace(tmp_path), url)


async def test_not_while_a_bridge_runs_and_not_from_nothing(tmp_path: Path) -> None:
    with pytest.raises(OperationFailed, match="no data"):
        await copied(DataPlace(tmp_path), "postgresql:///unused")
    await filled(tmp_path)
    lock = DataLock(tmp_path)
    with pytest.raises(Locked):
        await copied(DataPlace(tmp_path), "postgresql:///unused")
    lock.release()
