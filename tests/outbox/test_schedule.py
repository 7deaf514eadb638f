"""Whose turn it is: order, fairness, holds and the plan, seen from outside."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.model import QueueId, SubmissionState
from bridge.outbox.plan import PLANS, Plan
from bridge.outbox.schedule import LONGEST_PAUSE, Schedule
from bridge.simulator import (
    Failure,
    FaultRule,
    FixedAnswer,
    Hold,
    Operation,
    Phase,
    SentCount,
    Simulator,
)
from tests.fakes import FakeClock
from tests.outbox.rig import ADDRESSES, Rig, rig_on, simulated, starts, subjects

SUBMITTED = SubmissionState.SUBMITTED
HELD = SubmissionState.HELD
REFUSED = SubmissionState.REFUSED
SMALL = Plan("standard", 2, "day")


async def test_first_in_first_out_within_an_account(rig: Rig, simulator: Simulator) -> None:
    for number in range(5):
        await rig.submit(f"Messaggio {number}")
    await rig.pass_time(10)
    assert subjects(simulator) == [f"Messaggio {number}" for number in range(5)]


async def test_a_retry_keeps_its_place(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR, times=2)
    for number in range(3):
        await rig.submit(f"Messaggio {number}")
    await rig.pass_time(60)
    assert subjects(simulator) == ["Messaggio 0", "Messaggio 1", "Messaggio 2"]


async def test_accounts_take_turns(tmp_path: Path, clock: FakeClock, simulator: Simulator) -> None:
    rig = await Rig.open(tmp_path, clock, simulator)
    for number in range(6):
        await rig.submit(f"a{number}")
    for number in range(2):
        await rig.submit(f"b{number}", account=1)
    rig.start()
    await rig.pass_time(10)
    assert subjects(simulator) == ["a0", "b0", "a1", "b1", "a2", "a3", "a4", "a5"]
    await rig.close()


async def test_a_probe_under_way_is_waited_for_in_peace(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 402)
    await rig.submit()
    await rig.quiet()
    hold = Hold()
    simulator.faults.add(
        FaultRule(phase=Phase.BEFORE, result=None, operation=Operation.SEND, hold=hold)
    )
    await rig.pass_time(61)
    assert hold.reached.is_set()
    before = rig.store.reads
    await rig.pass_time(25)
    assert rig.store.reads - before < 100
    hold.release.set()
    await rig.quiet()
    assert len(simulator.sent) == 1


@pytest.mark.usefixtures("looks_rarely")
async def test_probes_are_a_minute_apart_at_first_and_an_hour_at_last(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 402, times=None)
    for number in range(3):
        await rig.submit(f"Messaggio {number}")
    await rig.pass_time(86_400)
    moments = starts(simulator)
    gaps = [later - one for one, later in itertools.pairwise(moments)]
    assert [round(gap) for gap in gaps[:8]] == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert {row.state for row in await rig.rows()} == {HELD}
    assert [alarm.kind for alarm in await rig.alarms()] == ["payment"]
    assert len(await rig.mail()) == 1


async def test_a_hold_stops_one_account_only(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.add(
        FaultRule(
            phase=Phase.INSTEAD,
            result=FixedAnswer(401),
            operation=Operation.SEND,
            mailbox=ADDRESSES[0],
            times=None,
        )
    )
    await rig.submit("a")
    await rig.submit("b", account=1)
    await rig.pass_time(5)
    assert subjects(simulator) == ["b"]
    assert (await rig.hold(0), await rig.hold(1)) != (None, None)
    assert await rig.hold(1) is None


async def test_a_hold_that_ends_frees_the_whole_queue_in_order(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 402)
    for number in range(3):
        await rig.submit(f"Messaggio {number}")
    await rig.pass_time(70)
    assert subjects(simulator) == ["Messaggio 0", "Messaggio 1", "Messaggio 2"]
    assert await rig.alarms() == []
    assert await rig.hold() is None


async def test_a_message_that_is_refused_ends_a_hold_too(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 401)
    simulator.faults.answer(Operation.SEND, 400)
    first = await rig.submit("prima")
    second = await rig.submit("dopo")
    await rig.pass_time(70)
    assert await rig.state(first) is REFUSED
    assert await rig.state(second) is SUBMITTED


async def test_a_probe_that_reaches_nobody_holds_on(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 402)
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR)
    id = await rig.submit()
    await rig.pass_time(62)
    assert await rig.state(id) is HELD
    await rig.pass_time(117)
    assert len(simulator.calls(Operation.SEND)) == 2
    await rig.pass_time(3)
    assert await rig.state(id) is SUBMITTED


async def test_a_hold_outlives_a_restart(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 402, times=None)
    async with rig_on(tmp_path, clock, simulator) as rig:
        id = await rig.submit()
        await rig.quiet()
    simulator.faults.clear()
    async with rig_on(tmp_path, clock, simulator) as rig:
        await rig.pass_time(58)
        assert await rig.state(id) is HELD
        await rig.pass_time(3)
        assert await rig.state(id) is SUBMITTED


@pytest.mark.usefixtures("looks_rarely")
async def test_over_the_plan_messages_wait_for_the_next_day_in_rome(
    tmp_path: Path, clock: FakeClock
) -> None:
    simulator = simulated(clock, sent_count=SentCount.RECIPIENTS)
    async with rig_on(tmp_path, clock, simulator, plan=SMALL) as rig:
        first = await rig.submit("a", "uno@altra.invalid", "due@altra.invalid")
        second = await rig.submit("b")
        await rig.pass_time(5)
        assert await rig.state(first) is SUBMITTED
        row = await rig.row(second)
        assert row.state is HELD
        assert "2 PEC a day are used up until 2026-01-16 00:00 (Rome)" in row.reason
        (alarm,) = await rig.alarms()
        assert alarm.kind == "plan"
        await rig.pass_time(13.9 * 3600)
        assert await rig.state(second) is HELD
        await rig.pass_time(0.2 * 3600)
        assert await rig.state(second) is SUBMITTED
        assert await rig.alarms() == []
        assert len(await rig.mail()) == 1


@pytest.mark.usefixtures("looks_rarely")
async def test_a_message_too_big_for_what_is_left_keeps_its_place(
    tmp_path: Path, clock: FakeClock
) -> None:
    simulator = simulated(clock, sent_count=SentCount.RECIPIENTS)
    async with rig_on(tmp_path, clock, simulator, plan=SMALL) as rig:
        await rig.submit("a")
        await rig.submit("b", "uno@altra.invalid", "due@altra.invalid")
        await rig.submit("c")
        await rig.pass_time(5)
        assert subjects(simulator) == ["a"]
        await rig.pass_time(40 * 3600)
        assert subjects(simulator) == ["a", "b", "c"]


@pytest.mark.usefixtures("looks_rarely")
async def test_a_probe_does_not_go_past_the_plan(tmp_path: Path, clock: FakeClock) -> None:
    simulator = simulated(clock, sent_count=SentCount.RECIPIENTS)
    async with rig_on(tmp_path, clock, simulator, plan=SMALL) as rig:
        await rig.submit("a")
        await rig.quiet()
        simulator.faults.answer(Operation.SEND, 402)
        id = await rig.submit("b", "uno@altra.invalid", "due@altra.invalid")
        await rig.decisions.retry(await _held(rig, id))
        await rig.quiet()
        assert await rig.hold() is not None
        await rig.pass_time(12 * 3600)
        assert subjects(simulator) == ["a"]
        await rig.pass_time(5 * 3600)
        assert subjects(simulator) == ["a", "b"]


async def _held(rig: Rig, id: QueueId) -> QueueId:
    await rig.pass_time(2)
    assert await rig.state(id) is HELD
    return id


async def test_one_accounts_plan_is_not_anothers(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    async with rig_on(tmp_path, clock, simulator, plan=SMALL) as rig:
        for number in range(3):
            await rig.submit(f"a{number}")
        await rig.submit("b", account=1)
        await rig.pass_time(10)
        assert sorted(subjects(simulator)) == ["a0", "a1", "b"]


async def test_a_pause_that_a_clock_ahead_has_set_is_not_waited_for(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    rig = await Rig.open(tmp_path, clock, simulator)
    id = await rig.submit()
    schedule = Schedule(rig.store, rig.mailboxes, PLANS["standard"], frozenset(rig.accounts))
    until = clock.now() + LONGEST_PAUSE
    schedule.pause(rig.accounts[0], until)
    assert await schedule.next(clock.now(), lambda _: True) == (None, until)
    clock.wrong_by = -timedelta(seconds=1)  # set right, by however much
    row, _ = await schedule.next(clock.now(), lambda _: True)
    assert row is not None
    assert row.id == id
    await rig.close()
