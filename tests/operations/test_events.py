from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.alarms import Alarm, AlarmKind, Notice, raise_alarm
from bridge.app.housekeeping import EVENTS_KEPT, Housekeeping
from bridge.mailbox import MailboxTransaction
from bridge.model import SubmissionState
from bridge.operations.accounts import ApiAccount, ApiAccounts
from bridge.operations.control import OperationFailed
from bridge.operations.events import EventOperations
from bridge.operations.table import Operations
from bridge.outbox.step import EVENTS, take_step
from bridge.receipts.record import refresh
from bridge.simulator import Operation
from bridge.simulator.wording import NetworkKind
from bridge.store.events import MEANINGS, EventKind, NewEvent
from bridge.store.outbox import Step
from tests.fakes import FakeClock
from tests.operations.test_outcome import until_asleep
from tests.outbox.rig import ADDRESSES, simulated
from tests.outbox.rig import Rig as OutboxRig
from tests.receipts.rig import ADDRESS, Rig

ANNA, BRUNO = "anna@pec.example", "bruno@pec.example"


class Asking:
    """Asks as the command line does."""

    def __init__(self, rig: Rig | OutboxRig) -> None:
        named = (
            zip(rig.accounts, ADDRESSES, strict=True)
            if isinstance(rig, OutboxRig)
            else [(rig.account, ADDRESS)]
        )
        accounts = ApiAccounts(tuple(ApiAccount(id, address, None) for id, address in named))
        methods = EventOperations(rig.store, rig.clock, accounts, rig.mailboxes).methods()
        self._operations = Operations([methods])

    async def whole(self, **arguments: object) -> Any:
        return await self._operations.perform("events", arguments, lambda done, total: None)

    async def __call__(self, **arguments: object) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = (await self.whole(**arguments))["events"]
        return events

    async def told(self, **arguments: object) -> list[tuple[str, str | None]]:
        return [(one["event"], one["recipient"]) for one in await self(**arguments)]


@pytest.fixture
async def sending(tmp_path: Path, clock: FakeClock) -> AsyncIterator[tuple[OutboxRig, Any]]:
    simulator = simulated(clock)
    rig = await OutboxRig.open(tmp_path / "outbox", clock, simulator)
    yield rig, simulator
    await rig.close()


async def test_each_step_is_told_in_order_with_the_messages_names(
    sending: tuple[OutboxRig, Any],
) -> None:
    rig, simulator = sending
    simulator.faults.answer(Operation.SEND, 400, {"success": False, "message": "no"})
    refused = await rig.submit("a", reference="Ordine 1")
    sent = await rig.submit("b", reference="Ordine 2", message_id="<b@c>")
    cancelled = await rig.submit("c", account=1)
    await rig.decisions.cancel(cancelled)
    rig.start()
    await rig.pass_time(3)
    events = await Asking(rig)()
    assert [(one["event"], one["id"]) for one in events] == [
        ("queued", refused),
        ("queued", sent),
        ("queued", cancelled),
        ("cancelled", cancelled),
        ("refused", refused),
        ("submitted", sent),
    ]
    assert [one["number"] for one in events] == [1, 2, 3, 4, 5, 6]
    assert "no" in events[4]["detail"]
    assert events[5] == {
        "number": 6,
        "at": events[5]["at"],
        "event": "submitted",
        "account": ADDRESSES[0],
        "id": sent,
        "message_id": "<b@c>",
        "reference": "Ordine 2",
        "envid": "",
        "code": simulator.sent[-1].code,
        "recipient": None,
        "detail": "",
    }
    ask = Asking(rig)
    assert [one["number"] for one in await ask(after=2, limit=2)] == [3, 4]
    assert [one["number"] for one in await ask(account=ADDRESSES[1])] == [3, 4]


