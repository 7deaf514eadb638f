"""What is read at each look costs the same whether there are a hundred rows or a million."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.model import AccountId
from bridge.store.base import ReadWork
from bridge.store.remote import RemoteId
from bridge.store.sql.drive import drive
from bridge.store.sql.transaction import SqlTransaction
from bridge.store.sqlite import SqliteStore
from bridge.store.sqlite.connection import FILE_NAME, connect
from bridge.store.sqlite.engine import SqliteEngine

MINE = AccountId(1)
SOME = [RemoteId(number) for number in (1, 2, 4, 7)]
NAMES = [b"1", b"2", b"none"]
READS: dict[str, ReadWork[Any]] = {
    "the first text that is owed": lambda tx: tx.oldest_bodiless(MINE, 1),
    "texts by worth": lambda tx: tx.remote_without_body(MINE, 25),
    "texts that confirm": lambda tx: tx.remote_without_body(MINE, 25, confirming=True),
    "rows to judge": lambda tx: tx.remote_unjudged(MINE, 25),
    "rows to show": lambda tx: tx.remote_to_show(MINE, 25),
    "texts besides some": lambda tx: tx.remote_without_body(MINE, 25, besides=SOME),
    "rows of a page": lambda tx: tx.places_of(MINE, [b"name"]),
    "rows of many names": lambda tx: tx.places_of(MINE, NAMES),
    "names of rows that left": lambda tx: tx.gone_names(MINE, NAMES),
    "rows between two": lambda tx: tx.places_between(MINE, 1.0, 2.0, 25),
    "the next row": lambda tx: tx.rank_beside(MINE, 1.0, newer=True),
    "the last turn": lambda tx: tx.last_turn(MINE),
    "a row": lambda tx: tx.remote_row(RemoteId(1)),
    "some rows": lambda tx: tx.remotes_of(SOME),
    "what was being read": lambda tx: tx.readings(SOME),
    "alarms of a kind": lambda tx: tx.alarm_keys(MINE, "quota", ""),
    "an alarm": lambda tx: tx.alarm(MINE, "quota", "80"),
}


ROWS = """
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO remote (account, fingerprint, api_id, raw, sender, recipient, date_text, subject,
    first_seen, rank, worth, body_sha256)
SELECT 1, CAST(i AS BLOB), i, '', '', '', '', '', i, i, 4, iif(i % 2, NULL, x'00') FROM n
"""
"""Rows whose texts are here, or are owed to nobody."""

ALARMS = """
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO alarm (account, kind, key, text, raised_at) SELECT 1, 'failure', i, '', i FROM n
"""


async def _cost(folder: Path, count: int, read: ReadWork[Any]) -> int:
    """Return how many instructions of SQLite's a read takes where there are ``count`` of all."""
    store = await SqliteStore.open(folder)
    await store.write(lambda tx: tx.add_account("a@pec.invalid"))
    await store.close()
    connection = connect(folder / FILE_NAME, read_only=False)
    for statement in (ROWS, ALARMS):
        connection.execute(statement, (count,))
    cost = 0

    def step() -> None:
        nonlocal cost
        cost += 1

    connection.set_progress_handler(step, 1)
    drive(read(SqlTransaction(SqliteEngine(connection))))
    connection.close()
    return cost


@pytest.mark.parametrize("read", READS.values(), ids=READS)
async def test_what_each_look_reads_costs_the_same_among_many(
    tmp_path: Path, read: ReadWork[Any]
) -> None:
    few = await _cost(tmp_path / "few", 100, read)
    assert 0 < await _cost(tmp_path / "many", 2_000, read) <= 2 * few
