"""What was taken away under a running store is not written to any more."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from bridge.store.base import StoreFailed
from bridge.store.sqlite import SqliteStore
from bridge.store.sqlite.connection import FILE_NAME

pytestmark = pytest.mark.skipif(os.name == "nt", reason="open files cannot be taken away there")


@pytest.mark.parametrize("what", ["", "-wal"], ids=["database", "wal"])
@pytest.mark.parametrize("how", ["gone", "replaced"])
async def test_nothing_is_kept_where_the_next_start_would_not_look(
    tmp_path: Path, what: str, how: str
) -> None:
    store = await SqliteStore.open(tmp_path)
    await store.write(lambda tx: tx.add_account("a@pec.example"))
    path, away = tmp_path / f"{FILE_NAME}{what}", tmp_path / "away"
    path.rename(away)
    if how == "replaced":
        shutil.copy(away, path)
    with pytest.raises(StoreFailed, match="taken away or replaced"):
        await store.write(lambda tx: tx.add_account("b@pec.example"))
    assert "taken away or replaced" in (store.failing or "")
    away.rename(path)  # put back in time: it goes on
    await store.write(lambda tx: tx.add_account("c@pec.example"))
    assert store.failing is None
    await store.close()
    again = await SqliteStore.open(tmp_path)
    assert await again.read(lambda tx: tx.account("c@pec.example")) is not None
    assert await again.read(lambda tx: tx.account("b@pec.example")) is None
    await again.close()
