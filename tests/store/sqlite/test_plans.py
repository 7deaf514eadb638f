"""By which index SQLite finds what each submission asks for, however much was sent before it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from bridge.model import AccountId, MailboxId, SubmissionState
from bridge.store.base import ReadWork
from bridge.store.sqlite import SqliteStore
from bridge.store.sqlite.connection import FILE_NAME
from bridge.store.sqlite.engine import SqliteEngine
from tests.store.made import NOW

ACCOUNT = AccountId(1)
QUEUED = SubmissionState.QUEUED
LOOKS: dict[str, tuple[ReadWork[object], str]] = {
    "a claim": (lambda tx: tx.claimed_submissions(ACCOUNT), "sqlite_autoindex_submission_1"),
    "the next": (lambda tx: tx.first_submission(ACCOUNT, frozenset({QUEUED})), "submission_state"),
    "a state": (
        lambda tx: tx.submissions(account=ACCOUNT, state=QUEUED, limit=9),
        "submission_counted_by_state",
    ),
    "a kin": (lambda tx: tx.submission_kin(ACCOUNT, b"k", b"f", NOW), "submission_kinship"),
    "a twin": (lambda tx: tx.submission_twin(ACCOUNT, b"f", NOW), "submission_fingerprint"),
    "a Message-ID": (
        lambda tx: tx.identified(MailboxId(1), "<a@b>", 9),
        "content_by_identification",
    ),
}


async def asked_by(
    look: ReadWork[object], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Sequence[object]]:
    """Return the statement and the values that a look gives SQLite; make the store for it."""
    asked: list[tuple[str, Sequence[object]]] = []

    def row(_: SqliteEngine, statement: str, values: Sequence[object]) -> None:
        asked.append((statement, values))

    def rows(engine: SqliteEngine, statement: str, values: Sequence[object]) -> list[object]:
        row(engine, statement, values)
        return []

    store = await SqliteStore.open(folder)
    with monkeypatch.context() as patch:
        patch.setattr(SqliteEngine, "row", row)
        patch.setattr(SqliteEngine, "rows", rows)
        await store.read(look)
    await store.close()
    return asked[0]


@pytest.mark.parametrize(("look", "index"), LOOKS.values(), ids=LOOKS.keys())
async def test_the_first_table_is_searched_by_its_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: ReadWork[object], index: str
) -> None:
    statement, values = await asked_by(look, tmp_path, monkeypatch)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    assert f"INDEX {index} (" in plan[0][3], plan


@pytest.mark.parametrize("look", [look for look, _ in LOOKS.values()], ids=LOOKS.keys())
async def test_other_values_need_no_other_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: ReadWork[object]
) -> None:
    statement, values = await asked_by(look, tmp_path, monkeypatch)
    planned: list[object] = []

    def seen(*what: object) -> int:  # is asked whenever a statement is planned
        planned.append(what)
        return sqlite3.SQLITE_OK

    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.set_authorizer(seen)
        connection.execute(statement, values).fetchall()
        assert planned
        planned.clear()
        others = [
            value + 1 if isinstance(value, int) else bytes(8) if isinstance(value, bytes) else value
            for value in values
        ]
        connection.execute(statement, others).fetchall()
    assert planned == []
