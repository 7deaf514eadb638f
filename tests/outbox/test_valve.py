"""Whole queues: paused, resumed, flushed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.model import SubmissionState
from bridge.outbox.valve import Valve
from bridge.outbox.waiting import AccountQueue, account_queue, why
from bridge.simulator import Failure, Operation, Phase, Simulator
from bridge.store.base import ReadTransaction
from tests.fakes import FakeClock
from tests.outbox.rig import Rig, rig_on, subjects

QUEUED, SUBMITTED = SubmissionState.QUEUED, SubmissionState.SUBMITTED


def valve_of(rig: Rig) -> Valve:
    return Valve(rig.mailboxes, rig.clock, rig.wake)


async def test_nothing_of_a_paused_account_leaves(rig: Rig, simulator: Simulator) -> None:
    one, other = rig.accounts
    flows = await valve_of(rig).pause([one])
    assert flows[one].paused_since == rig.clock.now()
    await rig.submit("fermo")
    await rig.submit("parte", account=1)
    await rig.pass_time(7200)
    assert subjects(simulator) == ["parte"]
    assert (await valve_of(rig).resume([one, other]))[one].paused_since is None
    await rig.pass_time(2)
    assert subjects(simulator) == ["parte", "fermo"]


async def test_a_pause_outlives_a_restart(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    async with rig_on(tmp_path, clock, simulator) as rig:
        paused_at = clock.now()
        await valve_of(rig).pause(rig.accounts)
        await rig.submit("fermo")
    await clock.advance(60)
    async with rig_on(tmp_path, clock, simulator) as rig:
        again = await valve_of(rig).pause(rig.accounts)
        assert again[rig.accounts[0]].paused_since == paused_at
        await rig.pass_time(60)
        assert simulator.sent == []


async def test_a_pause_stops_what_was_picked_already(rig: Rig, simulator: Simulator) -> None:
    for number in range(3):
        await rig.submit(f"Messaggio {number}")
    await rig.quiet()  # one has left, the next one waits for the pace
    assert subjects(simulator) == ["Messaggio 0"]
    await valve_of(rig).pause(rig.accounts)
    await rig.pass_time(60)
    assert subjects(simulator) == ["Messaggio 0"]


async def test_a_person_may_send_one_of_a_paused_queue(rig: Rig, simulator: Simulator) -> None:
    await valve_of(rig).pause(rig.accounts)
    await rig.submit("fermo")
    wanted = await rig.submit("subito")
    await rig.quiet()
    await rig.decisions.retry(wanted)
    await rig.pass_time(60)
    assert subjects(simulator) == ["subito"]


async def test_why_a_paused_entry_waits(rig: Rig) -> None:
    await valve_of(rig).pause(rig.accounts)
    row = await rig.row(await rig.submit())

    async def work(tx: ReadTransaction) -> AccountQueue:
        return await account_queue(tx, rig.accounts[0])

    said = why(row, await rig.read(work), rig.clock.now())
    assert said.startswith("Paused by a person since ")
    assert "`queue resume`" in said


async def test_a_flush_tries_at_once_what_waits_for_its_next_try(
    rig: Rig, simulator: Simulator
) -> None:
    rule = simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR, times=None)
    first, second = await rig.submit("uno"), await rig.submit("due")
    await rig.pass_time(3600)
    simulator.faults.remove(rule)
    since = (await rig.row(first)).retrying_since
    assert since is not None
    flows = await valve_of(rig).flush(rig.accounts)
    assert (flows[rig.accounts[0]].flushed, flows[rig.accounts[1]].flushed) == (1, 0)
    await rig.pass_time(3)
    assert [await rig.state(id) for id in (first, second)] == [SUBMITTED, SUBMITTED]


async def test_a_flush_asks_whether_the_credit_is_still_short(
    rig: Rig, simulator: Simulator
) -> None:
    rule = simulator.faults.answer(Operation.SEND, 402, times=None)
    for number in range(2):
        await rig.submit(f"Messaggio {number}")
    await rig.pass_time(86_400)  # by now it is tried once an hour
    simulator.faults.remove(rule)
    assert await rig.hold() is not None
    await valve_of(rig).flush(rig.accounts)
    await rig.pass_time(5)
    assert await rig.hold() is None
    assert subjects(simulator) == ["Messaggio 0", "Messaggio 1"]


async def test_a_flush_leaves_a_paused_queue_alone(rig: Rig, simulator: Simulator) -> None:
    rule = simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR, times=None)
    id = await rig.submit()
    await rig.pass_time(60)
    simulator.faults.remove(rule)
    await valve_of(rig).pause(rig.accounts)
    assert (await valve_of(rig).flush(rig.accounts))[rig.accounts[0]].flushed == 0
    await rig.pass_time(3600)
    assert await rig.state(id) is QUEUED


@pytest.mark.parametrize("what", ["pause", "resume", "flush"])
async def test_without_a_dispatcher_nobody_is_woken(rig: Rig, what: str) -> None:
    alone = Valve(rig.mailboxes, rig.clock)
    assert set(await getattr(alone, what)(rig.accounts)) == set(rig.accounts)
