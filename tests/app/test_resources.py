from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.api.purpose import Purpose
from bridge.app.count import StoredCount
from bridge.app.lock import DataLock, Locked
from bridge.app.resources import Resources
from bridge.credentials import AccountSecrets, Secret, Secrets
from bridge.model import AccountId
from bridge.store.base import StoreFailed
from bridge.store.sqlite.connection import FILE_NAME
from tests.fakes import FakeClock
from tests.running import ADDRESS, settings

SECRETS = Secrets(Secret("token"), (AccountSecrets(Secret("pw"), Secret("local")),))


async def test_it_holds_the_data_until_it_is_closed(tmp_path: Path, clock: FakeClock) -> None:
    resources = await Resources.open(settings(tmp_path), None, clock=clock)
    with pytest.raises(Locked):
        await Resources.open(settings(tmp_path), None, clock=clock)
    await resources.close()
    DataLock(tmp_path).release()


async def test_a_store_that_cannot_be_opened_gives_the_lock_back(
    tmp_path: Path, clock: FakeClock
) -> None:
    (tmp_path / FILE_NAME).write_text("not a database, and longer than its header is " * 50)
    with pytest.raises(StoreFailed, match=FILE_NAME):
        await Resources.open(settings(tmp_path), None, clock=clock)
    DataLock(tmp_path).release()


async def test_accounts_keep_their_ids_and_have_clients_only_with_secrets(
    tmp_path: Path, clock: FakeClock
) -> None:
    without = await Resources.open(settings(tmp_path), None, clock=clock)
    await without.close()
    resources = await Resources.open(settings(tmp_path), SECRETS, clock=clock)
    await resources.close()
    assert without.addresses == resources.addresses
    assert list(resources.addresses.values()) == [ADDRESS]
    assert without.clients == {}
    assert list(resources.clients) == list(resources.addresses)
    assert "pw" not in repr(resources.accounts)


async def test_the_day_s_budget_outlives_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    config = settings(tmp_path)
    config = dataclasses.replace(
        config, sync=dataclasses.replace(config.sync, request_budget_per_day=100)
    )
    resources = await Resources.open(config, SECRETS, clock=clock)
    for _ in range(15):
        await resources.accounts[0].budget.spend(Purpose.LOOK)
    await resources.accounts[0].budget.spend(Purpose.BODY)
    await resources.close()
    resources = await Resources.open(config, SECRETS, clock=clock)
    use = await resources.accounts[0].budget.use()
    assert 15 <= use.made[Purpose.LOOK] <= 20
    assert 1 <= use.made[Purpose.BODY] <= 5
    await clock.advance(24 * 3600)
    assert (await resources.accounts[0].budget.use()).remaining == 100
    await resources.close()


class Failing:
    """A store whose medium failed."""

    async def read(self, work: object) -> Any:
        raise StoreFailed("disk I/O error")

    write = read


async def test_a_count_that_cannot_be_kept_stops_nobody() -> None:
    count = StoredCount(Failing(), AccountId(1))  # type: ignore[arg-type]
    with capture_logs() as logs:
        assert await count.load(date(2026, 1, 15)) == {}
        await count.save(date(2026, 1, 15), "look", 7)
    assert [one["log_level"] for one in logs] == ["warning", "warning"]
    assert all(one["reason"] == "disk I/O error" for one in logs)
