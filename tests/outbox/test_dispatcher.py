from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

from bridge.apart.process import TooCostly
from bridge.api.ratelimit import LEAD_S
from bridge.mime.strict.content import Content, SignedPolicy, convert
from bridge.model import SubmissionState
from bridge.outbox import content
from bridge.outbox.attempt import Attempt
from bridge.outbox.conversion import Converted
from bridge.simulator import Failure, FaultRule, FixedAnswer, Hold, Operation, Phase, Simulator
from bridge.store.outbox import SubmissionRow
from tests.fakes import FakeClock, settle
from tests.outbox.rig import ADDRESSES, Rig, rig_on, starts, subjects

DISPATCHING = SubmissionState.DISPATCHING
SUBMITTED = SubmissionState.SUBMITTED
QUEUED = SubmissionState.QUEUED
UNCERTAIN = SubmissionState.UNCERTAIN
REFUSED = SubmissionState.REFUSED


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
        FaultRule(phase=Phase.AFTER, result=None, operation=Operation.SEND, delay_s=2.5, times=None)
    )
    for number in range(6):
        await rig.submit(f"Messaggio {number}")
    await rig.pass_time(12)
    assert starts(simulator)[-1] - starts(simulator)[0] < 5.2
    assert len(simulator.sent) == 6


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
        FaultRule(
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


async def test_a_refusal_is_an_answer_after_which_nothing_goes_more_carefully(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
    simulator.faults.answer(Operation.SEND, 400)
    holds = [Hold(), Hold()]
    for hold in holds:
        simulator.faults.add(
            FaultRule(phase=Phase.BEFORE, result=None, operation=Operation.SEND, hold=hold)
        )
    for number in range(4):
        await rig.submit(f"Messaggio {number}")
    await rig.pass_time(10)
    assert all(hold.reached.is_set() for hold in holds)  # beside each other again
    for hold in holds:
        hold.release.set()


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


@pytest.mark.parametrize(
    ("result", "least_s"),
    [
        pytest.param(FixedAnswer(429, headers={"Retry-After": "30"}), 30.0, id="429"),
        pytest.param(Failure.CONNECT_ERROR, 1.0, id="unreachable"),
    ],
)
async def test_nothing_overtakes_a_message_that_did_not_leave(
    rig: Rig, simulator: Simulator, result: FixedAnswer | Failure, least_s: float
) -> None:
    """The next one, picked while the first was under way, waits behind it as before."""
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, result)
    for subject in ("prima", "seconda", "terza"):
        await rig.submit(subject)
    await rig.pass_time(120)
    assert subjects(simulator) == ["prima", "seconda", "terza"]
    first, second = starts(simulator)[:2]
    assert second - first >= least_s - LEAD_S


async def test_an_account_held_meanwhile_sends_nothing_more(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    simulator.faults.add(
        FaultRule(phase=Phase.AFTER, result=FixedAnswer(402), operation=Operation.SEND, delay_s=5)
    )
    async with rig_on(tmp_path, clock, simulator, interval_s=10) as rig:
        for number in range(3):
            await rig.submit(f"Messaggio {number}")
        await rig.pass_time(30)
    assert len(simulator.calls(Operation.SEND)) == 1


async def test_a_message_that_cannot_be_converted_bounces_and_stops_nothing(
    rig: Rig, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fragile(raw: bytes, signed: SignedPolicy) -> Content:
        if b"veleno" in raw:
            raise RecursionError
        return convert(raw, signed)

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
        FaultRule(phase=Phase.BEFORE, result=None, operation=Operation.SEND, hold=hold)
    )
    large = "x" * 70 + "\n"
    await rig.submit("grande 1", body=large * 65_000)
    await rig.submit("grande 2", body=large * 65_000)
    while not hold.reached.is_set():  # it is converted in a process
        await rig.pass_time(1)
        await asyncio.sleep(0.01)
    await rig.submit("piccolo", account=1)
    await rig.pass_time(10)
    assert subjects(simulator) == ["piccolo"]
    hold.release.set()
    while len(simulator.sent) < 3:
        await rig.pass_time(1)
        await asyncio.sleep(0.01)
    assert subjects(simulator) == ["piccolo", "grande 1", "grande 2"]


async def test_so_much_is_on_its_way_at_once(
    rig: Rig, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.outbox.dispatcher.REQUESTS_BYTES", 300_000)
    hold = Hold()
    simulator.faults.add(
        FaultRule(phase=Phase.BEFORE, result=None, operation=Operation.SEND, hold=hold, times=9)
    )
    for number in range(3):
        await rig.submit(f"mezzano {number}", body=("x" * 70 + "\n") * 3_000)

    async def until(held: int) -> None:
        while len(rig.dispatcher._held_bytes) != held:
            await rig.pass_time(1)
            await asyncio.sleep(0.01)

    await until(2)
    await rig.pass_time(10)
    assert len(rig.dispatcher._held_bytes) == 2
    await asyncio.sleep(0.1)
    await rig.pass_time(1)
    assert len(rig.dispatcher._held_bytes) == 2
    await rig.submit("piccolo", account=1)
    await until(3)
    hold.release.set()
    while len(simulator.sent) < 4:
        await rig.pass_time(1)
        await asyncio.sleep(0.01)
    await until(0)


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Make the conversion of large messages go on until the event is set, then give up."""
    given_up = asyncio.Event()

    async def convert_apart(*_: object) -> Converted:
        await given_up.wait()
        raise TooCostly("it takes longer than 60 seconds")

    monkeypatch.setattr(content, "convert_apart", convert_apart)
    return given_up


async def test_a_conversion_that_does_not_end_holds_up_no_other_account(
    rig: Rig, simulator: Simulator, endless: asyncio.Event
) -> None:
    costly = await rig.submit("pesante", body=("x" * 70 + "\n") * 65_000)
    await rig.submit("piccolo", account=1)
    await rig.pass_time(10)
    assert subjects(simulator) == ["piccolo"]
    endless.set()
    await rig.submit("poi")
    while await rig.state(costly) is not REFUSED:  # its text is read on a thread
        await rig.pass_time(1)
        await asyncio.sleep(0.01)
    await rig.pass_time(10)
    assert "longer than 60 seconds" in (await rig.mail())[0].as_string()
    assert subjects(simulator) == ["piccolo", "poi"]


async def test_text_that_costs_holds_up_no_other_account(
    rig: Rig, simulator: Simulator, endless: asyncio.Event
) -> None:
    """Nor does it come before what its own account submitted later."""
    costly = await rig.submit("pesante", body=("x" * 70 + "\n") * 4_000)
    await rig.submit("poi")
    await rig.submit("piccolo", account=1)
    await rig.submit("mezzano", body=("x" * 70 + "\n") * 2_000, account=1)
    while len(simulator.sent) < 2:
        await rig.pass_time(1)
        await asyncio.sleep(0.01)
    await rig.pass_time(10)
    assert subjects(simulator) == ["piccolo", "mezzano"]
    endless.set()
    while await rig.state(costly) is not REFUSED:  # its text is read on a thread
        await rig.pass_time(1)
        await asyncio.sleep(0.01)
    await rig.pass_time(10)
    assert subjects(simulator) == ["piccolo", "mezzano", "poi"]


async def test_stop_does_not_wait_for_a_conversion(rig: Rig, endless: asyncio.Event) -> None:
    costly = await rig.submit("pesante", body=("x" * 70 + "\n") * 65_000)
    await rig.pass_time(1)
    await asyncio.wait_for(rig.dispatcher.stop(), 10)
    assert await rig.state(costly) is QUEUED


async def test_stop_begins_no_conversion(
    rig: Rig, endless: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop that comes while an entry's size is looked up finds no conversion to end yet."""
    looked, told = asyncio.Event(), asyncio.Event()

    is_longer = content.is_longer

    async def is_longer_slowly(*arguments: Any) -> bool:
        looked.set()
        await told.wait()
        return await is_longer(*arguments)

    monkeypatch.setattr(content, "is_longer", is_longer_slowly)
    costly = await rig.submit("pesante", body=("x" * 70 + "\n") * 65_000)
    while not looked.is_set():
        await rig.pass_time(1)
    stop = asyncio.ensure_future(rig.dispatcher.stop())
    await asyncio.sleep(0)
    told.set()
    await asyncio.wait_for(stop, 10)
    assert await rig.state(costly) is QUEUED


# -- the end of a process --------------------------------------------------------------------


async def test_stop_lets_a_request_under_way_finish(rig: Rig, simulator: Simulator) -> None:
    hold = Hold()
    simulator.faults.add(FaultRule(phase=Phase.AFTER, result=None, hold=hold))
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
    simulator.faults.add(FaultRule(phase=Phase.AFTER, result=None, hold=Hold()))
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


async def test_a_stop_while_a_start_is_written_down_leaves_it_queued(
    tmp_path: Path, clock: FakeClock, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = await Rig.open(tmp_path, clock, simulator)
    begin, is_begun, goes_on = rig.settler.begin, asyncio.Event(), asyncio.Event()

    async def slow(row: SubmissionRow) -> Attempt | None:
        attempt = await begin(row)
        is_begun.set()
        await goes_on.wait()
        return attempt

    monkeypatch.setattr(rig.settler, "begin", slow)
    running = asyncio.ensure_future(rig.dispatcher.run())
    id = await rig.submit()
    await is_begun.wait()
    running.cancel()
    await settle()
    assert await rig.state(id) is DISPATCHING
    goes_on.set()
    await asyncio.gather(running, return_exceptions=True)
    assert await rig.state(id) is QUEUED
    assert simulator.calls() == []
    await rig.close()


async def test_a_crash_while_dispatching_is_uncertain_at_the_restart(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    simulator.faults.add(FaultRule(phase=Phase.BEFORE, result=None, hold=Hold()))
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
