from __future__ import annotations

import contextlib
from pathlib import Path

from bridge.store.postgres import PostgresStore
from bridge.store.postgres.connection import connect, conninfo_of
from bridge.store.postgres.statistics import FEW_ROWS, refresh
from tests.cluster import Cluster


async def test_a_table_gets_statistics_as_often_as_it_has_doubled(
    server: Cluster, database: str, tmp_path: Path
) -> None:
    def add(count: int) -> None:
        connection.execute(
            "INSERT INTO account (address) SELECT gen_random_uuid()::text"
            f" FROM generate_series(1, {count})"
        )
        connection.execute("SELECT pg_stat_force_next_flush()")

    await (await PostgresStore.open(server.url(database), tmp_path)).close()
    with contextlib.closing(connect(conninfo_of(server.url(database)))) as connection:
        add(FEW_ROWS)
        assert refresh(connection) == []
        add(FEW_ROWS)
        assert refresh(connection) == ["account"]
        assert refresh(connection) == []
        add(FEW_ROWS * 2)
        assert refresh(connection) == []
        add(1)
        assert refresh(connection) == ["account"]
    planned = server.run("EXPLAIN SELECT 1 FROM account WHERE lower(address) = 'a'", database)
    assert "account_address" in str(planned)
