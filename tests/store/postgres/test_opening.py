"""What a store is opened with, and which databases are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from bridge.store import mark
from bridge.store.base import StoreFailed
from bridge.store.lineage import LineageRow, MarkRow
from bridge.store.postgres import PostgresStore, migrations
from bridge.store.postgres.connection import conninfo_of, name_of
from tests.cluster import Cluster


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://u:p@db.example/bridge", "verify-full"),
        ("postgresql://u:p@db.example/bridge?sslmode=verify-ca&sslrootcert=/ca.pem", "verify-ca"),
        ("postgresql://u@one.example,two.example/bridge", "verify-full"),
        ("postgresql://u@localhost/bridge", None),
        ("postgresql:///bridge", None),
        ("postgresql:///bridge?host=/run/postgresql", None),
    ],
)
def test_over_a_network_the_server_has_to_prove_itself(url: str, mode: str | None) -> None:
    told = conninfo_to_dict(conninfo_of(url))
    assert told.get("sslmode") == mode
    assert told["target_session_attrs"] == "read-write"
    assert told["tcp_user_timeout"] == "15000"


def test_no_sentence_has_the_password() -> None:
    assert name_of("postgresql://u:secret@db.example/bridge") == "PostgreSQL (bridge at db.example)"
    with pytest.raises(StoreFailed, match="cannot be read") as fault:
        conninfo_of("postgresql://u:secret@db.example/bridge?nonsense=1")
    assert "secret" not in str(fault.value)


@pytest.mark.slow
async def test_a_newer_schema_is_refused(server: Cluster, database: str, tmp_path: Path) -> None:
    await (await PostgresStore.open(server.url(database), tmp_path)).close()
    server.run("INSERT INTO schema_step VALUES (99, now())", database)
    with pytest.raises(StoreFailed, match="newer pec-bridge"):
        await PostgresStore.open(server.url(database), tmp_path)


@pytest.mark.slow
async def test_an_empty_database_beside_a_mark_is_refused(
    server: Cluster, database: str, tmp_path: Path
) -> None:
    mark.write_mark(tmp_path, "0" * 32, 1)
    with pytest.raises(StoreFailed, match="says that there was data"):
        await PostgresStore.open(server.url(database), tmp_path)
    assert server.run("SELECT to_regclass('account') IS NULL", database) == [(True,)]


@pytest.mark.slow
async def test_a_database_without_utf8_is_refused(server: Cluster, tmp_path: Path) -> None:
    server.run(
        "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    try:
        with pytest.raises(StoreFailed, match="keeps no UTF-8"):
            await PostgresStore.open(server.url("latin"), tmp_path)
    finally:
        server.drop("latin")


async def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreFailed, match="PostgreSQL"):
        await PostgresStore.open(f"postgresql://u@/bridge?host={tmp_path}", tmp_path)


async def _origin(store: PostgresStore) -> str:
    origin: str = await store.read(lambda tx: tx.origin())
    return origin


@pytest.mark.slow
async def test_a_database_that_was_put_back_is_of_another_origin(
    server: Cluster, database: str, tmp_path: Path
) -> None:
    server.run("DO $$ BEGIN CREATE ROLE plain LOGIN; EXCEPTION WHEN OTHERS THEN END $$")
    server.run(f"ALTER DATABASE {database} OWNER TO plain; GRANT plain TO bridge")
    url = server.url(database).replace("bridge@", "plain@")
    store = await PostgresStore.open(url, tmp_path)
    before = await _origin(store)
    await store.close()
    store = await PostgresStore.open(url, tmp_path)
    assert await _origin(store) == before
    await store.close()
    server.run(f"ALTER DATABASE {database} RENAME TO {database}_old")
    server.run(f"CREATE DATABASE {database} TEMPLATE {database}_old OWNER plain")
    store = await PostgresStore.open(url, tmp_path)
    assert await _origin(store) != before
    await store.close()
    server.drop(f"{database}_old")


@pytest.mark.slow
async def test_a_database_of_an_earlier_version_keeps_its_mark(
    server: Cluster, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", migrations.STEPS[:1])
        await (await PostgresStore.open(server.url(database), tmp_path)).close()
    name = "1" * 32
    server.run(f"INSERT INTO lineage VALUES (1, '{name}', 7, 6, 77, 1000, 0)", database)
    store = await PostgresStore.open(server.url(database), tmp_path)
    row, marks = await store.read(lambda tx: tx.lineage()), await store.read(lambda tx: tx.marks())
    assert row == LineageRow(name, 7, datetime(1970, 1, 1, tzinfo=UTC), name, "")
    assert marks == (MarkRow(name, 6, 77, 1000),)
    await store.close()
