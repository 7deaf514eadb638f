from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from bridge.api.ratelimit import LEAD_S
from bridge.model import SubmissionState
from bridge.outbox import content
from bridge.outbox.plan import Plan
from bridge.simulator import Answer, Failure, Fault, Hold, Operation, Phase, SentCount, Simulator
from tests.fakes import FakeClock
from tests.outbox.rig import ADDRESSES, Rig, rig_on, simulated

DISPATCHING, SUBMITTED = SubmissionState.DISPATCHING, SubmissionState.SUBMITTED
QUEUED, HELD = SubmissionState.QUEUED, SubmissionState.HELD
UNCERTAIN, REFUSED = SubmissionState.UNCERTAIN, SubmissionState.REFUSED
SMALL = Plan("standard", 2, "day", 50_000)


def starts(simulator: Simulator) -> list[float]:
    return [call.received_s for call in simulator.calls(Operation.SEND)]


def subjects(simulator: Simulator) -> list[str]:
    return [sent.subject for sent in simulator.sent]


async def test_from_idle_a_message_leaves_at_once(rig: Rig, simulator: Simulator) -> None:
    await rig.quiet()
    id = await rig.submit("Prova", "uno@altra.invalid", "due@altra.invalid")
    await rig.quiet()
    (sent,) = simulator.sent
    assert (sent.sender, sent.recipients, sent.subject) == (
        ADDRESSES[0],
        ("uno@altra.invalid", "due@altra.invalid"),
        "Prova",
    )
    assert "Salve." in sent.body
    row = await rig.row(id)
    assert (row.state, row.code, row.attempts) == (SUBMITTED, sent.code, 1)
    assert row.sent_at == rig.clock.now()
    assert rig.settled == [rig.accounts[0]]


