"""Sends of unknown outcome where our clock and the service's differ by minutes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bridge.model import QueueId, SubmissionState
from bridge.outbox.decision import DecisionRefused
from bridge.simulator import Operation, Phase, Simulator
from bridge.store.outbox import ClaimBasis
from tests.fakes import FakeClock, Skewed
from tests.outbox.rig import ADDRESSES, Rig, rig_on, simulated
from tests.outbox.test_foreign import OURS, STRANGER, look, lose, sync

State = SubmissionState
MINUTE = timedelta(minutes=1)


async def asked(rig: Rig) -> list[str]:
    """Let half an hour go by, and return what people were asked."""
    await rig.pass_time(1801)
    await look(rig)
    return [mail.get_content() for mail in await rig.mail() if "--sent" in mail.get_content()]


async def found_or_asked(rig: Rig, simulator: Simulator, id: QueueId) -> bool:
    """Tell whether the send was found; if not, the person asked has its code."""
    await sync(rig, simulator)
    await look(rig)
    row = await rig.row(id)
    if row.state is State.SUBMITTED:
        assert row.code == simulator.sent[-1].code
        return True
    (question,) = await asked(rig)
    assert f"--sent {simulator.sent[-1].code}" in question
    return False


@pytest.mark.parametrize("minutes", [-14, -10, -3, -1, 0, 1, 10, 14])
async def test_what_left_is_found_or_asked_about_whoevers_clock_is_wrong(
    tmp_path: Path, clock: FakeClock, minutes: int
) -> None:
    simulator = simulated(Skewed(clock, minutes * MINUTE))
    async with rig_on(tmp_path, clock, simulator) as rig:
        id = await lose(rig, simulator, Phase.AFTER)
        assert await found_or_asked(rig, simulator, id) is (minutes > -2)


@pytest.mark.parametrize("synced", [True, False])
async def test_with_a_clock_ahead_a_person_can_say_what_is_so(
    tmp_path: Path, clock: FakeClock, synced: bool
) -> None:
    simulator = simulated(Skewed(clock, -10 * MINUTE))
    async with rig_on(tmp_path, clock, simulator) as rig:
        id = await lose(rig, simulator, Phase.AFTER)
        if synced:
            await sync(rig, simulator)
        with pytest.raises(DecisionRefused, match=simulator.sent[0].code):
            await rig.decisions.resolve_resend(id)
        row = await rig.decisions.resolve_sent(id, simulator.sent[0].code)
        assert row.claim is ClaimBasis.EVIDENCE
        await sync(rig, simulator)
        await look(rig, again=True)
        assert await rig.state(id) is State.SUBMITTED
        assert len(simulator.sent) == 1


@pytest.mark.parametrize("recipient", [OURS, STRANGER])
async def test_what_was_sent_before_ours_by_somebody_else_is_not_claimed(
    rig: Rig, simulator: Simulator, recipient: str
) -> None:
    code = simulator.send_elsewhere(ADDRESSES[0], "Fattura 12", [recipient], coded=True)
    await rig.pass_time(600)
    id = await lose(rig, simulator, Phase.BEFORE)
    await sync(rig, simulator)
    await look(rig)
    (question,) = await asked(rig)
    assert await rig.state(id) is State.UNCERTAIN
    assert (f"--sent {code}" in question) is (recipient == OURS)


async def test_a_code_that_a_failed_answer_named_is_found_with_a_clock_ahead(
    tmp_path: Path, clock: FakeClock
) -> None:
    simulator = simulated(Skewed(clock, -10 * MINUTE))
    async with rig_on(tmp_path, clock, simulator) as rig:
        code = simulator.send_elsewhere(ADDRESSES[0], "Fattura 12", [OURS], coded=True)
        simulator.faults.answer(Operation.SEND, 500, {"success": False, "message_id": code})
        id = await rig.submit("Fattura 12", OURS)
        await rig.pass_time(2)
        await look(rig)
        assert (await rig.row(id)).code == code
