from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bridge.model import PEC_UNCERTAIN, QueueId, SubmissionState
from bridge.outbox.decision import DecisionRefused, Decisions
from bridge.simulator import Delays, Failure, FaultRule, Hold, Operation, Phase, Simulator
from bridge.store.outbox import ClaimBasis, Step
from tests.fakes import FakeClock
from tests.outbox.rig import ADDRESSES, Rig, rig_on, simulated

State = SubmissionState
CODE = "2026011510000012"

DECISIONS: dict[str, Callable[[Decisions, QueueId], Awaitable[object]]] = {
    "retry": lambda decisions, id: decisions.retry(id),
    "cancel": lambda decisions, id: decisions.cancel(id),
    "resolve --sent": lambda decisions, id: decisions.resolve_sent(id, CODE, force=True),
    "resolve --resend": lambda decisions, id: decisions.resolve_resend(id),
    "resolve --drop": lambda decisions, id: decisions.resolve_drop(id),
    "resolve --reopen": lambda decisions, id: decisions.resolve_reopen(id),
}
LEADS_TO = {
    ("retry", State.HELD): State.QUEUED,
    ("retry", State.RESTORED): State.QUEUED,
    ("resolve --reopen", State.DROPPED): State.UNCERTAIN,
    ("cancel", State.QUEUED): State.CANCELLED,
    ("cancel", State.HELD): State.CANCELLED,
    ("resolve --sent", State.UNCERTAIN): State.SUBMITTED,
    ("resolve --resend", State.UNCERTAIN): State.QUEUED,
    ("resolve --drop", State.UNCERTAIN): State.DROPPED,
    ("resolve --sent", State.RESTORED): State.SUBMITTED,
    ("resolve --resend", State.RESTORED): State.QUEUED,
    ("resolve --drop", State.RESTORED): State.DROPPED,
}
WHY_NOT = {
    State.QUEUED: "sent in its turn",
    State.DISPATCHING: "being sent right now",
    State.SUBMITTED: "has been sent",
    State.REFUSED: "nothing was sent",
    State.HELD: "`queue retry` sends it now",
    State.CANCELLED: "send it again from your mail",
    State.DROPPED: "send it again from your mail",
    State.UNCERTAIN: "--sent CODE, --resend or --drop",
    State.RESTORED: "--sent CODE, --resend or --drop",
}


async def entry_in(state: State, rig: Rig, simulator: Simulator) -> QueueId:
    """Bring an entry into a state, as it comes about; the dispatcher is idle afterwards."""
    faults = simulator.faults
    match state:
        case State.REFUSED:
            faults.answer(Operation.SEND, 400)
        case State.HELD | State.CANCELLED:
            faults.answer(Operation.SEND, 402, times=None)
        case State.UNCERTAIN | State.DROPPED:
            faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
        case State.DISPATCHING:
            faults.add(FaultRule(phase=Phase.BEFORE, result=None, hold=Hold()))
        case _:
            pass
    id = await rig.submit()
    if state is State.RESTORED:
        step = Step(State.QUEUED, State.RESTORED, rig.clock.now())
        assert await rig.mailboxes.write(lambda mtx: mtx.tx.step_submission(id, step))
    elif state is not State.QUEUED:
        rig.start()
        await rig.quiet()
    if state is State.CANCELLED:
        await rig.decisions.cancel(id)
    if state is State.DROPPED:
        await rig.decisions.resolve_drop(id)
    assert await rig.state(id) is state
    return id


@pytest.mark.parametrize("state", State, ids=lambda state: state.value)
@pytest.mark.parametrize("decision", DECISIONS)
async def test_each_decision_in_each_state(
    tmp_path: Path, clock: FakeClock, simulator: Simulator, state: State, decision: str
) -> None:
    rig = await Rig.open(tmp_path, clock, simulator)
    id = await entry_in(state, rig, simulator)
    new = LEADS_TO.get((decision, state))
    alone = Decisions(rig.mailboxes, clock)  # as without a daemon: nobody is woken
    steps = await rig.transitions(id)
    if new is not None:
        row = await DECISIONS[decision](alone, id)
        assert row == await rig.row(id)
        assert await rig.state(id) is new
        assert len(await rig.transitions(id)) == len(steps) + 1
    else:
        with pytest.raises(DecisionRefused) as refusal:
            await DECISIONS[decision](alone, id)
        assert str(refusal.value).startswith(f"{id} is {state.value} and cannot be ")
        assert WHY_NOT[state] in str(refusal.value)
        assert await rig.transitions(id) == steps
    await rig.close()


@pytest.mark.parametrize("decision", DECISIONS)
async def test_an_unknown_id_is_a_sentence(rig: Rig, decision: str) -> None:
    with pytest.raises(DecisionRefused, match="No entry is called NOPE; `queue list` shows all"):
        await DECISIONS[decision](rig.decisions, QueueId("NOPE"))


