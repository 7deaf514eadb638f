"""Holding a queue: what a person let go meanwhile stays let go."""

from __future__ import annotations

from bridge.mailbox import MailboxTransaction
from bridge.model import SubmissionState
from bridge.outbox.hold import hold_entries
from bridge.simulator import Operation, Simulator
from tests.outbox.rig import Rig


async def test_what_a_person_forced_is_not_held_with_the_rest(
    rig: Rig, simulator: Simulator
) -> None:
    """The queue is looked at, then held; a ``retry`` may come between the two."""
    simulator.faults.answer(Operation.SEND, 429, times=None)
    first = await rig.submit("Forzato")
    second = await rig.submit("Altro")
    await rig.pass_time(0.5)

    async def forced_then_held(mtx: MailboxTransaction) -> int:
        return await hold_entries(mtx, rig.accounts[0], "No credit.", rig.clock.now())

    await rig.decisions.retry(first)
    assert await rig.mailboxes.write(forced_then_held) == 1
    row = await rig.row(first)
    assert (row.state, row.forced) == (SubmissionState.QUEUED, True)
    assert await rig.state(second) is SubmissionState.HELD