async def test_each_recipient_is_told_once_and_what_is_taken_back_is_told(
    rig: Rig, clock: FakeClock
) -> None:
    id = await rig.send((ANNA, BRUNO))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    await rig.receipt(NetworkKind.DELIVERY, BRUNO)
    await rig.mailboxes.write(lambda mtx: refresh(mtx, id, clock.now()))
    ask = Asking(rig)
    assert await ask.told() == [("accepted", ANNA), ("accepted", BRUNO), ("delivered", BRUNO)]

    async def forget(mtx: MailboxTransaction) -> None:
        await mtx.tx.release_receipts(id)
        await refresh(mtx, id, clock.now())

    await rig.mailboxes.write(forget)
    assert await ask.told(after=3) == [("withdrawn", ANNA), ("withdrawn", BRUNO)]


async def test_after_a_doubt_each_recipient_is_told_anew(rig: Rig, clock: FakeClock) -> None:
    id = await rig.send((ANNA,))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    await rig.receipt(NetworkKind.DELIVERY, ANNA)

    async def doubt(mtx: MailboxTransaction) -> None:
        await mtx.tx.add_event(NewEvent(clock.now(), rig.account, EventKind.UNCERTAIN, id))
        await refresh(mtx, id, clock.now())

    await rig.mailboxes.write(doubt)
    told = [("accepted", ANNA), ("delivered", ANNA)]
    assert await Asking(rig).told() == [*told, ("uncertain", None), *told]


async def test_an_alarm_is_told_with_its_kind(rig: Rig, clock: FakeClock) -> None:
    async def work(mtx: MailboxTransaction) -> None:
        words = Alarm(rig.account, AlarmKind.PAYMENT, "", Notice("s", "i", "e"))
        for _ in range(2):
            await raise_alarm(mtx, words, clock.now())

    await rig.mailboxes.write(work)
    (event,) = await Asking(rig)()
    assert (event["event"], event["detail"]) == ("alarm", AlarmKind.PAYMENT.value)


async def test_what_fails_leaves_no_event(sending: tuple[OutboxRig, Any]) -> None:
    rig, _simulator = sending
    await rig.submit()
    (row,) = await rig.rows()

    async def work(mtx: MailboxTransaction) -> None:
        step = Step(SubmissionState.QUEUED, SubmissionState.CANCELLED, rig.clock.now())
        assert await take_step(mtx, row, step)
        raise KeyError

    with pytest.raises(KeyError):
        await rig.mailboxes.write(work)
    assert await Asking(rig).told() == [("queued", None)]


async def test_old_events_go_and_no_number_comes_again(
    sending: tuple[OutboxRig, Any], clock: FakeClock
) -> None:
    rig, _simulator = sending
    for name in "abc":
        await rig.submit(name)
    tidy = Housekeeping(rig.mailboxes, clock)
    await clock.advance(EVENTS_KEPT.total_seconds())
    await tidy.forget_events()
    ask = Asking(rig)
    assert len(await ask()) == 3, "kept so long"
    await clock.advance(timedelta(seconds=1).total_seconds())
    await tidy.forget_events()
    assert await ask() == []
    await rig.submit("d")
    assert [one["number"] for one in await ask(after=1)] == [4]
    assert (await ask.whole(after=1))["missing"]
    assert not (await ask.whole(after=3))["missing"]
    with pytest.raises(OperationFailed, match="the last one is 4"):
        await ask(after=5)


async def test_who_follows_is_woken(sending: tuple[OutboxRig, Any], clock: FakeClock) -> None:
    rig, _simulator = sending
    waiting = asyncio.ensure_future(Asking(rig)(wait_s=3600))
    await until_asleep(clock)
    id = await rig.submit()
    while not waiting.done():
        await clock.advance(0.5)
        await rig.quiet()
    assert [one["id"] for one in await waiting] == [id]
    assert clock.monotonic() < 5


def test_every_state_and_kind_is_told() -> None:
    assert set(EVENTS) == set(SubmissionState) - {SubmissionState.DISPATCHING}
    assert set(MEANINGS) == set(EventKind)
