from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bridge.app.timeofday import TimeOfDay
from bridge.mailbox import Mailboxes
from bridge.store.base import ReadTransaction
from bridge.store.sqlite import SqliteStore
from tests.fakes import FakeClock


async def test_a_wrong_clock_is_an_alarm_until_it_is_right(tmp_path: Path) -> None:
    store, clock = await SqliteStore.open(tmp_path), FakeClock()
    mailboxes = Mailboxes(store, clock)
    await mailboxes.open_account("a@pec.example")
    watch = TimeOfDay(mailboxes, clock)

    async def texts() -> list[str]:
        async def work(tx: ReadTransaction) -> list[str]:
            return [alarm.text for alarm in await tx.alarms() if alarm.kind == "clock"]

        await watch.look()
        return await store.read(work)

    assert await texts() == [], "nobody was heard"
    clock.heard(clock.now() - timedelta(minutes=75))
    assert await texts() == [], "one odd answer tells nothing"
    assert await texts() == ["Orologio errato / Wrong clock: 1 h 15 min"]
    clock.heard(clock.now())
    await texts()
    assert await texts() == []
    clock.heard(clock.now() - timedelta(minutes=75))
    await texts()
    clock.heard(clock.now())
    assert await texts() == []
    await store.close()
