"""Outcomes outlive the archive, and what is told comes after the commit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bridge.mailbox import MailboxTransaction
from bridge.receipts.overdue import Overdue
from bridge.receipts.record import refresh
from bridge.simulator.wording import NetworkKind
from bridge.store.base import Transaction
from tests.receipts.rig import ADDRESS, Rig

ANNA, BRUNO = "anna@pec.example", "bruno@pec.example"


async def forget_rows(rig: Rig) -> None:
    """Let every row be deleted at the API, and its time in the archive pass."""
    now = rig.clock.now()

    async def work(tx: Transaction) -> int:
        for row in await tx.remote_rows(rig.account):
            await tx.mark_remote_gone(row.id, now)
        return await tx.drop_archived_bodies(now + timedelta(seconds=1), 100)

    assert await rig.store.write(work) > 0


async def test_outcomes_outlive_the_archive(rig: Rig) -> None:
    id = await rig.send((ANNA, BRUNO))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    await rig.receipt(NetworkKind.FAILURE, BRUNO)
    before = await rig.standing(id)
    keywords = await rig.keywords()
    alarms = await rig.alarm_kinds()
    await forget_rows(rig)
    assert await rig.standing(id) == before
    now = rig.clock.now()
    await rig.mailboxes.write(lambda mtx: refresh(mtx, id, now))
    assert await rig.keywords() == keywords
    await rig.clock.advance(27 * 3600)
    await Overdue(rig.store, rig.mailboxes, rig.clock, [rig.account]).look(rig.account)
    assert await rig.alarm_kinds() == alarms == ["failure"]


@pytest.mark.parametrize("days", [6, 8])
async def test_a_failures_alarm_stays_when_it_is_no_news_any_more(rig: Rig, days: int) -> None:
    """Only what takes the failure back ends it."""
    id = await rig.send((ANNA, BRUNO))
    await rig.receipt(NetworkKind.FAILURE, BRUNO)
    await rig.clock.advance(days * 86_400)
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    assert await rig.alarm_kinds() == ["failure"]
    await rig.receipt(NetworkKind.DELIVERY, BRUNO)
    assert await rig.states(id) == {ANNA: "delivered", BRUNO: "delivered"}
    assert await rig.alarm_kinds() == []


async def test_a_row_that_comes_later_takes_no_old_receipts_place(rig: Rig) -> None:
    id = await rig.send()
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    await forget_rows(rig)
    for _ in range(3):
        await rig.arrive("POSTA CERTIFICATA: altro", "x", f'"Per conto di: {ADDRESS}" ')
    assert await rig.states(id) == {ANNA: "delivered"}
    assert len(await rig.receipts(id)) == 1


async def test_an_alarm_of_work_that_is_undone_is_not_logged(rig: Rig) -> None:
    await rig.send()
    arrival = await rig.listed(NetworkKind.FAILURE, ANNA)
    real = rig.mailboxes.write

    async def undone(mtx: MailboxTransaction) -> None:
        raise RuntimeError("the disk")

    async def write(work):  # type: ignore[no-untyped-def]
        async def whole(mtx: MailboxTransaction) -> None:
            await work(mtx)
            await undone(mtx)

        return await real(whole)

    rig.mailboxes.write = write  # type: ignore[method-assign]
    with capture_logs() as lines, pytest.raises(RuntimeError):
        await rig.filing.file(rig.account, [arrival])
    assert [line for line in lines if line["event"] == "alarm"] == []
    rig.mailboxes.write = real  # type: ignore[method-assign]
    with capture_logs() as lines:
        await rig.filing.file(rig.account, [arrival])
    assert [line["kind"] for line in lines if line["event"] == "alarm"] == ["failure"]
