"""Where a submitted message's copy stands: in ``Sent`` if it may have left, else ``Unsent``."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import bridge
from bridge.mailbox.flagchange import FlagChange
from bridge.model import (
    FLAGGED,
    NEVER_LEFT,
    PEC_FAILED,
    SEEN,
    SENT,
    UNSENT,
    Flag,
    Mailbox,
    MessageRow,
    QueueId,
    SubmissionState,
)
from bridge.outbox.plan import Plan
from bridge.simulator import Failure, FaultRule, FixedAnswer, Hold, Operation, Phase, Simulator
from bridge.store.base import ReadTransaction
from tests.fakes import FakeClock
from tests.in_memory import in_memory
from tests.outbox.rig import ADDRESSES, Rig, rig_on, submission_of

URGENT = Flag("Urgente")


async def box(rig: Rig, name: str) -> Mailbox:
    found = await rig.mailboxes.find(rig.accounts[0], name)
    assert found is not None
    return found


async def rows(rig: Rig, name: str) -> list[MessageRow]:
    mailbox = await box(rig, name)

    async def work(tx: ReadTransaction) -> list[MessageRow]:
        uids = [row[0] for row in await tx.index_rows(mailbox.id)]
        return await tx.message_rows(mailbox.id, uids)  # type: ignore[arg-type]

    return await rig.read(work)


async def shown(rig: Rig) -> dict[str, list[str]]:
    """Return the subjects in each of the two mailboxes."""
    return {name: [str(one["Subject"]) for one in await rig.mail(name)] for name in (SENT, UNSENT)}


async def held(rig: Rig, simulator: Simulator, subject: str = "Fermo") -> QueueId:
    """Submit what a 402 holds."""
    simulator.faults.answer(Operation.SEND, 402)
    id = await rig.submit(subject)
    await rig.quiet()
    assert await rig.state(id) is SubmissionState.HELD
    return id


async def test_what_is_held_is_not_in_sent_and_comes_back_when_it_is_sent(
    rig: Rig, simulator: Simulator
) -> None:
    await held(rig, simulator)
    assert await shown(rig) == {SENT: [], UNSENT: ["Fermo"]}
    await rig.pass_time(70)
    assert len(simulator.sent) == 1
    assert await shown(rig) == {SENT: ["Fermo"], UNSENT: []}


async def test_flags_keywords_and_internaldate_travel(rig: Rig, simulator: Simulator) -> None:
    await held(rig, simulator)
    (before,) = await rows(rig, UNSENT)
    unsent = await box(rig, UNSENT)
    await rig.mailboxes.change_flags(
        unsent.id, [before.uid], FlagChange.ADD, frozenset({URGENT, FLAGGED})
    )
    await rig.pass_time(70)
    (after,) = await rows(rig, SENT)
    assert after.flags == {SEEN, URGENT, FLAGGED}
    assert (after.internal_date, after.content) == (before.internal_date, before.content)


async def test_a_try_of_what_is_held_moves_its_copy_only_by_its_outcome(
    rig: Rig, simulator: Simulator
) -> None:
    hold = Hold()
    id = await held(rig, simulator)
    (before,) = await rows(rig, UNSENT)
    simulator.faults.add(FaultRule(phase=Phase.INSTEAD, result=FixedAnswer(402), hold=hold))
    await rig.pass_time(61)
    assert await rig.state(id) is SubmissionState.DISPATCHING
    assert await shown(rig) == {SENT: [], UNSENT: ["Fermo"]}
    hold.release.set()
    await rig.quiet()
    assert await rows(rig, UNSENT) == [before]


@pytest.mark.parametrize("outcome", ["answered", "lost", "refused", "killed"])
async def test_a_try_of_what_is_held_shows_in_sent_what_may_have_left(
    tmp_path: Path, clock: FakeClock, simulator: Simulator, outcome: str
) -> None:
    rig = await Rig.open(tmp_path, clock, simulator)
    rig.start()
    await held(rig, simulator)
    if outcome == "refused":
        simulator.faults.answer(Operation.SEND, 400)
    elif outcome == "killed":
        simulator.faults.add(FaultRule(phase=Phase.AFTER, result=None, hold=Hold()))
    elif outcome == "lost":
        simulator.faults.fail(Operation.SEND, Phase.AFTER, Failure.TIMEOUT)
    await rig.pass_time(70)
    if outcome == "killed":
        await rig.lose_memory()
        rig = await Rig.open(tmp_path, clock, simulator)
    is_sent = outcome != "refused"
    assert await shown(rig) == {
        SENT: ["Fermo"] * is_sent,
        UNSENT: ["Fermo"] * (not is_sent),
    }
    assert len(simulator.sent) == is_sent
    await rig.close()


@pytest.mark.parametrize("status", [402, 201])
async def test_a_clients_own_copy_during_a_try_of_what_is_held_is_no_second_one(
    rig: Rig, simulator: Simulator, status: int
) -> None:
    hold = Hold()
    await held(rig, simulator)
    ((raw,),) = [await rig.texts(UNSENT)]
    phase = Phase.INSTEAD if status == 402 else Phase.AFTER
    result = FixedAnswer(402) if status == 402 else None
    simulator.faults.add(FaultRule(phase=phase, result=result, hold=hold))
    await rig.pass_time(61)
    own = await rig.mailboxes.prepare(b"X-Client: yes\r\n" + raw)
    await rig.mailboxes.append((await box(rig, SENT)).id, own, frozenset(), rig.clock.now())
    hold.release.set()
    await rig.pass_time(5)
    expected = {SENT: [], UNSENT: ["Fermo"]} if status == 402 else {SENT: ["Fermo"], UNSENT: []}
    assert await shown(rig) == expected


@pytest.mark.parametrize("when", ["queued", "held"])
async def test_what_was_cancelled_is_not_in_sent(rig: Rig, simulator: Simulator, when: str) -> None:
    simulator.faults.answer(Operation.SEND, {"queued": 429, "held": 402}[when], times=None)
    id = await rig.submit("Ripreso")
    await rig.quiet()
    assert (await rig.state(id)).value == when
    await rig.decisions.cancel(id)
    assert await shown(rig) == {SENT: [], UNSENT: ["Ripreso"]}


async def test_what_was_refused_is_not_in_sent(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 400)
    await rig.submit("Respinto")
    await rig.quiet()
    assert await shown(rig) == {SENT: [], UNSENT: ["Respinto"]}
    assert PEC_FAILED in await rig.flags(UNSENT)
    (bounce,) = await rig.mail()
    assert "Unsent" in next(bounce.iter_parts()).get_content()


async def test_what_was_refused_and_comes_again_has_one_copy(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 400)
    await rig.submit("Di nuovo")
    await rig.quiet()
    await rig.submit("Di nuovo")
    assert await shown(rig) == {SENT: ["Di nuovo"], UNSENT: []}
    await rig.pass_time(5)
    assert await shown(rig) == {SENT: ["Di nuovo"], UNSENT: []}


async def test_what_may_have_left_stays_in_sent_whatever_a_person_decides(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
    id = await rig.submit("Incerto")
    await rig.quiet()
    assert await shown(rig) == {SENT: ["Incerto"], UNSENT: []}
    await rig.decisions.resolve_drop(id)
    assert await shown(rig) == {SENT: ["Incerto"], UNSENT: []}


async def test_what_waits_for_its_next_try_stays_in_sent(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR)
    await rig.submit("In coda")
    await rig.quiet()
    assert await shown(rig) == {SENT: ["In coda"], UNSENT: []}


async def test_over_the_plan_all_that_waits_goes_and_comes_back_in_order(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    plan = Plan("standard", 2, "day")
    subjects = [f"Numero {number}" for number in range(5)]
    async with rig_on(tmp_path, clock, simulator, plan=plan) as rig:
        for subject in subjects:
            await rig.submit(subject)
        await rig.pass_time(10)
        assert await shown(rig) == {SENT: subjects[:2], UNSENT: subjects[2:]}
        await rig.pass_time(3 * 86_400)
        assert await shown(rig) == {SENT: subjects, UNSENT: []}


async def test_a_copy_that_was_filed_elsewhere_stays_there(rig: Rig, simulator: Simulator) -> None:
    await held(rig, simulator)
    unsent, archive = await box(rig, UNSENT), await box(rig, "Archive")
    await rig.mailboxes.move(unsent.id, [row.uid for row in await rows(rig, UNSENT)], archive)
    await rig.pass_time(70)
    assert await shown(rig) == {SENT: [], UNSENT: []}
    assert [one["Subject"] for one in await rig.mail("Archive")] == ["Fermo"]


async def test_a_copy_that_was_deleted_does_not_come_back(rig: Rig, simulator: Simulator) -> None:
    await held(rig, simulator)
    unsent = await box(rig, UNSENT)
    await rig.mailboxes.expunge(unsent.id, [row.uid for row in await rows(rig, UNSENT)])
    await rig.pass_time(70)
    assert len(simulator.sent) == 1
    assert await shown(rig) == {SENT: [], UNSENT: []}


async def test_a_second_copy_elsewhere_stays(rig: Rig, simulator: Simulator) -> None:
    hold = Hold()
    simulator.faults.add(FaultRule(phase=Phase.INSTEAD, result=FixedAnswer(402), hold=hold))
    await rig.submit("Copiato")
    await rig.quiet()
    sent, archive = await box(rig, SENT), await box(rig, "Archive")
    await rig.mailboxes.copy(sent.id, [row.uid for row in await rows(rig, SENT)], archive)
    hold.release.set()
    await rig.quiet()
    assert await shown(rig) == {SENT: [], UNSENT: ["Copiato"]}
    assert len(await rig.mail("Archive")) == 1


async def test_the_mailbox_may_be_taken_away(rig: Rig, simulator: Simulator) -> None:
    await held(rig, simulator, "Uno")
    unsent = await box(rig, UNSENT)
    await rig.mailboxes.write(lambda mtx: mtx.delete(unsent.id))
    id = await rig.submit("Due")
    await rig.pass_time(5)
    assert await rig.state(id) is SubmissionState.HELD
    assert await shown(rig) == {SENT: [], UNSENT: ["Due"]}
    assert UNSENT in await rig.mailboxes.subscriptions(rig.accounts[0])


async def test_entries_that_share_a_copy_are_in_sent_as_soon_as_one_may_have_left(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 400)
    simulator.faults.answer(Operation.SEND, 402)
    await rig.submit("Condiviso", separate=["nascosto@altra.invalid"])
    await rig.pass_time(5)
    assert [row.state.value for row in await rig.rows()] == ["refused", "held"]
    assert await shown(rig) == {SENT: [], UNSENT: ["Condiviso"]}
    await rig.pass_time(61)
    assert [row.state.value for row in await rig.rows()] == ["refused", "submitted"]
    assert await shown(rig) == {SENT: ["Condiviso"], UNSENT: []}


async def test_one_of_two_that_share_a_copy_taken_back_moves_nothing(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
    simulator.faults.answer(Operation.SEND, 429, times=None)
    await rig.submit("Condiviso", separate=["nascosto@altra.invalid"])
    await rig.pass_time(3)
    first, second = await rig.rows()
    assert (first.state.value, second.state.value) == ("uncertain", "queued")
    await rig.decisions.cancel(second.id)
    assert await shown(rig) == {SENT: ["Condiviso"], UNSENT: []}


@pytest.mark.parametrize("prefix", [b"", b"X-Client: yes\r\n"], ids=["same bytes", "other bytes"])
async def test_a_clients_own_copy_of_what_is_held_is_not_left_in_sent(
    rig: Rig, simulator: Simulator, prefix: bytes
) -> None:
    """A client that submits and then files its copy does so when the 402 has come already."""
    simulator.faults.answer(Operation.SEND, 402)
    submission = submission_of("Prova", ["cliente@altra.invalid"], ADDRESSES[0], "Salve.")
    await rig.outbox.enqueue(
        rig.accounts[0], submission, hashlib.sha256(in_memory(submission.raw)).digest()
    )
    await rig.quiet()
    own = await rig.mailboxes.prepare(prefix + in_memory(submission.raw))
    filed = await rig.mailboxes.append(
        (await box(rig, SENT)).id, own, frozenset({SEEN}), datetime(2026, 1, 15, tzinfo=UTC)
    )
    assert filed.uid == 2
    assert await shown(rig) == {SENT: [], UNSENT: ["Prova"]}
    await rig.pass_time(70)
    assert await shown(rig) == {SENT: ["Prova"], UNSENT: []}


async def test_a_later_message_of_the_same_message_id_is_filed(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 400)
    submission = submission_of("Prova", ["cliente@altra.invalid"], ADDRESSES[0], "Salve.")
    await rig.outbox.enqueue(
        rig.accounts[0], submission, hashlib.sha256(in_memory(submission.raw)).digest()
    )
    await rig.quiet()
    again = replace(submission, raw=in_memory(submission.raw) + b"E altro.\r\n")
    await rig.outbox.enqueue(rig.accounts[0], again, hashlib.sha256(in_memory(again.raw)).digest())
    await rig.pass_time(5)
    own = await rig.mailboxes.prepare(in_memory(again.raw))
    await rig.mailboxes.append((await box(rig, SENT)).id, own, frozenset(), rig.clock.now())
    assert await rig.texts(SENT) == [again.raw]
    assert await rig.texts(UNSENT) == [submission.raw]
    sent = await box(rig, SENT)
    await rig.mailboxes.expunge(sent.id, [row.uid for row in await rows(rig, SENT)])
    await rig.mailboxes.append(sent.id, own, frozenset(), rig.clock.now())
    assert await rig.texts(SENT) == [again.raw], "put there again by the client"


@pytest.mark.parametrize("state", SubmissionState, ids=lambda state: state.value)
def test_only_what_did_not_leave_and_is_not_about_to_is_unsent(state: SubmissionState) -> None:
    assert (state in NEVER_LEFT) is (state.value in ("held", "refused", "cancelled"))


def test_no_step_is_taken_but_where_the_copy_is_seen_to() -> None:
    """A step taken past ``take_step`` would leave a copy where it does not belong."""
    outbox = Path(bridge.__file__).parent / "outbox"
    callers = {
        path.name
        for path in outbox.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "step_submission"
    }
    assert callers == {"step.py"}
