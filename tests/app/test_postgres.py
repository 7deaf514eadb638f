"""A whole bridge whose data are in PostgreSQL."""

from __future__ import annotations

import asyncio
import smtplib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.app.database import DataPlace, in_a_file, looked_through, open_store, place_of
from bridge.app.held import HeldStore
from bridge.app.look import look
from bridge.app.purge import left_of, purge
from bridge.clock import SystemClock
from bridge.config import Config, Database, SecretSource
from bridge.credentials import Secret
from bridge.lead.fenced import TermOver
from bridge.lead.leadership import BEAT_S, AnotherLeads
from bridge.operations.control import OperationFailed, ask
from bridge.store.base import StoreFailed, Transaction
from bridge.store.sqlite.look import is_there
from tests import cluster
from tests.running import ADDRESS, Running, apart, eventually, running, settings, simulated
from tests.stores import DATABASES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(cluster.missing() is not None, reason=str(cluster.missing())),
]
URL = SecretSource(env="UNUSED")


def on_postgres(config: Config) -> Config:
    return replace(config, store=Database(URL))


@pytest.fixture
async def place(tmp_path: Path) -> DataPlace:
    return DataPlace(tmp_path, Secret(await DATABASES.made(tmp_path)))


async def subjects(bridge: Running) -> list[bytes]:
    """Return the subjects in INBOX."""

    def read() -> list[bytes]:
        client = bridge.imap()
        client.select("INBOX", readonly=True)
        _, found = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        client.logout()
        return [one[1].strip() for one in found if isinstance(one, tuple)]

    return await apart(read)


async def delivered(data_dir: Path, sends: int) -> None:
    async def are() -> bool:
        found = await ask(data_dir, "receipts list", {})
        states = [one["state"] for send in found for one in send["recipients"]]
        return states == ["delivered"] * sends

    await eventually(are)


async def test_it_sends_receives_and_goes_on_after_a_restart(place: DataPlace) -> None:
    simulator = simulated(messages=3)
    data_dir = place.data_dir
    async with running(data_dir, simulator, change=on_postgres) as bridge:
        await apart(bridge.submit, "First", ADDRESS)
        await delivered(data_dir, 1)
        before = await subjects(bridge)
    async with running(data_dir, simulator, change=on_postgres) as bridge:
        assert (await subjects(bridge))[: len(before)] == before
        await apart(bridge.submit, "Second", ADDRESS)
        await delivered(data_dir, 2)
        facts = await ask(data_dir, "status", {})
        assert facts["running"]
    assert not is_there(data_dir)


async def test_while_the_database_is_gone_it_says_so_and_then_goes_on(place: DataPlace) -> None:
    simulator = simulated(messages=1)
    async with running(place.data_dir, simulator, change=on_postgres) as bridge:
        await apart(bridge.submit, "First", ADDRESS)
        client = await apart(bridge.imap)
        server = DATABASES.server
        await asyncio.to_thread(server.stop)
        try:
            with pytest.raises(smtplib.SMTPResponseException) as refusal:
                await apart(bridge.submit, "Second", ADDRESS)
            assert refusal.value.smtp_code == 451
            assert (await apart(lambda: client.status("INBOX", "(MESSAGES)")))[0] in ("NO", "OK")
        finally:
            await asyncio.to_thread(server.start)
        assert (await apart(lambda: client.select("INBOX")))[0] == "OK"
        await apart(client.logout)
        await apart(bridge.submit, "Second", ADDRESS)
        await delivered(place.data_dir, 2)


async def test_a_second_bridge_on_the_database_does_not_begin(
    place: DataPlace, tmp_path: Path
) -> None:
    elsewhere = DataPlace(tmp_path / "elsewhere", place.url)
    elsewhere.data_dir.mkdir()
    async with running(place.data_dir, simulated(), change=on_postgres) as bridge:
        with pytest.raises(AnotherLeads, match=str(place.data_dir)):
            await HeldStore.open(elsewhere, SystemClock())
        await apart(bridge.submit, "First", ADDRESS)
    held = await HeldStore.open(elsewhere, SystemClock())  # the first has ended
    await held.close()


async def test_a_bridge_whose_database_was_taken_over_takes_nothing_and_ends(
    place: DataPlace,
) -> None:
    async def take(tx: Transaction) -> int:
        return await tx.take_lead("another")

    async with running(place.data_dir, simulated(), change=on_postgres) as bridge:
        store = await open_store(place)
        await store.write(take)
        await store.close()
        with pytest.raises(smtplib.SMTPResponseException) as refusal:
            await apart(bridge.submit, "First", ADDRESS)
        assert refusal.value.smtp_code == 451
        with pytest.raises(TermOver):
            await asyncio.wait_for(bridge.bridge.wait(), 3 * BEAT_S)


async def test_it_is_looked_at_and_purged_while_no_bridge_runs(place: DataPlace) -> None:
    config = on_postgres(settings(place.data_dir))
    empty = await look(config, SystemClock(), place)
    assert (empty["store"], empty["queue"]) == (None, {})
    simulator = simulated()
    async with running(place.data_dir, simulator, change=on_postgres) as bridge:
        await apart(bridge.submit, "First", ADDRESS)
        await delivered(place.data_dir, 1)
    facts = await look(config, SystemClock(), place)
    assert (facts["running"], facts["store"]) == (False, None)
    assert facts["queue"] == {"submitted": 1}
    said = await asyncio.to_thread(looked_through, place)
    assert said is not None
    assert "PostgreSQL" in said
    assert (await left_of(place, ADDRESS))["sends"] == 1
    await purge(place, ADDRESS)
    with pytest.raises(OperationFailed, match=ADDRESS):
        await left_of(place, ADDRESS)


def test_what_copies_a_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OperationFailed, match="pg_dump"):
        in_a_file(on_postgres(settings(tmp_path)), "backup")


def test_a_url_that_was_not_found_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not resolved"):
        place_of(on_postgres(settings(tmp_path)), None)


async def test_a_missing_part_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "bridge.store.postgres")
    monkeypatch.setattr("bridge.store.postgres", None, raising=False)
    monkeypatch.delattr("bridge.store.postgres")
    monkeypatch.setitem(sys.modules, "bridge.store.postgres", None)
    with pytest.raises(StoreFailed, match=r"pip install 'pec-bridge\[postgres\]'"):
        await asyncio.to_thread(looked_through, DataPlace(tmp_path, Secret("postgresql:///x")))
