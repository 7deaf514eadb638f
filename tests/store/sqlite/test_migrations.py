from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bridge.language import in_italian
from bridge.store.base import StoreFailed
from bridge.store.sqlite import SqliteStore, migrations
from bridge.store.sqlite.connection import FILE_NAME
from bridge.store.sqlite.look import StoreLook


def schema(connection: sqlite3.Connection) -> list[tuple[str, ...]]:
    return connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall()


@pytest.fixture
def connection(tmp_path: Path) -> sqlite3.Connection:
    return sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)


def test_a_new_file_gets_every_step(connection: sqlite3.Connection) -> None:
    migrations.migrate(connection)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(migrations.STEPS),)
    connection.close()


def test_a_second_run_changes_nothing(connection: sqlite3.Connection) -> None:
    migrations.migrate(connection)
    before = schema(connection)
    migrations.migrate(connection)
    assert schema(connection) == before
    connection.close()


@pytest.mark.parametrize("seen", range(len(migrations.STEPS)))
def test_a_file_of_any_earlier_version_ends_like_a_new_one(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, seen: int
) -> None:
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    migrations.migrate(fresh)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", migrations.STEPS[:seen])
        migrations.migrate(connection)
    migrations.migrate(connection)
    assert schema(connection) == schema(fresh)
    connection.close()
    fresh.close()


def test_a_step_that_fails_leaves_the_version_before_it(
    connection: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (*migrations.STEPS, "CREATE TABLE half (a); CREATE TABLE half (a);")
    monkeypatch.setattr(migrations, "STEPS", broken)
    with pytest.raises(sqlite3.OperationalError):
        migrations.migrate(connection)
    connection.close()
    again = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    assert again.execute("PRAGMA user_version").fetchone() == (len(broken) - 1,)
    assert not [name for _, name, _ in schema(again) if name == "half"]
    again.close()


async def test_a_newer_file_is_refused_untouched(tmp_path: Path) -> None:
    newer = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    newer.execute("CREATE TABLE of_the_future (a)")
    newer.execute(f"PRAGMA user_version = {len(migrations.STEPS) + 1}")
    before = schema(newer)
    with pytest.raises(StoreFailed, match="newer pec-bridge") as refused:
        await SqliteStore.open(tmp_path)
    assert "un pec-bridge più recente" in in_italian(refused.value.args[0])
    with pytest.raises(StoreFailed, match="newer pec-bridge") as unseen:
        StoreLook(tmp_path)
    assert "un pec-bridge più recente" in in_italian(unseen.value.args[0])
    assert schema(newer) == before
    newer.close()


def test_codes_that_were_claimed_and_who_accepted_are_taken_over(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", migrations.STEPS[:3])
        migrations.migrate(connection)
    connection.execute("PRAGMA foreign_keys = OFF")
    for id, old, reason in (
        ("answered", "dispatching", ""),
        ("found", "uncertain", "its acceptance was found in the inbox"),
        ("said", "uncertain", "resolved by a person"),
    ):
        connection.execute(
            "INSERT INTO submission (id, account, state, message_id, subject, recipients,"
            " recipient_count, content, fingerprint, code, created_at, updated_at)"
            " VALUES (?, 1, 'submitted', '', '', '[]', 1, 1, x'', ?, 0, 0)",
            (id, f"2026{id}"),
        )
        connection.execute(
            "INSERT INTO transition (submission, at, old, new, reason)"
            " VALUES (?, 0, ?, 'submitted', ?)",
            (id, old, reason),
        )
    senders = {
        "answered": ['"Posta-Certificata@Own.example" ', "posta-certificata@x, m@y.example"],
        "found": ["posta-certificata@guessed.example"],
        "said": ["posta-certificata@said.example"],
    }
    number = 0
    for id, each in senders.items():
        for sender in each:
            number += 1
            connection.execute(
                "INSERT INTO remote (id, account, fingerprint, api_id, raw, sender, recipient,"
                " date_text, subject, first_seen, rank, code) VALUES"
                " (?, 1, x'', '', '', ?, '', '', '', 0, 0, ?)",
                (number, sender, f"2026{id}"),
            )
            connection.execute(
                "INSERT INTO receipt VALUES (?, ?, 'acceptance', 0, '[]', '', '[]')", (number, id)
            )
    migrations.migrate(connection)
    claims = connection.execute("SELECT submission, basis FROM code_claim ORDER BY 1").fetchall()
    assert claims == [("found", "evidence"), ("said", "word")]
    issuers = connection.execute("SELECT address FROM issuer").fetchall()
    assert issuers == [("posta-certificata@own.example",)]
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("DELETE FROM remote")
    assert connection.execute("SELECT count(*) FROM receipt").fetchone() == (number,)
    connection.close()
