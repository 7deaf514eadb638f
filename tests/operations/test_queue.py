from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge.model import AccountId, QueueId, SubmissionState
from bridge.operations.accounts import ApiAccount, ApiAccounts
from bridge.operations.control import OperationFailed
from bridge.operations.queue import QueueOperations
from bridge.operations.table import Operations
from bridge.outbox.plan import PLANS
from bridge.outbox.window import SendingPace, Window
from bridge.simulator import Failure, Operation, Phase, Simulator
from tests.fakes import FakeClock
from tests.outbox.rig import ADDRESSES, Rig, simulated

PACE = SendingPace(1.0, PLANS["standard"], Window.parse(""))
CODE = "2026011510000099"


@pytest.fixture
def simulator(clock: FakeClock) -> Simulator:
    return simulated(clock)


@pytest.fixture
async def rig(tmp_path: Path, clock: FakeClock, simulator: Simulator) -> AsyncIterator[Rig]:
    """An outbox that sends nothing by itself: ``rig.start()`` begins."""
    rig = await Rig.open(tmp_path, clock, simulator)
    yield rig
    await rig.close()


class Asking:
    """Asks for operations as the command line does."""

    def __init__(self, rig: Rig, addresses: Mapping[AccountId, str] | None = None) -> None:
        known = addresses or dict(zip(rig.accounts, ADDRESSES, strict=True))
        accounts = ApiAccounts(
            tuple(ApiAccount(id, address, None) for id, address in known.items())
        )
        queue = QueueOperations(rig.store, rig.clock, accounts, rig.decisions, PACE)
        self._operations = Operations([queue.methods()])

    async def __call__(self, name: str, **arguments: object) -> Any:
        return await self._operations.perform(f"queue {name}", arguments, lambda done, total: None)


async def uncertain(rig: Rig, simulator: Simulator, subject: str = "Prova") -> QueueId:
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
    rig.start()
    id = await rig.submit(subject)
    await rig.quiet()
    assert await rig.state(id) is SubmissionState.UNCERTAIN
    return id


async def test_list_shows_an_entry_in_the_promised_shape(rig: Rig) -> None:
    id = await rig.submit("Fattura", "uno@altra.invalid", message_id="<uno@client.invalid>")
    assert await Asking(rig)("list") == [
        {
            "id": id,
            "account": ADDRESSES[0],
            "state": "queued",
            "message_id": "<uno@client.invalid>",
            "reference": "",
            "envid": "",
            "subject": "Fattura",
            "recipients": ["uno@altra.invalid"],
            "code": None,
            "reason": "",
            "attempts": 0,
            "urgent": False,
            "created_at": "2026-01-15T09:00:00.000Z",
            "updated_at": "2026-01-15T09:00:00.000Z",
            "expected_at": "2026-01-15T09:00:00.000Z",
        }
    ]


async def test_list_is_narrowed_by_state_and_account(rig: Rig, simulator: Simulator) -> None:
    first = await uncertain(rig, simulator, "a")
    second = await rig.submit("b", account=1)
    await rig.pass_time(3)
    ask = Asking(rig)
    assert [one["id"] for one in await ask("list")] == [first, second]
    assert [one["id"] for one in await ask("list", state="submitted")] == [second]
    assert [one["id"] for one in await ask("list", account=ADDRESSES[0].upper())] == [first]
    assert await ask("list", state="held", account=ADDRESSES[1]) == []
    (sent,) = await ask("list", state="submitted")
    assert (sent["code"], sent["attempts"]) == (simulator.sent[0].code, 1)


async def test_list_goes_back_thirty_days(rig: Rig, clock: FakeClock) -> None:
    await rig.decisions.cancel(await rig.submit("vecchio"))
    await clock.advance(30 * 86_400 + 1)
    await rig.submit("nuovo")
    assert [one["subject"] for one in await Asking(rig)("list")] == ["nuovo"]


async def test_list_is_narrowed_by_age_and_number(rig: Rig, clock: FakeClock) -> None:
    for name in ("a", "b", "c"):
        await rig.decisions.cancel(await rig.submit(name))
        await clock.advance(86_400 * 20)
    ask = Asking(rig)

    async def listed(**arguments: object) -> list[str]:
        return [one["subject"] for one in await ask("list", **arguments)]

    assert await listed() == ["c"]
    assert await listed(since="2026-01-15T09:00:00+00:00") == ["a", "b", "c"]
    assert await listed(since="2026-01-15T09:00:01Z") == ["b", "c"]
    assert await listed(since="2026-01-01T00:00:00Z", limit=2) == ["b", "c"]
    assert await listed(since="2026-01-01T00:00:00Z", limit=2, account=ADDRESSES[1]) == []


