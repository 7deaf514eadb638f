"""What waits says why and until when, and is an alarm after an hour."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.model import AccountId, QueueId, SubmissionState
from bridge.outbox.plan import Plan
from bridge.outbox.waiting import AccountQueue, Waiting, queued_since, why
from bridge.simulator import Failure, Operation, Phase, Simulator
from bridge.store.outbox import HoldCause, HoldRow, Step, TransitionRow
from tests.fakes import FakeClock
from tests.outbox.made import NOW, row_of
from tests.outbox.rig import ADDRESSES, Rig, rig_on

State = SubmissionState
HOUR_S, DAY_S = 3600.0, 86_400.0
YEAR = timedelta(days=365)
RESTORED = Step(State.UNCERTAIN, State.RESTORED, NOW)


@asynccontextmanager
async def watched(rig: Rig, *, accounts: int = 2, limit_s: float = HOUR_S) -> AsyncIterator[Rig]:
    """Look for what waits while the rig runs; only so many accounts are configured."""
    addresses = dict(zip(rig.accounts[:accounts], ADDRESSES, strict=False))
    waiting = Waiting(rig.store, rig.mailboxes, rig.clock, addresses, limit_s)
    running = asyncio.ensure_future(waiting.run())
    yield rig
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def kinds(rig: Rig, account: int = 0) -> list[tuple[str, str]]:
    return [(alarm.kind, alarm.key) for alarm in await rig.alarms(account)]


UNREACHED = {
    "unreachable": lambda faults: faults.fail(
        Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR, times=None
    ),
    "429": lambda faults: faults.answer(Operation.SEND, 429, times=None),
    "429 with a time": lambda faults: faults.answer(
        Operation.SEND, 429, headers={"Retry-After": "7200"}, times=None
    ),
}


@pytest.mark.slow
@pytest.mark.usefixtures("looks_rarely")
@pytest.mark.parametrize("fault", UNREACHED.values(), ids=UNREACHED)
async def test_an_hour_without_leaving_is_one_alarm_that_ends_by_itself(
    rig: Rig, simulator: Simulator, fault: object
) -> None:
    assert callable(fault)
    fault(simulator.faults)
    async with watched(rig):
        id = await rig.submit("Fattura 12")
        await rig.submit("Fattura 13")
        await rig.pass_time(HOUR_S - 60)
        assert await kinds(rig) == []
        await rig.pass_time(180)
        assert await kinds(rig) == [("waiting", "")]
        (notice,) = await rig.mail()
        text = notice.get_content()
        assert "2 accepted messages have not left yet" in text
        assert "Fattura 12" in text
        assert "Next try at" in text
        assert f"queue retry {id}" in text
        await rig.pass_time(DAY_S)
        assert len(await rig.mail()) == 1, "told once"
        simulator.faults.clear()
        await rig.pass_time(3 * HOUR_S)
        assert await kinds(rig) == []
        assert len(simulator.sent) == 2


@pytest.mark.usefixtures("looks_rarely")
async def test_each_message_waits_for_itself(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 429, times=None)
    async with watched(rig):
        first = await rig.submit("Primo")
        await rig.pass_time(HOUR_S - 600)
        await rig.decisions.cancel(first)
        await rig.submit("Secondo")
        await rig.pass_time(1200)
        assert await kinds(rig) == []


@pytest.mark.usefixtures("looks_rarely")
async def test_the_settings_say_how_long(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 429, times=None)
    async with watched(rig, limit_s=600):
        await rig.submit()
        await rig.pass_time(500)
        assert await kinds(rig) == []
        await rig.pass_time(240)
        assert await kinds(rig) == [("waiting", "")]


@pytest.mark.usefixtures("looks_rarely")
async def test_an_alarm_ends_when_what_waits_is_taken_back(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 429, times=None)
    async with watched(rig):
        id = await rig.submit()
        await rig.pass_time(2 * HOUR_S)
        await rig.decisions.cancel(id)
        await rig.pass_time(120)
        assert await kinds(rig) == []


@pytest.mark.usefixtures("looks_rarely")
async def test_what_is_held_has_its_own_alarm_only(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    plan = Plan("standard", 1, "day")
    async with rig_on(tmp_path, clock, simulator, plan=plan) as rig, watched(rig):
        for number in range(3):
            await rig.submit(f"Numero {number}")
        await rig.pass_time(3 * HOUR_S)
        assert await kinds(rig) == [("plan", "")]
        simulator.faults.answer(Operation.SEND, 402, times=None)
        await rig.submit("Altro account", account=1)
        await rig.pass_time(3 * HOUR_S)
        assert await kinds(rig, 1) == [("payment", "")]


@pytest.mark.usefixtures("looks_rarely")
async def test_an_account_that_left_the_settings_is_an_alarm_at_once(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 429, times=None)
    await rig.submit("Dimenticato", account=1)
    await rig.quiet()
    async with watched(rig, accounts=1):
        await rig.pass_time(1)
        assert await kinds(rig, 1) == [("waiting", "removed")]
        (alarm,) = await rig.alarms(1)
        assert ADDRESSES[1] in alarm.text
        await rig.pass_time(2 * HOUR_S)
        assert await kinds(rig, 1) == [("waiting", "removed")]
    async with watched(rig, accounts=2):
        await rig.pass_time(61)
        assert await kinds(rig, 1) == [("waiting", "")], "it is back, and still waits"


@pytest.mark.usefixtures("looks_rarely")
@pytest.mark.parametrize("state", ["uncertain", "restored"])
async def test_a_doubt_of_a_removed_account_is_an_alarm_until_it_is_ended(
    rig: Rig, simulator: Simulator, state: str
) -> None:
    simulator.faults.fail(Operation.SEND, Phase.AFTER, Failure.TIMEOUT)
    id = await rig.submit("Dimenticato", account=1)
    await rig.quiet()
    if state == "restored":
        await rig.store.write(lambda tx: tx.step_submission(id, RESTORED))
    async with watched(rig, accounts=1):
        await rig.pass_time(1)
        assert await kinds(rig, 1) == [("waiting", "removed")]
        await rig.decisions.resolve_drop(id)
        await rig.pass_time(61)
        assert await kinds(rig, 1) == []


# -- a clock that ran ahead ----------------------------------------------------------------------


@pytest.mark.usefixtures("looks_rarely")
@pytest.mark.parametrize("ahead", [YEAR, timedelta(hours=10)], ids=["a year", "ten hours"])
@pytest.mark.parametrize("fault", ["unreachable", "429", "429 with a time"])
async def test_a_queue_from_the_future_goes_on_when_the_clock_is_set_right(
    rig: Rig, simulator: Simulator, clock: FakeClock, fault: str, ahead: timedelta
) -> None:
    clock.wrong_by = ahead
    rule = UNREACHED[fault](simulator.faults)
    await rig.submit("Dal futuro")
    await rig.pass_time(3)
    clock.wrong_by = timedelta(0)
    simulator.faults.remove(rule)
    await rig.pass_time(2 * HOUR_S)  # a look
    assert [one.subject for one in simulator.sent] == ["Dal futuro"]


@pytest.mark.usefixtures("looks_rarely")
@pytest.mark.parametrize("status", [401, 402])
async def test_a_hold_from_the_future_is_probed_when_the_clock_is_set_right(
    rig: Rig, simulator: Simulator, clock: FakeClock, status: int
) -> None:
    clock.wrong_by = YEAR
    simulator.faults.answer(Operation.SEND, status)
    await rig.submit("Dal futuro")
    await rig.pass_time(3)
    clock.wrong_by = timedelta(0)
    await rig.pass_time(2 * HOUR_S + 60)
    assert [one.subject for one in simulator.sent] == ["Dal futuro"]


@pytest.mark.usefixtures("looks_rarely")
async def test_a_pause_from_the_future_ends_when_the_clock_is_set_right(
    rig: Rig, simulator: Simulator, clock: FakeClock
) -> None:
    clock.wrong_by = YEAR
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT, times=3)
    for number in range(4):
        await rig.submit(f"Numero {number}")
    await rig.pass_time(2)
    clock.wrong_by = timedelta(0)
    await rig.pass_time(4 * HOUR_S)
    assert [one.subject for one in simulator.sent] == ["Numero 3"]


@pytest.mark.usefixtures("looks_rarely")
async def test_five_days_are_counted_by_a_clock_that_is_right(
    rig: Rig, simulator: Simulator, clock: FakeClock
) -> None:
    """A first try from the future must not put the bounce off by a year."""
    simulator.faults.answer(Operation.SEND, 429, times=None)
    clock.wrong_by = YEAR
    ids = [await rig.submit("Primo"), await rig.submit("Secondo")]
    await rig.pass_time(3)
    clock.wrong_by = timedelta(0)
    await rig.pass_time(4.9 * DAY_S)
    assert [await rig.state(id) for id in ids] == [State.QUEUED, State.QUEUED]
    await rig.pass_time(0.5 * DAY_S)
    assert [await rig.state(id) for id in ids] == [State.REFUSED, State.REFUSED]


@pytest.mark.usefixtures("looks_rarely")
@pytest.mark.parametrize("stays", [False, True], ids=["set right", "stays"])
async def test_a_clock_that_jumps_ahead_in_an_outage_bounces_nothing_early(
    rig: Rig, simulator: Simulator, clock: FakeClock, stays: bool
) -> None:
    simulator.faults.answer(Operation.SEND, 429, times=None)
    ids = [await rig.submit("Primo"), await rig.submit("Secondo")]
    await rig.pass_time(HOUR_S)
    clock.wrong_by = YEAR
    ids.append(await rig.submit("Terzo"))
    await rig.pass_time(3 * HOUR_S)
    assert {await rig.state(id) for id in ids} == {State.QUEUED}
    clock.wrong_by = YEAR if stays else timedelta(0)
    await rig.pass_time(4.8 * DAY_S)
    assert {await rig.state(id) for id in ids} == {State.QUEUED}
    await rig.pass_time(0.6 * DAY_S)
    assert {await rig.state(id) for id in ids} == {State.REFUSED}


@pytest.mark.usefixtures("looks_rarely")
async def test_what_was_submitted_in_the_future_is_an_alarm_after_an_hour_too(
    rig: Rig, simulator: Simulator, clock: FakeClock
) -> None:
    simulator.faults.answer(Operation.SEND, 429, times=None)
    clock.wrong_by = YEAR
    await rig.submit()
    await rig.quiet()
    clock.wrong_by = timedelta(0)
    async with watched(rig):
        await rig.pass_time(HOUR_S + 120)
        assert await kinds(rig) == [("waiting", "")]


# -- why -----------------------------------------------------------------------------------------

HEAD = row_of(
    reason="The API asks to slow down (HTTP 429).",
    not_before=NOW + timedelta(minutes=10),
    retrying_since=NOW,
)
NEXT = row_of(id=QueueId("ABC2"), sequence=2)
HOLD = HoldRow(AccountId(1), HoldCause.PAYMENT, "No credit.", NOW, NOW + timedelta(minutes=8), 3)


@pytest.mark.parametrize(
    ("row", "queue", "reason"),
    [
        (NEXT, AccountQueue(NEXT, None), ""),
        (
            HEAD,
            AccountQueue(HEAD, None),
            "The API asks to slow down (HTTP 429). Next try at 2026-01-15 10:10 (Rome).",
        ),
        (NEXT, AccountQueue(row_of(), None), "Waits behind ABC1."),
        (
            NEXT,
            AccountQueue(HEAD, None),
            "Waits behind ABC1: The API asks to slow down (HTTP 429). "
            "Next try at 2026-01-15 10:10 (Rome).",
        ),
        (
            row_of(state=State.HELD, reason="No credit."),
            AccountQueue(None, HOLD),
            "No credit. Next try at 2026-01-15 10:08 (Rome).",
        ),
        (
            row_of(state=State.HELD, reason="The plan is used up."),
            AccountQueue(None, None),
            "The plan is used up.",
        ),
        (row_of(state=State.REFUSED, reason="No."), AccountQueue(HEAD, HOLD), "No."),
    ],
)
def test_why_an_entry_is_where_it_is(row: object, queue: AccountQueue, reason: str) -> None:
    assert why(row, queue, NOW) == reason  # type: ignore[arg-type]


def test_since_when_an_entry_waits() -> None:
    def step(minutes: int, old: State, new: State) -> TransitionRow:
        at = NOW + timedelta(minutes=minutes)
        return TransitionRow(QueueId("ABC1"), at, old, new, "", None)

    tries = (
        step(1, State.QUEUED, State.DISPATCHING),
        step(2, State.DISPATCHING, State.QUEUED),
        step(3, State.QUEUED, State.QUEUED),
    )
    assert queued_since(row_of(), tries) == NOW
    let_go = (*tries, step(4, State.QUEUED, State.HELD), step(9, State.HELD, State.QUEUED))
    assert queued_since(row_of(), let_go) == NOW + timedelta(minutes=9)
