"""Two bridges on one store, each with a folder and a mark of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.mailbox import Mailboxes
from bridge.outbox.lineage import (
    ALONE,
    BEHIND,
    BEYOND,
    FOREIGN,
    MOVED,
    Lineage,
    PutBack,
    fault_of,
)
from bridge.store.base import Store, Transaction
from bridge.store.sql.lineage import SqlLineage
from tests.fakes import FakeClock
from tests.stores import open_store


class Two:
    """A store, and the folders of two bridges."""

    def __init__(self, store: Store, clock: FakeClock, folder: Path) -> None:
        self.store = store
        self.clock = clock
        self.mailboxes = Mailboxes(store, clock)
        self.one, self.other = folder / "one", folder / "other"
        self.one.mkdir()
        self.other.mkdir()

    async def opened(self, folder: Path) -> tuple[Lineage, str | None]:
        """Begin to lead; say what was found to be wrong."""
        with capture_logs() as logs:
            lineage = await Lineage.open(self.mailboxes, self.clock, folder)
        faults = [one["reason"] for one in logs if one["event"] == "lineage_broken"]
        return lineage, faults[0] if faults else None

    async def joined(self, folder: Path) -> Lineage:
        return await Lineage.join(self.mailboxes, self.clock, folder)

    async def knows(self, folder: Path) -> bool:
        return await fault_of(self.store, folder) is None

    async def put_back(self, count: int) -> None:
        """Let the store be as it was ``count`` counts ago."""

        async def work(tx: Transaction) -> None:
            row = await tx.lineage()
            assert row is not None
            await tx.keep_lineage(replace(row, dispatches=row.dispatches - count))

        await self.store.write(work)


@pytest.fixture
async def two(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Two]:
    store = await open_store(tmp_path / "data")
    yield Two(store, clock, tmp_path)
    await store.close()


async def test_one_that_follows_leads_when_the_first_has_gone(two: Two) -> None:
    first, fault = await two.opened(two.one)
    second = await two.joined(two.other)
    for _ in range(3):
        await first.tick()
    await second.keep_in_step(leads=False)
    await second.lead()
    await second.tick()
    assert fault is None
    assert await two.knows(two.other)
    assert (await two.opened(two.other))[1] is None


async def test_who_heard_of_all_that_was_counted_may_begin(two: Two) -> None:
    first, _ = await two.opened(two.one)
    second = await two.joined(two.other)
    await first.tick()
    await second.keep_in_step(leads=False)
    assert await two.knows(two.other)
    assert (await two.opened(two.other))[1] is None
    assert (await two.opened(two.one))[1] == BEYOND, "the other led meanwhile"


async def test_who_did_not_hear_of_all_holds_what_waits(two: Two) -> None:
    first, _ = await two.opened(two.one)
    await two.joined(two.other)
    await first.tick()
    assert not await two.knows(two.other)
    assert await two.knows(two.one)
    assert (await two.opened(two.other))[1] == BEYOND


async def test_a_newcomer_joins_and_does_not_begin(two: Two) -> None:
    await two.opened(two.one)
    assert not await two.knows(two.other)
    await two.joined(two.other)
    assert await two.knows(two.other)
    assert await two.knows(two.one), "its own led last"
    (two.other / "pec-bridge.mark").unlink()
    assert (await two.opened(two.other))[1] == ALONE


async def test_one_whose_folder_is_new_joins_again(two: Two) -> None:
    await two.opened(two.one)
    await two.joined(two.other)
    path = two.other / "pec-bridge.mark"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    assert not await two.knows(two.other)
    await two.joined(two.other)
    assert path.read_bytes()[:32] != content[:32]
    assert await two.knows(two.other)


async def test_a_store_that_is_put_back_under_bridges_that_run_is_noticed(two: Two) -> None:
    first, _ = await two.opened(two.one)
    second = await two.joined(two.other)
    await first.keep_in_step(leads=True)
    await two.put_back(1)
    for attempt in (
        first.keep_in_step(leads=True),
        second.keep_in_step(leads=False),
        second.lead(),
        two.joined(two.other),
    ):
        with pytest.raises(PutBack, match=BEHIND):
            await attempt


async def test_a_store_that_began_anew_is_noticed(two: Two) -> None:
    first, _ = await two.opened(two.one)
    await two.opened(two.other)
    with pytest.raises(PutBack, match=FOREIGN):
        await first.keep_in_step(leads=True)


async def test_a_database_that_was_put_back_is_led_by_nobody_who_knew_another(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def elsewhere(_area: SqlLineage) -> str:
        return "elsewhere"

    first, _ = await two.opened(two.one)
    second = await two.joined(two.other)
    with monkeypatch.context() as patched:
        patched.setattr(SqlLineage, "origin", elsewhere)
        with pytest.raises(PutBack, match=MOVED):
            await second.lead()
        await first.keep_in_step(leads=True)  # a standby took over: nothing is missing
        await second.lead()
    await second.beat()
    monkeypatch.setattr(SqlLineage, "origin", elsewhere)
    await second.beat()
    monkeypatch.undo()
    assert (await two.opened(two.other))[1] == MOVED


async def test_one_that_comes_while_the_first_is_making_the_store_waits(
    two: Two, clock: FakeClock
) -> None:
    joining = asyncio.ensure_future(two.joined(two.other))
    await clock.advance(2.0)
    assert not joining.done()
    await two.opened(two.one)
    await clock.advance(2.0)
    await joining
    assert await two.knows(two.other)