async def test_retry_goes_past_a_hold_at_once(rig: Rig, simulator: Simulator) -> None:
    rule = simulator.faults.answer(Operation.SEND, 402, times=None)
    first, second = await rig.submit("a"), await rig.submit("b")
    await rig.pass_time(3)
    simulator.faults.remove(rule)
    await rig.decisions.retry(second)
    await rig.pass_time(3)
    assert [sent.subject for sent in simulator.sent] == ["b", "a"]
    assert await rig.hold() is None
    assert await rig.state(first) is State.SUBMITTED


async def test_retry_of_what_waits_for_its_next_try(rig: Rig, simulator: Simulator) -> None:
    rule = simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR, times=None)
    id = await rig.submit()
    await rig.pass_time(3600)
    simulator.faults.remove(rule)
    assert (await rig.row(id)).not_before is not None
    await rig.decisions.retry(id)
    await rig.quiet()
    assert await rig.state(id) is State.SUBMITTED


async def test_retry_that_meets_the_same_answer_is_held_again(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 401, times=None)
    id = await rig.submit()
    await rig.quiet()
    await rig.pass_time(2)
    await rig.decisions.retry(id)
    await rig.quiet()
    assert await rig.state(id) is State.HELD
    assert len(simulator.calls(Operation.SEND)) == 2
    assert len(await rig.mail()) == 1


async def test_cancelled_is_cancelled(rig: Rig, simulator: Simulator) -> None:
    rule = simulator.faults.answer(Operation.SEND, 402, times=None)
    first, second = await rig.submit("a"), await rig.submit("b")
    await rig.quiet()
    await rig.decisions.cancel(first)
    simulator.faults.remove(rule)
    await rig.pass_time(120)
    assert [sent.subject for sent in simulator.sent] == ["b"]
    assert await rig.state(second) is State.SUBMITTED


