"""Faults in memory: each failure, each phase, each way of choosing calls."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from bridge.simulator import (
    Failure,
    FaultRule,
    FixedAnswer,
    Hold,
    Operation,
    Phase,
    ReceivedRequest,
    Simulator,
)
from tests.fakes import FakeClock
from tests.simulator.caller import ADDRESS, Caller

ERRORS = {
    Failure.CONNECT_ERROR: httpx.ConnectError,
    Failure.CONNECT_TIMEOUT: httpx.ConnectTimeout,
    Failure.WRITE_ERROR: httpx.WriteError,
    Failure.WRITE_TIMEOUT: httpx.WriteTimeout,
    Failure.RESET: httpx.ReadError,
    Failure.TIMEOUT: httpx.ReadTimeout,
    Failure.DISCONNECT: httpx.RemoteProtocolError,
    Failure.TRUNCATED: httpx.RemoteProtocolError,
}


async def request(api: Caller, operation: Operation) -> httpx.Response:
    """Call one operation on message 1 or code 20260115100000."""
    if operation is Operation.SEND:
        return await api.send()
    method, _, path = operation.value.partition(" ")
    path = path.format(code="20260115100000", id=1, mailbox="INBOX")
    return await (api.get(path) if method == "GET" else api.delete(path))


def state(simulator: Simulator) -> tuple[int, int]:
    return len(simulator.sent), len(simulator.inbox(ADDRESS))


@pytest.mark.parametrize("failure", Failure, ids=lambda failure: failure.name)
@pytest.mark.parametrize("operation", Operation, ids=lambda operation: operation.name)
@pytest.mark.parametrize("phase", [Phase.BEFORE, Phase.DURING, Phase.AFTER])
async def test_each_failure_of_each_operation_in_each_phase(
    api: Caller, simulator: Simulator, failure: Failure, operation: Operation, phase: Phase
) -> None:
    simulator.inject(ADDRESS, subject="CONSEGNA: x 20260115100000")
    before = state(simulator)
    simulator.faults.fail(operation, phase, failure)
    with pytest.raises(ERRORS[failure]):
        await request(api, operation)
    changes = operation in (Operation.SEND, Operation.SEND_DELETE, Operation.INBOX_DELETE)
    assert (state(simulator) != before) is (changes and phase is Phase.AFTER)
    (call,) = simulator.calls()
    assert (call.operation, call.failure, call.status) == (operation, failure, None)
    assert call.processed is (phase is Phase.AFTER)
    assert simulator.faults.pending == ()


ANSWERS = {
    "garbled": FixedAnswer(201, b"<html>Gateway"),
    "empty": FixedAnswer(201, b""),
    "cut": FixedAnswer(201, b'{"success":true,"message_'),
    "500": FixedAnswer(500, {"success": False, "message": "MySQL Error 2006"}),
    "code in an error": FixedAnswer(
        200, {"success": False, "message_id": "2026011510000012", "message": ""}
    ),
    "429": FixedAnswer(429, {"success": False}, {"Retry-After": "30"}),
    "no content": FixedAnswer(204),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("phase", Phase)
async def test_any_answer_in_any_phase(
    api: Caller, simulator: Simulator, answer: FixedAnswer, phase: Phase
) -> None:
    simulator.faults.fail(Operation.SEND, phase, answer)
    response = await api.send()
    assert response.status_code == answer.status
    if isinstance(answer.body, bytes):
        assert response.content == answer.body
    else:
        assert response.json() == answer.body
    for name, value in answer.headers.items():
        assert response.headers[name] == value
    assert len(simulator.sent) == (1 if phase is Phase.AFTER else 0)
    assert simulator.calls()[0].status == answer.status


async def test_skip_and_times_choose_the_nth_calls(api: Caller, simulator: Simulator) -> None:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, FixedAnswer(500), skip=1, times=2)
    statuses = [(await api.send()).status_code for _ in range(5)]
    assert statuses == [201, 500, 500, 201, 201]


async def test_rules_strike_in_the_order_they_were_added(api: Caller, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 429)
    simulator.faults.answer(None, 402, times=2)
    statuses = [(await api.send()).status_code, (await api.get("/inbox")).status_code]
    statuses += [(await api.send()).status_code, (await api.send()).status_code]
    assert statuses == [429, 402, 402, 201]


async def test_a_rule_without_end_lasts_until_removed(api: Caller, simulator: Simulator) -> None:
    rule = simulator.faults.answer(None, 402, {"success": False}, times=None)
    for _ in range(3):
        assert (await api.get("/inbox")).status_code == 402
    assert simulator.faults.pending == (rule,)
    simulator.faults.remove(rule)
    assert (await api.get("/inbox")).status_code == 200
    simulator.faults.remove(rule)


async def test_clear_withdraws_all(api: Caller, simulator: Simulator) -> None:
    simulator.faults.answer(None, 500, times=None)
    simulator.faults.clear()
    assert (await api.get("/inbox")).status_code == 200


@pytest.mark.parametrize("phase", [Phase.BEFORE, Phase.AFTER])
async def test_a_rule_for_one_mailbox_spares_the_others(
    api: Caller, simulator: Simulator, phase: Phase
) -> None:
    simulator.add_mailbox("b@pec.invalid", "sua", "utente")
    simulator.faults.add(
        FaultRule(phase=phase, result=FixedAnswer(503), mailbox="b@pec.invalid", times=None)
    )
    theirs = {"username": "utente", "password": "sua", "sender": "b@pec.invalid"}
    assert (await api.send()).status_code == 201
    assert (await api.send(**theirs)).status_code == 503
    assert (await api.get("/inbox")).status_code == 200
    headers = {**api.bearer, "x-username": "utente", "x-password": "sua"}
    assert (await api.client.get("/inbox", headers=headers)).status_code == 503


async def test_a_rule_may_look_at_the_call(api: Caller, simulator: Simulator) -> None:
    def third_page(call: ReceivedRequest) -> bool:
        return call.target == "page=3"

    simulator.faults.add(
        FaultRule(phase=Phase.INSTEAD, result=FixedAnswer(500), when=third_page, times=None)
    )
    statuses = [(await api.get("/inbox", page=page)).status_code for page in (2, 3, 4)]
    assert statuses == [200, 500, 200]


async def test_a_held_call_waits_where_the_rule_says(api: Caller, simulator: Simulator) -> None:
    hold = Hold()
    simulator.faults.add(FaultRule(phase=Phase.AFTER, result=None, hold=hold))
    call = asyncio.create_task(api.send())
    await hold.reached.wait()
    assert len(simulator.sent) == 1
    assert not call.done()
    hold.release.set()
    assert (await call).status_code == 201


async def test_a_delay_passes_on_the_clock_and_then_all_is_well(
    api: Caller, simulator: Simulator, clock: FakeClock
) -> None:
    simulator.faults.add(FaultRule(phase=Phase.BEFORE, result=None, delay_s=30))
    call = asyncio.create_task(api.send())
    await clock.advance(29)
    assert not call.done()
    assert simulator.sent == []
    await clock.advance(1)
    assert (await call).status_code == 201


@pytest.mark.parametrize(
    "fields",
    [
        {"phase": Phase.INSTEAD, "result": Failure.RESET},
        {"phase": Phase.BEFORE, "result": None, "skip": -1},
        {"phase": Phase.BEFORE, "result": None, "times": 0},
        {"phase": Phase.BEFORE, "result": None, "delay_s": -1.0},
    ],
    ids=str,
)
def test_rules_that_make_no_sense_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w+ .*"):
        FaultRule(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [100, 199, 600])
def test_answers_have_a_final_status(status: int) -> None:
    with pytest.raises(ValueError, match="between 200 and 599"):
        FixedAnswer(status)