async def test_list_hides_nothing_that_has_not_ended_however_old(
    rig: Rig, clock: FakeClock, simulator: Simulator
) -> None:
    doubtful = await uncertain(rig, simulator)
    simulator.faults.answer(Operation.SEND, 402, times=None)
    held, waiting = await rig.submit("fermo"), await rig.submit("in coda", account=1)
    await rig.pass_time(5)
    await rig.dispatcher.stop()
    await rig.decisions.retry(waiting)
    ended = await rig.submit("finito")
    await rig.decisions.cancel(ended)
    await clock.advance(90 * 86_400)
    ask = Asking(rig)
    assert [one["id"] for one in await ask("list")] == [doubtful, held, waiting]
    assert [one["id"] for one in await ask("list", state="held")] == [held]
    assert await ask("list", state="cancelled") == []


async def test_a_doubt_of_a_removed_account_says_so(rig: Rig, simulator: Simulator) -> None:
    id = await uncertain(rig, simulator)
    ask = Asking(rig, {rig.accounts[1]: ADDRESSES[1]})
    for entry in (*await ask("list"), await ask("show", id=id)):
        assert f"{ADDRESSES[0]} is not in the configuration any more" in entry["reason"]
        assert "queue resolve" in entry["reason"]
    assert (await ask("resolve --drop", id=id))["state"] == "dropped"
    (entry,) = await ask("list")
    assert "configuration" not in entry["reason"]


async def test_list_hides_no_entry_of_an_account_that_left_the_settings(rig: Rig) -> None:
    await rig.submit("a")
    await rig.submit("b", account=1)
    ask = Asking(rig, {rig.accounts[1]: ADDRESSES[1]})
    assert [one["account"] for one in await ask("list")] == [None, ADDRESSES[1]]


async def test_show_tells_every_try_and_step(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 402, {"success": False, "message": "no credit"})
    rig.start()
    id = await rig.submit()
    await rig.pass_time(70)
    shown = await Asking(rig)("show", id=id)
    assert shown["state"] == "submitted"
    first, second = shown["tries"]
    assert (first["number"], first["status"], second["status"]) == (1, 402, 201)
    assert "no credit" in first["answer"]
    assert "no credit" in first["error"]
    assert second["error"] == ""
    assert [(step["old"], step["new"]) for step in shown["steps"]] == [
        ("queued", "dispatching"),
        ("dispatching", "held"),
        ("held", "dispatching"),
        ("dispatching", "submitted"),
    ]


async def test_cancel_and_retry(rig: Rig, simulator: Simulator) -> None:
    ask = Asking(rig)
    rule = simulator.faults.answer(Operation.SEND, 402, times=None)
    rig.start()
    first, second = await rig.submit("a"), await rig.submit("b")
    await rig.pass_time(3)
    assert (await ask("cancel", id=first))["state"] == "cancelled"
    simulator.faults.remove(rule)
    assert (await ask("retry", id=second))["state"] == "queued"
    await rig.quiet()
    assert [sent.subject for sent in simulator.sent] == ["b"]


@pytest.mark.parametrize(
    ("how", "arguments", "state", "code"),
    [
        ("--sent", {"code": CODE, "force": True}, "submitted", CODE),
        ("--resend", {"code": None}, "queued", None),
        ("--drop", {"code": None}, "dropped", None),
    ],
)
async def test_resolve(
    rig: Rig,
    simulator: Simulator,
    how: str,
    arguments: dict[str, object],
    state: str,
    code: str | None,
) -> None:
    id = await uncertain(rig, simulator)
    entry = await Asking(rig)(f"resolve {how}", id=id, **arguments)
    assert (entry["id"], entry["state"], entry["code"]) == (id, state, code)


async def test_a_persons_word_is_marked_until_it_is_taken_back(
    rig: Rig, simulator: Simulator
) -> None:
    id = await uncertain(rig, simulator)
    ask = Asking(rig)
    with pytest.raises(OperationFailed, match="--force takes your word"):
        await ask("resolve --sent", id=id, code=CODE)
    await ask("resolve --sent", id=id, code=CODE, force=True)
    (listed,) = await ask("list")
    shown = await ask("show", id=id)
    assert listed["on_word"] is shown["on_word"] is True
    assert listed["reason"] == "sent on a person's word, which nothing confirms"
    entry = await ask("resolve --reopen", id=id)
    assert (entry["state"], entry["code"], "on_word" in entry) == ("uncertain", None, False)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("retry", "is queued and cannot be retried: it will be sent in its turn"),
        ("resolve --resend", "is queued and cannot be resolved: it will be sent in its turn"),
        ("resolve --drop", "is queued and cannot be resolved: it will be sent in its turn"),
        ("resolve --sent", "is queued and cannot be resolved: it will be sent in its turn"),
    ],
)
async def test_a_decision_in_another_state_is_a_sentence(
    rig: Rig, name: str, sentence: str
) -> None:
    id = await rig.submit()
    with pytest.raises(OperationFailed, match=f"{id} {sentence}"):
        await Asking(rig)(name, id=id, code=CODE)
    assert await rig.state(id) is SubmissionState.QUEUED


