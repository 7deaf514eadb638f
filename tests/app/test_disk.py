"""An alarm before the disk is full, in each account, that ends with its cause."""

from __future__ import annotations

from pathlib import Path

from bridge.app.disk import LOW_BYTES, DiskSpace
from bridge.mailbox import Mailboxes
from bridge.operations.control import ask
from bridge.store.base import ReadTransaction
from bridge.store.sqlite import SqliteStore
from tests.fakes import FakeClock
from tests.running import running, simulated

HUGE = 10**12


async def test_it_comes_before_the_disk_is_full_and_ends_with_it(tmp_path: Path) -> None:
    store, clock = await SqliteStore.open(tmp_path), FakeClock()
    mailboxes = Mailboxes(store, clock)
    for address in ("a@pec.example", "b@pec.example"):
        await mailboxes.open_account(address)
    left = {"bytes": LOW_BYTES}
    space = DiskSpace(mailboxes, clock, tmp_path, lambda _folder: (HUGE, left["bytes"]))

    async def raised(free_bytes: int) -> list[str]:
        left["bytes"] = free_bytes
        await space.look()

        async def work(tx: ReadTransaction) -> list[str]:
            return [alarm.kind for alarm in await tx.alarms()]

        return await store.read(work)

    assert await raised(LOW_BYTES) == []
    assert await raised(LOW_BYTES - 1) == ["disk", "disk"]
    assert await raised(LOW_BYTES // 2) == ["disk", "disk"]
    assert await raised(LOW_BYTES + 1) == ["disk", "disk"], "not with every message that goes"
    assert await raised(2 * LOW_BYTES) == []
    await store.close()


async def test_an_alarm_of_the_last_run_ends_too(tmp_path: Path) -> None:
    store, clock = await SqliteStore.open(tmp_path), FakeClock()
    mailboxes = Mailboxes(store, clock)
    await mailboxes.open_account("a@pec.example")
    await DiskSpace(mailboxes, clock, tmp_path, lambda _folder: (HUGE, 0)).look()
    await DiskSpace(mailboxes, clock, tmp_path, lambda _folder: (HUGE, 10 * LOW_BYTES)).look()

    async def work(tx: ReadTransaction) -> int:
        return len(await tx.alarms())

    assert await store.read(work) == 0
    await store.close()


async def test_status_says_that_nothing_can_be_kept(tmp_path: Path) -> None:
    """As on a disk that is full or can only be read: the alarm itself could not be kept."""
    async with running(tmp_path, simulated()) as bridge:
        assert (await ask(tmp_path, "status", {}))["store"] is None
        path = tmp_path / "pec-bridge.sqlite"
        path.rename(tmp_path / "away")
        try:
            await ask(tmp_path, "queue pause", {})
        except Exception as error:
            assert "taken away or replaced" in str(error)  # noqa: PT017 - and then it is told
        status = await ask(tmp_path, "status", {})
        assert "taken away or replaced" in status["store"]
        assert (await bridge.bridge.standing()).startswith("Nothing can be kept: ")
        (tmp_path / "away").rename(path)


async def test_a_small_disk_may_be_fuller(tmp_path: Path) -> None:
    store, clock = await SqliteStore.open(tmp_path), FakeClock()
    mailboxes = Mailboxes(store, clock)
    await mailboxes.open_account("a@pec.example")
    await DiskSpace(mailboxes, clock, tmp_path, lambda _folder: (LOW_BYTES, LOW_BYTES // 9)).look()

    async def work(tx: ReadTransaction) -> int:
        return len(await tx.alarms())

    assert await store.read(work) == 0
    await store.close()
