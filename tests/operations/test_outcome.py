from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from bridge.mailbox import MailboxTransaction
from bridge.model import AccountId, QueueId
from bridge.operations.accounts import ApiAccount, ApiAccounts
from bridge.operations.outcome import OutcomeOperations
from bridge.operations.table import Operations
from bridge.outbox.window import ALL_DAY
from tests.fakes import FakeClock, settle
from tests.receipts.rig import ADDRESS, CODE, Rig

ANNA = "anna@pec.example"


class Asking:
    """Asks as the command line does."""

    def __init__(
        self, rig: Rig, *, runs: bool = True, more: Mapping[AccountId, str] | None = None
    ) -> None:
        known = {rig.account: ADDRESS, **(more or {})}
        accounts = ApiAccounts(tuple(ApiAccount(id, one, None) for id, one in known.items()))
        operations = OutcomeOperations(
            rig.store, rig.clock, accounts, ALL_DAY, rig.mailboxes if runs else None
        )
        self._operations = Operations([operations.methods()])

    async def __call__(self, what: str, **arguments: object) -> Any:
        asked = {"what": what, **arguments}
        return await self._operations.perform("outcome", asked, lambda done, total: None)

    async def list(self, **arguments: object) -> Any:
        return await self._operations.perform("sends", arguments, lambda done, total: None)


async def test_a_message_is_told_in_the_promised_shape(rig: Rig) -> None:
    await rig.send((ANNA,), reference="Ordine 17")
    (send,) = (await Asking(rig)("Ordine 17"))["sends"]
    at = "2026-01-15T09:00:00.000Z"
    assert send == {
        "id": "Q1",
        "account": ADDRESS,
        "state": "submitted",
        "outcome": "open",
        "reason": "",
        "next": "Wait: its acceptance is still to come.",
        "created_at": at,
        "updated_at": at,
        "version": 2,
        "code": CODE,
        "message_id": "<Q1@azienda.example>",
        "reference": "Ordine 17",
        "envid": "",
        "subject": "Diffida",
        "sent_at": at,
        "accepted_at": None,
        "recipients": [
            {"address": ANNA, "state": "pending", "at": None, "detail": "", "conflict": False}
        ],
    }


async def test_all_that_have_the_name_are_told(rig: Rig) -> None:
    await rig.send(id="Q1", reference="Ordine 17")
    await rig.send(id="Q2", reference="Ordine 17", code=None)
    found = await Asking(rig)("Ordine 17", until="submitted")
    assert [one["id"] for one in found["sends"]] == ["Q1", "Q2"]
    assert not found["over"], "one is under way"
    assert (await Asking(rig)("Q1", until="submitted"))["over"]


async def test_nobody_waits_for_what_is_not_there(rig: Rig) -> None:
    found = await Asking(rig)("Ordine 18", wait_s=60)
    assert (found["sends"], found["over"]) == ([], True)


async def touch(rig: Rig) -> None:
    """Commit something that is no business of anybody who waits."""

    async def work(_mtx: MailboxTransaction) -> None:
        return None

    await rig.mailboxes.write(work)


async def test_a_wait_is_woken_by_the_change(rig: Rig, clock: FakeClock) -> None:
    await rig.send(code=None)
    waiting = asyncio.ensure_future(Asking(rig)("Q1", until="submitted", wait_s=3600))
    await until_asleep(clock)
    await clock.advance(30)
    assert not waiting.done()
    await rig.answer(QueueId("Q1"), CODE)
    assert (await asyncio.wait_for(waiting, 5))["over"]
    assert clock.monotonic() == 30


async def test_without_a_bridge_nobody_waits(rig: Rig) -> None:
    await rig.send(code=None)
    found = await asyncio.wait_for(Asking(rig, runs=False)("Q1", wait_s=3600), 5)
    assert (found["over"], found["waits"]) == (False, False)


async def test_a_wait_ends_with_its_time(rig: Rig, clock: FakeClock) -> None:
    await rig.send(code=None)
    waiting = asyncio.ensure_future(Asking(rig)("Q1", wait_s=10))
    await until_asleep(clock)
    await clock.advance(10)
    found = await asyncio.wait_for(waiting, 5)
    assert (found["over"], found["sends"][0]["state"]) == (False, "dispatching")


async def test_a_wait_looks_once_a_second_however_much_is_committed(
    rig: Rig, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.send(code=None)
    looks: list[float] = []
    read = rig.store.read

    async def counted(work: Any) -> Any:
        looks.append(clock.monotonic())
        return await read(work)

    monkeypatch.setattr(rig.store, "read", counted)
    waiting = asyncio.ensure_future(Asking(rig)("Q1", wait_s=100))
    for number in range(8):
        await until_asleep(clock)
        await touch(rig)
        await clock.advance(0.25)
        assert len(looks) <= 2 + number // 4
    assert len(looks) > 1
    await clock.advance(100)
    await asyncio.wait_for(waiting, 5)


async def until_asleep(clock: FakeClock) -> None:
    """Wait until the one that waits has looked and sleeps."""
    async with asyncio.timeout(5):
        while clock.next_wake_s is None:  # noqa: ASYNC110 - a thread reads, which tells nobody
            await asyncio.sleep(0.001)
    await settle()
