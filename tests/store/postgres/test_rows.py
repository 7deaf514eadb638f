"""Rows are read without describing their columns, which costs more than to read them."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from bridge.store.postgres import PostgresStore
from tests.cluster import Cluster

pytestmark = pytest.mark.slow


async def test_no_column_is_described(
    server: Cluster, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def described(_cursor: object) -> None:
        raise AssertionError("each column of a row was described")

    store = await PostgresStore.open(server.url(database), tmp_path)
    monkeypatch.setattr(psycopg.Cursor, "description", property(described))
    account = await store.write(lambda tx: tx.add_account("azienda@pec.example"))
    assert await store.read(lambda tx: tx.account("azienda@pec.example")) == account
    assert await store.read(lambda tx: tx.accounts()) == [account]
    await store.close()
