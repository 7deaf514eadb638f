"""By which index SQLite finds what each submission asks for, however much was sent before it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from bridge.model import AccountId, MailboxId
from bridge.store.base import ReadWork
from bridge.store.sqlite import SqliteStore
from bridge.store.sqlite.connection import FILE_NAME
from bridge.store.sqlite.engine import SqliteEngine
from tests.store.made import NOW

ACCOUNT = AccountId(1)
LOOKS: dict[str, tuple[ReadWork[object], str]] = {
    "a kin": (lambda tx: tx.submission_kin(ACCOUNT, b"k", b"f", NOW), "submission_kinship"),
    "a twin": (lambda tx: tx.submission_twin(ACCOUNT, b"f", NOW), "submission_fingerprint"),
    "a Message-ID": (
        lambda tx: tx.identified(MailboxId(1), "<a@b>", 9),
        "content_by_identification",
    ),
}


@pytest.mark.parametrize(("look", "index"), LOOKS.values(), ids=LOOKS.keys())
async def test_the_first_table_is_searched_by_its_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: ReadWork[object], index: str
) -> None:
    asked: list[tuple[str, Sequence[object]]] = []

    def row(_: SqliteEngine, statement: str, values: Sequence[object]) -> None:
        asked.append((statement, values))

    def rows(engine: SqliteEngine, statement: str, values: Sequence[object]) -> list[object]:
        row(engine, statement, values)
        return []

    store = await SqliteStore.open(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(SqliteEngine, "row", row)
        patch.setattr(SqliteEngine, "rows", rows)
        await store.read(look)
    await store.close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        ((statement, values),) = asked
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    assert f"INDEX {index} (" in plan[0][3], plan
