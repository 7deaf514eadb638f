"""Stores for tests, of either backend.

What a test opens by ``open_store`` is SQLite's, or PostgreSQL's where ``TEST_STORE`` in the
environment says ``postgres``: so whatever is tested above the store can be tested on both.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.store.base import Store
from bridge.store.postgres import PostgresStore
from bridge.store.sqlite import SqliteStore
from tests import cluster

BACKENDS = ("sqlite", "postgres")
CHOSEN = os.environ.get("TEST_STORE", "sqlite")


class Databases:
    """Databases for folders: a folder that is opened again has the one it had."""

    def __init__(self) -> None:
        self._cluster: cluster.Cluster | None = None
        self._of: dict[Path, str] = {}
        self._template = ""

    def url(self, data_dir: Path) -> str:
        """Return a folder's database; a new one has the newest schema already."""
        if reason := cluster.missing():
            pytest.skip(reason)
        if self._cluster is None:
            self._cluster = cluster.Cluster()
            self._cluster.start()
        if data_dir not in self._of:
            self._of[data_dir] = self._cluster.new_database(self._template or "template0")
        return self._cluster.url(self._of[data_dir])

    async def open(self, data_dir: Path) -> Store:
        """Open a folder's store in PostgreSQL."""
        os.makedirs(data_dir, mode=0o700, exist_ok=True)
        return await PostgresStore.open(await self.made(data_dir), data_dir)

    async def made(self, data_dir: Path) -> str:
        """Return the URL of a folder's database, which has its tables."""
        if not self._template:
            first = Path("template")
            await (await PostgresStore.open(self.url(first), first)).close()
            self._template = self._of.pop(first)
        return self.url(data_dir)

    @property
    def server(self) -> cluster.Cluster:
        """The server, once a database was asked for."""
        assert self._cluster is not None
        return self._cluster

    def drop(self) -> None:
        """Take away every database that a folder has."""
        for name in self._of.values():
            assert self._cluster is not None
            self._cluster.drop(name)
        self._of.clear()

    def remove(self) -> None:
        """End the server, if there is one."""
        if self._cluster is not None:
            self._cluster.remove()
            self._cluster = None
            self._of.clear()
            self._template = ""


DATABASES = Databases()
"""Of this process; the root's conftest empties it after each test and ends it with the last."""


async def open_store(data_dir: Path, backend: str = CHOSEN) -> Store:
    """Open or make a folder's store."""
    if backend == "postgres":
        return await DATABASES.open(data_dir)
    return await SqliteStore.open(data_dir)
