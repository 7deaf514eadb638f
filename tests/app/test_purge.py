"""What ``account purge`` leaves: nothing of that account in any table or page, all of others."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.app.database import DataPlace
from bridge.app.lock import DataLock, Locked
from bridge.app.purge import left_of, purge
from bridge.config import Account, Config, SecretSource
from bridge.operations.control import OperationFailed, ask
from bridge.store.base import StoreFull
from bridge.store.sqlite.connection import FILE_NAME
from tests.running import ADDRESS, PASSWORD, apart, eventually, running, simulated

OTHER = "altra@pec.example"
SUBJECT = "Oggettomoltoraro"


def both(config: Config) -> Config:
    other = Account(address=OTHER, password=SecretSource(env="UNUSED"))
    return replace(config, account=(*config.account, other))


async def used(data_dir: Path) -> None:
    """Let two accounts send and receive, each the other's mail."""
    simulator = simulated(messages=2)
    simulator.add_mailbox(OTHER, PASSWORD)
    simulator.seed(OTHER, 2)
    async with running(data_dir, simulator, change=both) as bridge:
        await apart(bridge.submit, SUBJECT, OTHER)

        async def delivered() -> bool:
            sends = await ask(data_dir, "receipts list", {})
            synced = (await ask(data_dir, "status", {}))["accounts"]
            states = [one["state"] for send in sends for one in send["recipients"]]
            return states == ["delivered"] and all(one["last_sync"] for one in synced)

        await eventually(delivered)


def counts(data_dir: Path) -> Iterator[tuple[str, str, int, int]]:
    """Yield each column that names an account, and how many rows have each account."""
    with closing(sqlite3.connect(data_dir / FILE_NAME)) as connection:
        for (table,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table'"
        ).fetchall():
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            if "account" in columns:
                query = (
                    f"SELECT a.address, t.account, count(*) FROM {table} AS t"
                    " LEFT JOIN account AS a ON a.id = t.account GROUP BY 1, 2"
                )
                for address, id, count in connection.execute(query):
                    yield table, str(address), int(id), int(count)


async def test_nothing_is_left_and_nothing_else_goes(tmp_path: Path) -> None:
    await used(tmp_path)
    before = list(counts(tmp_path))
    left = await left_of(DataPlace(tmp_path), ADDRESS)
    assert left["sends"] == 1
    assert left["messages"] >= 4
    assert SUBJECT.encode() in (tmp_path / FILE_NAME).read_bytes()
    await purge(DataPlace(tmp_path), ADDRESS)
    after = list(counts(tmp_path))
    assert {one for one in before if one[1] == OTHER} == {one for one in after if one[1] == OTHER}
    assert len({one[0] for one in before if one[1] == ADDRESS}) > 5
    assert {one[1] for one in after} == {OTHER}
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        query = "SELECT count(*) FROM receipt WHERE remote NOT IN (SELECT id FROM remote)"
        assert connection.execute(query).fetchone() == (0,)
    with pytest.raises(OperationFailed, match="Nothing of"):
        await left_of(DataPlace(tmp_path), ADDRESS)


async def test_no_page_has_what_was_sent_only_by_it(tmp_path: Path) -> None:
    simulator = simulated()
    async with running(tmp_path, simulator, change=both) as bridge:
        await apart(bridge.submit, SUBJECT, "mute-x@pec.example")
    content = (tmp_path / FILE_NAME).read_bytes()
    assert SUBJECT.encode() in content
    await purge(DataPlace(tmp_path), ADDRESS)
    found = await apart(lambda: [one.name for one in tmp_path.iterdir() if has(one)])
    assert found == []


def has(path: Path) -> bool:
    return SUBJECT.encode() in path.read_bytes()


@pytest.mark.slow
async def test_begun_and_cut_off_it_is_ended_by_another_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await used(tmp_path)
    name = "bridge.store.sql.purging.SqlPurging.purge_contents"

    async def cut_off(*_: object) -> int:
        raise StoreFull("no room")

    with monkeypatch.context() as cut:
        cut.setattr(name, cut_off)
        with pytest.raises(StoreFull):
            await purge(DataPlace(tmp_path), ADDRESS)
    assert (await left_of(DataPlace(tmp_path), ADDRESS))["messages"] == 0
    await purge(DataPlace(tmp_path), ADDRESS)
    assert {one[1] for one in counts(tmp_path)} == {OTHER}


@pytest.mark.slow
async def test_not_while_a_bridge_runs(tmp_path: Path) -> None:
    await used(tmp_path)
    lock = DataLock(tmp_path)
    with pytest.raises(Locked):
        await purge(DataPlace(tmp_path), ADDRESS)
    lock.release()