async def test_a_lost_wake_up_costs_half_a_minute(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    async with rig_on(tmp_path, clock, simulator) as rig:
        await rig.quiet()
        deaf = await Rig.open(tmp_path, clock, simulator)  # its wake reaches nobody
        await deaf.submit()
        await rig.quiet()
        assert simulator.sent == []
        await rig.pass_time(30)
        assert len(simulator.sent) == 1
        await deaf.close()


async def test_starts_are_spaced_over_all_accounts(rig: Rig, simulator: Simulator) -> None:
    for number in range(6):
        await rig.submit(f"Messaggio {number}", account=number % 2)
    await rig.pass_time(10)
    moments = starts(simulator)
    assert len(moments) == 6
    # In memory the head of a request arrives when its turn is given, a little before its slot.
    assert all(1.0 - LEAD_S <= later - one < 1.1 for one, later in itertools.pairwise(moments))


async def test_a_slow_answer_does_not_slow_the_pace(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.add(
        Fault(phase=Phase.AFTER, result=None, operation=Operation.SEND, delay_s=2.5, times=None)
    )
    for number in range(6):
        await rig.submit(f"Messaggio {number}")
    await rig.pass_time(12)
    assert starts(simulator)[-1] - starts(simulator)[0] < 5.2
    assert len(simulator.sent) == 6


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


async def test_the_pace_holds_over_a_restart(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    async with rig_on(tmp_path, clock, simulator, interval_s=60) as rig:
        await rig.submit("prima")
        await rig.quiet()
    await clock.advance(10)
    async with rig_on(tmp_path, clock, simulator, interval_s=60) as rig:
        await rig.submit("dopo")
        await rig.pass_time(49)
        assert subjects(simulator) == ["prima"]
        await rig.pass_time(2)
    assert subjects(simulator) == ["prima", "dopo"]
    one, other = starts(simulator)
    assert other - one >= 60 - LEAD_S


async def test_an_answer_awaited_does_not_stop_other_accounts(
    rig: Rig, simulator: Simulator
) -> None:
    hold = Hold()
    simulator.faults.add(
        Fault(
            phase=Phase.BEFORE,
            result=None,
            operation=Operation.SEND,
            mailbox=ADDRESSES[0],
            hold=hold,
            times=None,
        )
    )
    for number in range(6):
        await rig.submit(f"a{number}")
    await rig.pass_time(20)
    await rig.submit("b", account=1)
    await rig.pass_time(2)
    assert subjects(simulator) == ["b"]
    hold.release.set()
    await rig.pass_time(20)
    assert len(simulator.sent) == 7


async def test_an_api_that_hangs_leaves_few_sends_uncertain(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 503, times=None)
    for number in range(40):
        await rig.submit(f"Messaggio {number}")
    await rig.pass_time(3600)
    uncertain = [row for row in await rig.rows() if row.state is UNCERTAIN]
    assert 8 <= len(uncertain) <= 24
    simulator.faults.clear()
    await rig.pass_time(400)
    waiting = [row for row in await rig.rows() if row.state is QUEUED]
    assert waiting == []
    assert len(simulator.sent) == 40 - len(uncertain)


async def test_one_uncertain_send_does_not_delay_the_next(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
    await rig.submit("prima")
    await rig.submit("dopo")
    await rig.pass_time(1.5)
    assert subjects(simulator) == ["dopo"]


@pytest.mark.usefixtures("looks_rarely")
async def test_five_days_without_a_connection_then_a_bounce(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR, times=None)
    id = await rig.submit()
    await rig.pass_time(4.9 * 86_400)
    assert await rig.state(id) is QUEUED
    await rig.pass_time(0.2 * 86_400)
    assert await rig.state(id) is REFUSED
    (bounce,) = await rig.mail()
    assert "4.4.1" in bounce.as_string()
    assert simulator.sent == []


@pytest.mark.usefixtures("looks_rarely")
async def test_five_days_are_the_outages_for_those_that_waited_behind(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR, times=None)
    early = [await rig.submit(f"presto {number}") for number in range(3)]
    await rig.pass_time(3 * 86_400)
    late = await rig.submit("tardi")
    await rig.pass_time(2.2 * 86_400)
    assert [await rig.state(id) for id in early] == [REFUSED] * 3
    assert await rig.state(late) is QUEUED
    await rig.pass_time(3 * 86_400)
    assert await rig.state(late) is REFUSED


@pytest.mark.usefixtures("looks_rarely")
async def test_the_five_days_go_on_over_a_restart(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR, times=None)
    async with rig_on(tmp_path, clock, simulator) as rig:
        id = await rig.submit()
        await rig.pass_time(3 * 86_400)
    async with rig_on(tmp_path, clock, simulator) as rig:
        await rig.pass_time(2.1 * 86_400)
        assert await rig.state(id) is REFUSED


async def test_a_probe_under_way_is_waited_for_in_peace(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 402)
    await rig.submit()
    await rig.quiet()
    hold = Hold()
    simulator.faults.add(
        Fault(phase=Phase.BEFORE, result=None, operation=Operation.SEND, hold=hold)
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
        Fault(
            phase=Phase.INSTEAD,
            result=Answer(401),
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


async def test_one_accounts_plan_is_not_anothers(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    async with rig_on(tmp_path, clock, simulator, plan=SMALL) as rig:
        for number in range(3):
            await rig.submit(f"a{number}")
        await rig.submit("b", account=1)
        await rig.pass_time(10)
        assert sorted(subjects(simulator)) == ["a0", "a1", "b"]


@pytest.mark.parametrize(
    ("count", "counted"),
    [(SentCount.ONE, 1), (SentCount.RECIPIENTS, 3), (SentCount.ABSENT, 3)],
    ids=lambda one: getattr(one, "value", ""),
)
async def test_sent_settles_the_count_and_the_cost(
    tmp_path: Path, clock: FakeClock, count: SentCount, counted: int
) -> None:
    simulator = simulated(clock, sent_count=count)
    async with rig_on(tmp_path, clock, simulator) as rig:
        to = ("uno@altra.invalid", "due@altra.invalid", "tre@altra.invalid")
        id = await rig.submit("a", *to)
        await rig.quiet()
        assert (await rig.row(id)).counted == counted
        (usage,) = await rig.usage()
        assert (usage.counted, usage.cost_microeuro) == (counted, counted * 50_000)


@pytest.mark.parametrize("sent", [0, -1, 10**15, "no"], ids=str)
async def test_a_count_that_makes_no_sense_is_not_believed(
    rig: Rig, simulator: Simulator, sent: object
) -> None:
    body = {"success": True, "sent": sent, "message_id": "2026011510000012"}
    simulator.faults.add(Fault(phase=Phase.INSTEAD, result=Answer(201, body)))
    id = await rig.submit("a", "uno@altra.invalid", "due@altra.invalid")
    await rig.quiet()
    assert (await rig.row(id)).counted == 2


async def test_only_what_may_have_left_counts(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 400)
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.RESET)
    for number in range(3):
        await rig.submit(f"Messaggio {number}")
    await rig.pass_time(10)
    assert [row.counted for row in await rig.rows()] == [0, 1, 1]
    (usage,) = await rig.usage()
    assert (usage.counted, usage.cost_microeuro) == (2, 100_000)


async def test_a_message_taken_back_while_its_turn_comes_does_not_leave(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    async with rig_on(tmp_path, clock, simulator, interval_s=60) as rig:
        await rig.submit("a")
        id = await rig.submit("b")
        await rig.pass_time(30)
        await rig.decisions.cancel(id)
        await rig.submit("c")
        await rig.pass_time(120)
    assert subjects(simulator) == ["a", "c"]


async def test_an_account_held_meanwhile_sends_nothing_more(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    simulator.faults.add(
        Fault(phase=Phase.AFTER, result=Answer(402), operation=Operation.SEND, delay_s=5)
    )
    async with rig_on(tmp_path, clock, simulator, interval_s=10) as rig:
        for number in range(3):
            await rig.submit(f"Messaggio {number}")
        await rig.pass_time(30)
    assert len(simulator.calls(Operation.SEND)) == 1


async def test_a_message_that_cannot_be_converted_bounces_and_stops_nothing(
    rig: Rig, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert = content.convert

    def fragile(raw: bytes, signed: str) -> object:
        if b"veleno" in raw:
            raise RecursionError
        return convert(raw, signed)  # type: ignore[arg-type]

    monkeypatch.setattr(content, "convert", fragile)
    bad = await rig.submit("veleno")
    await rig.submit("buono")
    await rig.pass_time(3)
    assert await rig.state(bad) is REFUSED
    assert subjects(simulator) == ["buono"]
    (bounce,) = await rig.mail()
    assert "5.6.3" in bounce.as_string()


async def test_large_messages_go_one_at_a_time_and_hold_up_no_others(
    rig: Rig, simulator: Simulator
) -> None:
    hold = Hold()
    simulator.faults.add(
        Fault(phase=Phase.BEFORE, result=None, operation=Operation.SEND, hold=hold)
    )
    large = "x" * 70 + "\n"
    await rig.submit("grande 1", body=large * 65_000)
    await rig.submit("grande 2", body=large * 65_000)
    await rig.submit("piccolo", account=1)
    await asyncio.wait_for(hold.reached.wait(), 10)
    await rig.pass_time(10)
    assert subjects(simulator) == ["piccolo"]
    hold.release.set()
    for _ in range(200):
        await rig.pass_time(1)
        if len(simulator.sent) == 3:
            break
        await asyncio.sleep(0.01)  # conversion goes on in a thread
    assert subjects(simulator) == ["piccolo", "grande 1", "grande 2"]


# -- the end of a process --------------------------------------------------------------------


async def test_stop_lets_a_request_under_way_finish(rig: Rig, simulator: Simulator) -> None:
    hold = Hold()
    simulator.faults.add(Fault(phase=Phase.AFTER, result=None, hold=hold))
    first, second = await rig.submit("a"), await rig.submit("b")
    await rig.quiet()
    stop = asyncio.ensure_future(rig.dispatcher.stop())
    await rig.pass_time(5)
    assert not stop.done()
    hold.release.set()
    await stop
    assert await rig.state(first) is SUBMITTED
    assert await rig.state(second) is QUEUED


async def test_a_request_cut_off_by_a_stop_is_uncertain(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    simulator.faults.add(Fault(phase=Phase.AFTER, result=None, hold=Hold()))
    async with rig_on(tmp_path, clock, simulator) as rig:
        id = await rig.submit()
        await rig.quiet()
        assert await rig.state(id) is DISPATCHING
    async with rig_on(tmp_path, clock, simulator) as rig:
        row = await rig.row(id)
        assert row.state is UNCERTAIN
        assert row.reason == "The bridge was stopped before the answer came."
        await rig.reconciler.reconcile(rig.accounts[0])
        assert await rig.state(id) is SUBMITTED
    assert len(simulator.sent) == 1


async def test_a_stop_while_the_pace_makes_a_message_wait_leaves_it_queued(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    async with rig_on(tmp_path, clock, simulator, interval_s=60) as rig:
        await rig.submit("a")
        id = await rig.submit("b")
        await rig.quiet()
    async with rig_on(tmp_path, clock, simulator, interval_s=60) as rig:
        assert await rig.state(id) is QUEUED
        await rig.pass_time(61)
    assert subjects(simulator) == ["a", "b"]


async def test_a_crash_while_dispatching_is_uncertain_at_the_restart(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    simulator.faults.add(Fault(phase=Phase.BEFORE, result=None, hold=Hold()))
    rig = await Rig.open(tmp_path, clock, simulator)
    rig.start()
    id = await rig.submit()
    await rig.quiet()
    await rig.lose_memory()
    async with rig_on(tmp_path, clock, simulator) as rig:
        row = await rig.row(id)
        assert row.state is UNCERTAIN
        assert row.reason == "The bridge stopped before the answer was known."
        (attempt,) = await rig.attempts(id)
        assert (attempt.ended_at, attempt.error) == (clock.now(), row.reason)
        await rig.pass_time(3600)
    assert len(simulator.calls(Operation.SEND)) == 1


async def test_each_step_is_kept_with_its_attempt(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR)
    simulator.faults.answer(Operation.SEND, 402)
    id = await rig.submit()
    await rig.pass_time(120)
    steps = [(one.old.value, one.new.value, one.attempt) for one in await rig.transitions(id)]
    assert steps == [
        ("queued", "dispatching", 1),
        ("dispatching", "queued", 1),
        ("queued", "dispatching", 2),
        ("dispatching", "held", 2),
        ("held", "dispatching", 3),
        ("dispatching", "submitted", 3),
    ]
    attempts = await rig.attempts(id)
    assert [one.status for one in attempts] == [None, 402, 201]
    assert all(one.ended_at and one.started_at <= one.ended_at for one in attempts)


async def test_a_message_refused_before_and_taken_now_has_not_failed(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 400)
    first = await rig.submit()
    await rig.quiet()
    assert "$PecFailed" in await rig.flags()
    second = await rig.submit()
    await rig.pass_time(2)
    assert first != second
    assert await rig.state(second) is SUBMITTED
    assert "$PecFailed" not in await rig.flags()