async def test_resend_posts_once_more_and_counts_once(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
    id = await rig.submit()
    await rig.pass_time(1900)
    await rig.reconciler.reconcile(rig.accounts[0])
    assert len(await rig.alarms()) == 1
    await rig.decisions.resolve_resend(id)
    assert await rig.alarms() == []
    await rig.pass_time(2)
    row = await rig.row(id)
    assert (row.state, row.attempts, row.counted) == (State.SUBMITTED, 2, 1)
    assert len(simulator.sent) == 1
    assert PEC_UNCERTAIN not in await rig.flags()


async def test_sent_takes_the_code_and_drop_keeps_the_count(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.fail(Operation.SEND, Phase.AFTER, Failure.TIMEOUT, times=2)
    sent, dropped = await rig.submit("a"), await rig.submit("b")
    await rig.pass_time(10)
    await rig.decisions.resolve_sent(sent, f" {CODE} ", force=True)
    await rig.decisions.resolve_drop(dropped)
    assert ((await rig.row(sent)).code, (await rig.row(dropped)).code) == (CODE, None)
    assert [row.counted for row in await rig.rows()] == [1, 1]
    assert PEC_UNCERTAIN not in await rig.flags()
    await rig.pass_time(3600)
    assert len(simulator.calls(Operation.SEND)) == 2


@pytest.mark.parametrize(
    "code",
    ["", "  ", "x" * 101, "20260115\n1", "123", "2026", CODE[:14], f"{CODE}12345", f"x{CODE}"],
    ids=repr,
)
async def test_a_code_that_is_none_is_refused(
    tmp_path: Path, clock: FakeClock, simulator: Simulator, code: str
) -> None:
    rig = await Rig.open(tmp_path, clock, simulator)
    id = await entry_in(State.UNCERTAIN, rig, simulator)
    with pytest.raises(DecisionRefused, match="Say the API's code"):
        await rig.decisions.resolve_sent(id, code, force=True)
    assert await rig.state(id) is State.UNCERTAIN
    await rig.close()


async def test_another_entrys_code_is_refused(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    async with rig_on(tmp_path, clock, simulator) as rig:
        other = await rig.submit("altra")
        await rig.pass_time(2)
        simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
        id = await rig.submit("a")
        await rig.pass_time(2)
        code = simulator.sent[0].code
        with pytest.raises(DecisionRefused, match=f"{code} belongs to {other}"):
            await rig.decisions.resolve_sent(id, code, force=True)
        assert await rig.state(id) is State.UNCERTAIN


async def test_of_two_who_name_one_code_at_once_the_first_has_it(
    rig: Rig, simulator: Simulator
) -> None:
    """Both saw it free, and asked the API before they took it."""
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT, times=2)
    ids = [await rig.submit(subject) for subject in ("a", "b")]
    await rig.pass_time(10)
    holds = [Hold(), Hold()]
    for hold in holds:
        rule = FaultRule(
            phase=Phase.BEFORE, result=None, operation=Operation.SEND_STATUS, hold=hold
        )
        simulator.faults.add(rule)
    taking = [asyncio.ensure_future(rig.decisions.resolve_sent(id, CODE, force=True)) for id in ids]
    for hold in holds:
        await hold.reached.wait()
    holds[0].release.set()
    assert (await taking[0]).code == CODE
    holds[1].release.set()
    with pytest.raises(DecisionRefused, match=f"{CODE} belongs to {ids[0]}"):
        await taking[1]
    assert await rig.state(ids[1]) is State.UNCERTAIN


async def test_a_copy_of_two_uncertain_entries_stays_uncertain_until_both_end(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT, times=2)
    first = await rig.submit("a", separate=["nascosto@altra.invalid"])
    await rig.pass_time(10)
    second = next(row.id for row in await rig.rows() if row.id != first)
    await rig.decisions.resolve_drop(first)
    assert PEC_UNCERTAIN in await rig.flags()
    await rig.decisions.resolve_drop(second)
    assert PEC_UNCERTAIN not in await rig.flags()


async def lost(rig: Rig, simulator: Simulator, phase: Phase, subject: str = "Fattura") -> QueueId:
    simulator.faults.fail(Operation.SEND, phase, Failure.TIMEOUT)
    id = await rig.submit(subject)
    await rig.pass_time(2.5)
    return id


async def test_a_code_is_looked_up_and_confirmed(rig: Rig, simulator: Simulator) -> None:
    id = await lost(rig, simulator, Phase.AFTER)
    row = await rig.decisions.resolve_sent(id, simulator.sent[0].code)
    assert (row.state, row.claim) == (State.SUBMITTED, ClaimBasis.EVIDENCE)
    with pytest.raises(DecisionRefused, match="cannot be reopened"):
        await rig.decisions.resolve_reopen(id)


async def test_a_code_that_nothing_shows_is_a_word_that_is_taken_back(
    rig: Rig, simulator: Simulator
) -> None:
    id = await lost(rig, simulator, Phase.BEFORE)
    with pytest.raises(DecisionRefused, match=f"No receipt shows that {id} got the code {CODE}"):
        await rig.decisions.resolve_sent(id, CODE)
    assert await rig.state(id) is State.UNCERTAIN
    row = await rig.decisions.resolve_sent(id, CODE, force=True)
    assert (row.code, row.claim) == (CODE, ClaimBasis.WORD)
    row = await rig.decisions.resolve_reopen(id)
    assert (row.state, row.code, row.claim) == (State.UNCERTAIN, None, None)
    assert PEC_UNCERTAIN in await rig.flags()


@pytest.mark.parametrize("force", [False, True])
async def test_the_code_of_another_programs_message_is_refused(
    rig: Rig, simulator: Simulator, force: bool
) -> None:
    id = await lost(rig, simulator, Phase.BEFORE)
    code = simulator.send_elsewhere(ADDRESSES[0], "Fattura", ["estraneo@altra.invalid"], coded=True)
    with pytest.raises(DecisionRefused, match=r"of another message: estraneo@altra\.invalid"):
        await rig.decisions.resolve_sent(id, code, force=force)
    assert await rig.state(id) is State.UNCERTAIN


async def test_resend_looks_first_and_names_the_code(rig: Rig, simulator: Simulator) -> None:
    id = await lost(rig, simulator, Phase.AFTER)
    with pytest.raises(DecisionRefused, match=f"acceptance with the code {simulator.sent[0].code}"):
        await rig.decisions.resolve_resend(id)
    assert await rig.state(id) is State.UNCERTAIN
    await rig.decisions.resolve_resend(id, force=True)
    await rig.pass_time(2)
    assert len(simulator.sent) == 2


async def test_resend_looks_for_the_code_that_an_answer_named(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its acceptance is dated so late that subject and time alone would not make it its."""
    simulator = simulated(clock, delays=Delays(acceptance_s=2400))

    async def breaks(*_: object) -> None:
        raise RuntimeError("a fault in what follows an answer")

    async with rig_on(tmp_path, clock, simulator) as rig:
        with monkeypatch.context() as patch:
            patch.setattr("bridge.outbox.settle.claim", breaks)
            id = await rig.submit("Fattura")
            await rig.pass_time(3)
        assert await rig.state(id) is State.UNCERTAIN
        await rig.pass_time(3000)
        with pytest.raises(DecisionRefused, match=f"with the code {simulator.sent[0].code}"):
            await rig.decisions.resolve_resend(id)
        await rig.pass_time(60)
    assert len(simulator.sent) == 1


async def test_resend_waits_while_the_api_cannot_be_asked(rig: Rig, simulator: Simulator) -> None:
    id = await lost(rig, simulator, Phase.BEFORE)
    simulator.faults.answer(Operation.INBOX_LIST, 500, times=None)
    with pytest.raises(DecisionRefused, match="the API could not be asked"):
        await rig.decisions.resolve_resend(id)
    assert await rig.state(id) is State.UNCERTAIN


async def test_another_messages_acceptance_does_not_hinder_a_resend(
    rig: Rig, simulator: Simulator
) -> None:
    id = await lost(rig, simulator, Phase.BEFORE)
    simulator.send_elsewhere(ADDRESSES[0], "Fattura", ["estraneo@altra.invalid"], coded=True)
    await rig.decisions.resolve_resend(id)
    await rig.pass_time(2)
    assert await rig.state(id) is State.SUBMITTED