async def test_what_was_sent_cannot_be_taken_back(rig: Rig) -> None:
    rig.start()
    id = await rig.submit()
    await rig.quiet()
    with pytest.raises(OperationFailed, match="has been sent, and a PEC cannot be taken back"):
        await Asking(rig)("cancel", id=id)


@pytest.mark.parametrize("name", ["retry", "cancel", "resolve --sent", "resolve --drop", "show"])
async def test_an_unknown_id_is_a_sentence(rig: Rig, name: str) -> None:
    with pytest.raises(OperationFailed, match="NOPE"):
        await Asking(rig)(name, id="NOPE", code=CODE)


async def test_an_unknown_account_is_a_sentence(rig: Rig) -> None:
    with pytest.raises(OperationFailed, match="There is no account x@y"):
        await Asking(rig)("list", account="x@y")


async def test_list_says_why_each_waits_and_until_when(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 429, times=None)
    rig.start()
    first = await rig.submit("a")
    await rig.submit("b")
    await rig.pass_time(60)
    one, two = await Asking(rig)("list")
    assert "slow down" in one["reason"]
    assert "Next try at 2026-01-15 10:0" in one["reason"]
    assert two["reason"] == f"Waits behind {first}: {one['reason']}"
    assert (await Asking(rig)("show", id=first))["reason"] == one["reason"]


async def test_an_entry_of_an_account_that_left_the_settings_says_so(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 402)
    rig.start()
    id = await rig.submit("a")
    await rig.quiet()
    ask = Asking(rig, {rig.accounts[1]: ADDRESSES[1]})
    (entry,) = await ask("list")
    sentence = f"The account {ADDRESSES[0]} is not in the configuration any more"
    assert entry["reason"].startswith(sentence)
    assert (await ask("show", id=id))["reason"].startswith(sentence)
    with pytest.raises(OperationFailed, match="not in the configuration any more"):
        await ask("retry", id=id)
    assert (await ask("cancel", id=id))["state"] == "cancelled"


async def test_what_nobody_can_send_is_not_sent_again(rig: Rig, simulator: Simulator) -> None:
    id = await uncertain(rig, simulator)
    ask = Asking(rig, {rig.accounts[1]: ADDRESSES[1]})
    with pytest.raises(OperationFailed, match="not in the configuration any more"):
        await ask("resolve --resend", id=id)
    assert await rig.state(id) is SubmissionState.UNCERTAIN


async def test_list_says_when_each_is_expected_to_leave(rig: Rig, simulator: Simulator) -> None:
    """In the order in which they leave; accounts take turns, and what is held is not expected."""
    first, second = await rig.submit("a"), await rig.submit("b")
    urgent = await rig.submit("c", urgent=True)
    other = await rig.submit("d", account=1)
    listed = {one["id"]: one["expected_at"] for one in await Asking(rig)("list")}
    begin = "2026-01-15T09:00:0"
    assert listed == {
        urgent: f"{begin}0.000Z",
        first: f"{begin}2.000Z",
        second: f"{begin}4.000Z",
        other: f"{begin}0.000Z",
    }
    simulator.faults.answer(Operation.SEND, 402, times=None)
    rig.start()
    await rig.pass_time(5)
    assert {one["expected_at"] for one in await Asking(rig)("list")} == {None}


@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("retry", {}),
        ("cancel", {}),
        ("resolve --sent", {"code": CODE, "force": True}),
        ("resolve --resend", {"force": True}),
        ("resolve --drop", {}),
    ],
)
async def test_a_decision_that_comes_late_changes_nothing(
    rig: Rig, simulator: Simulator, what: str, more: dict[str, object]
) -> None:
    """It was made on a version that is no longer so, though the state may be the same again."""
    id = await uncertain(rig, simulator)
    steps = await rig.store.read(lambda tx: tx.transitions(id))
    with pytest.raises(OperationFailed, match="look at it again"):
        await Asking(rig)(what, id=id, version=len(steps) - 1, **more)
    assert await rig.store.read(lambda tx: tx.transitions(id)) == steps


async def test_a_resend_asked_for_twice_is_sent_once(rig: Rig, simulator: Simulator) -> None:
    """Also where it is uncertain anew when the second word comes."""
    id = await uncertain(rig, simulator)
    version = len(await rig.store.read(lambda tx: tx.transitions(id)))
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
    await Asking(rig)("resolve --resend", id=id, force=True, version=version)
    await rig.pass_time(3)
    assert await rig.state(id) is SubmissionState.UNCERTAIN
    with pytest.raises(OperationFailed, match="look at it again"):
        await Asking(rig)("resolve --resend", id=id, force=True, version=version)
    await rig.pass_time(3)
    assert await rig.state(id) is SubmissionState.UNCERTAIN
    assert len(await rig.store.read(lambda tx: tx.attempts(id))) == 2
