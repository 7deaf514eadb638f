"""What is written down about requests: counts, steps, five days; and when that fails."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bridge.api.schema import SendAnswer
from bridge.model import PEC_UNCERTAIN, SubmissionState
from bridge.outbox import settle
from bridge.outbox.attempt import Overtaken
from bridge.outbox.valve import Valve
from bridge.simulator import (
    CodeForm,
    Failure,
    FaultRule,
    FixedAnswer,
    Hold,
    Operation,
    Phase,
    SentCount,
    Simulator,
)
from bridge.store.base import StoreFull
from bridge.store.outbox import SubmissionRow
from tests.fakes import FakeClock
from tests.outbox.rig import Rig, rig_on, simulated

DISPATCHING = SubmissionState.DISPATCHING
SUBMITTED = SubmissionState.SUBMITTED
QUEUED = SubmissionState.QUEUED
UNCERTAIN = SubmissionState.UNCERTAIN
REFUSED = SubmissionState.REFUSED


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
    tries = [one.started_at for one in await rig.attempts(id)]
    assert tries[-1] - tries[0] < timedelta(days=5)  # a next one would have come too late


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


@pytest.mark.parametrize(
    ("count", "counted"),
    [
        (SentCount.ONE, 100),
        (SentCount.RECIPIENTS, 100),
        (SentCount.ABSENT, 100),
        (SentCount.ZERO, 100),
    ],
    ids=lambda one: getattr(one, "value", ""),
)
async def test_no_answer_lowers_the_count_below_the_recipients(
    tmp_path: Path, clock: FakeClock, count: SentCount, counted: int
) -> None:
    simulator = simulated(clock, sent_count=count)
    async with rig_on(tmp_path, clock, simulator) as rig:
        id = await rig.submit("a", *(f"ufficio.{number}@altra.invalid" for number in range(100)))
        await rig.quiet()
        assert (await rig.row(id)).counted == counted
        (usage,) = await rig.usage()
        assert usage.counted == counted


async def test_an_answer_that_counts_more_is_believed(rig: Rig, simulator: Simulator) -> None:
    body = {"success": True, "sent": 4, "message_id": "2026011510000012"}
    simulator.faults.add(FaultRule(phase=Phase.INSTEAD, result=FixedAnswer(201, body)))
    id = await rig.submit("a", "uno@altra.invalid", "due@altra.invalid")
    await rig.quiet()
    assert (await rig.row(id)).counted == 4
    (usage,) = await rig.usage()
    assert usage.counted == 4


async def test_a_try_that_did_not_leave_counts_nothing(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR)
    simulator.faults.answer(Operation.SEND, 429)
    id = await rig.submit()
    await rig.pass_time(2)
    assert (await rig.row(id)).counted == 0
    await rig.pass_time(7)
    row = await rig.row(id)
    assert (row.state, row.attempts, row.counted) == (SubmissionState.QUEUED, 2, 0)
    assert sum(one.counted for one in await rig.usage()) == 0


@pytest.mark.parametrize("form", [one for one in CodeForm if one is not CodeForm.CODE])
async def test_an_odd_code_is_uncertain_until_the_acceptance_names_it(
    tmp_path: Path, clock: FakeClock, form: CodeForm
) -> None:
    simulator = simulated(clock, code_form=form)
    async with rig_on(tmp_path, clock, simulator) as rig:
        id = await rig.submit("Ordine 7")
        await rig.quiet()
        row = await rig.row(id)
        assert (row.state, row.code) == (SubmissionState.UNCERTAIN, None)
        assert PEC_UNCERTAIN in await rig.flags()
        await rig.pass_time(60)
        await rig.reconciler.reconcile(rig.accounts[0])
        row = await rig.row(id)
        assert (row.state, row.code) == (SubmissionState.SUBMITTED, simulator.sent[0].code)
    assert len(simulator.sent) == 1


async def test_a_crash_while_dispatching_marks_the_copy_in_sent(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    simulator.faults.add(FaultRule(phase=Phase.BEFORE, result=None, hold=Hold()))
    rig = await Rig.open(tmp_path, clock, simulator)
    rig.start()
    await rig.submit()
    await rig.quiet()
    assert PEC_UNCERTAIN not in await rig.flags()
    await rig.lose_memory()
    async with rig_on(tmp_path, clock, simulator) as rig:
        assert PEC_UNCERTAIN in await rig.flags()


@pytest.mark.parametrize("sent", [0, -1, 10**15, "no"], ids=str)
async def test_a_count_that_makes_no_sense_is_not_believed(
    rig: Rig, simulator: Simulator, sent: object
) -> None:
    body = {"success": True, "sent": sent, "message_id": "2026011510000012"}
    simulator.faults.add(FaultRule(phase=Phase.INSTEAD, result=FixedAnswer(201, body)))
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
    assert usage.counted == 2


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
    assert "$PecFailed" in await rig.flags("Unsent")
    second = await rig.submit()
    await rig.pass_time(2)
    assert first != second
    assert await rig.state(second) is SUBMITTED
    assert "$PecFailed" not in await rig.flags()


# -- when an answer cannot be written down -----------------------------------------------------


async def test_an_answer_the_disk_does_not_take_is_kept_until_it_does(
    rig: Rig, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = Hold()
    simulator.faults.add(FaultRule(phase=Phase.AFTER, result=None, hold=hold))
    id = await rig.submit()
    await rig.quiet()

    async def write(*_: object) -> None:
        raise StoreFull("disk")

    with monkeypatch.context() as patch:
        patch.setattr(rig.store, "write", write)
        hold.release.set()
        await rig.pass_time(60)
        assert await rig.state(id) is DISPATCHING
    await rig.pass_time(3)
    row = await rig.row(id)
    assert (row.state, row.code) == (SUBMITTED, simulator.sent[0].code)
    assert len(simulator.sent) == 1


async def test_a_start_the_disk_does_not_take_is_no_start(
    rig: Rig, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = rig.settler.begin

    async def fails(row: SubmissionRow) -> None:
        raise StoreFull("disk")

    monkeypatch.setattr(rig.settler, "begin", fails)
    id = await rig.submit()
    await rig.pass_time(60)
    assert simulator.calls() == []
    monkeypatch.setattr(rig.settler, "begin", begin)
    await rig.pass_time(3)
    assert await rig.state(id) is SUBMITTED


async def test_an_answer_that_cannot_be_written_down_is_uncertain_with_its_code(
    rig: Rig, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise RuntimeError("a fault in what follows an answer")

    monkeypatch.setattr(settle, "claim", breaks)
    id = await rig.submit()
    await rig.submit("dopo", account=1)
    await rig.pass_time(3)
    row = await rig.row(id)
    assert (row.state, row.named_code) == (UNCERTAIN, simulator.sent[0].code)
    assert len(simulator.sent) == 2


async def test_recovering_twice_changes_nothing_more(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    simulator.faults.add(FaultRule(phase=Phase.BEFORE, result=None, hold=Hold()))
    rig = await Rig.open(tmp_path, clock, simulator)
    rig.start()
    id = await rig.submit()
    await rig.quiet()
    await rig.lose_memory()
    rig = await Rig.open(tmp_path, clock, simulator)
    before = (await rig.row(id), await rig.transitions(id), await rig.attempts(id))
    assert await settle.recover(rig.mailboxes, clock) == 0
    assert (await rig.row(id), await rig.transitions(id), await rig.attempts(id)) == before
    await rig.close()


async def test_what_is_held_and_was_taken_back_meanwhile_is_not_begun(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 402, times=None)
    id = await rig.submit()
    await rig.quiet()
    seen = await rig.row(id)
    assert seen.state is SubmissionState.HELD
    await rig.decisions.cancel(id)
    assert await rig.settler.begin(seen) is None
    assert (await rig.state(id), (await rig.row(id)).attempts) == (SubmissionState.CANCELLED, 1)


async def test_what_a_person_forced_is_so_still_if_its_request_never_began(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    rig = await Rig.open(tmp_path, clock, simulator)
    await Valve(rig.mailboxes, clock).pause(rig.accounts)
    id = await rig.submit()
    await rig.decisions.retry(id)
    attempt = await rig.settler.begin(await rig.row(id))
    assert attempt is not None
    await rig.settler.give_back(attempt, settle.UNWITNESSED)
    rig.start()
    await rig.quiet()
    assert await rig.state(id) is SUBMITTED
    await rig.close()


async def test_an_answer_for_what_is_not_under_way_any_more_changes_nothing(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    rig = await Rig.open(tmp_path, clock, simulator)
    id = await rig.submit()
    attempt = await rig.settler.begin(await rig.row(id))
    assert attempt is not None
    await settle.recover(rig.mailboxes, clock)
    before = (await rig.row(id), await rig.transitions(id), await rig.attempts(id))
    with pytest.raises(Overtaken):
        await rig.settler.submitted(attempt, SendAnswer("2026011510000001", 1, 200, ""))
    assert (await rig.row(id), await rig.transitions(id), await rig.attempts(id)) == before
    assert before[0].state is UNCERTAIN
    await rig.close()
