from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bridge.store.postgres import PostgresStore
from tests import cluster
from tests.store.postgres.proxy import Proxy


@pytest.fixture(scope="session")
def server() -> Iterator[cluster.Cluster]:
    """A server that tests may end and start again."""
    if reason := cluster.missing():
        pytest.skip(reason)
    yield from cluster.running()


@pytest.fixture
def database(server: cluster.Cluster) -> Iterator[str]:
    name = server.new_database()
    yield name
    server.drop(name)


@pytest.fixture
async def proxy(server: cluster.Cluster, tmp_path: Path) -> AsyncIterator[Proxy]:
    proxy = Proxy(tmp_path, server.folder)
    await proxy.start()
    yield proxy
    await proxy.close()


@pytest.fixture
async def distant(proxy: Proxy, database: str, tmp_path: Path) -> AsyncIterator[PostgresStore]:
    """A store behind the proxy."""
    url = f"postgresql://bridge@/{database}?host={tmp_path}"
    store = await PostgresStore.open(url, tmp_path)
    yield store
    await store.close()
