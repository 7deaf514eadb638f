from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.mailbox.texts import ORPHAN_AGE
from bridge.mime.ingest import Ingested
from bridge.mime.strict.rules import SubmissionRules
from bridge.mime.strict.submission import Additions, Envelope, check_submission
from bridge.model import PEC_FAILED, PEC_UNCERTAIN, SEEN, SENT, SubmissionState, Uid
from bridge.outbox.plan import Plan
from bridge.outbox.queue import PlanUsedUp, QueueSettings, SameMessageId
from bridge.simulator import Failure, FaultRule, Hold, Operation, Phase, Simulator
from bridge.store.base import StoreFailed, StoreFull
from tests.fakes import FakeClock
from tests.in_memory import in_memory
from tests.outbox.rig import ADDRESSES, Rig, rig_on, submission_of

SMALL = Plan("standard", 3, "day")


async def test_a_queued_message_is_in_sent_byte_for_byte(rig: Rig) -> None:
    submission = submission_of("Prova", ["cliente@altra.invalid"], ADDRESSES[0], "Salve.")
    await rig.outbox.enqueue(
        rig.accounts[0], submission, hashlib.sha256(in_memory(submission.raw)).digest()
    )
    assert await rig.texts("Sent") == [submission.raw]
    assert SEEN in await rig.flags()


async def test_the_same_message_again_is_the_same_entry(rig: Rig, simulator: Simulator) -> None:
    first = await rig.submit()
    assert await rig.submit() == first
    await rig.pass_time(5)
    assert await rig.submit() == first
    await rig.pass_time(5)
    assert len(simulator.sent) == 1
    assert len(await rig.mail("Sent")) == 1


async def test_a_hundred_repetitions_at_once_are_one_entry(rig: Rig, simulator: Simulator) -> None:
    ids = await asyncio.gather(*(rig.submit() for _ in range(100)))
    assert len(set(ids)) == 1
    await rig.pass_time(5)
    assert len(simulator.sent) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"message_id": "<altro@client.invalid>"},
        {"account": 1},
    ],
    ids=str,
)
async def test_another_message_is_another_entry(rig: Rig, change: dict[str, object]) -> None:
    name: dict[str, object] = {"message_id": "<uno@client.invalid>"}
    first = await rig.submit("Prova", **name)  # type: ignore[arg-type]
    assert await rig.submit("Prova", **{**name, **change}) != first  # type: ignore[arg-type]


async def test_other_recipients_are_another_entry(rig: Rig) -> None:
    first = await rig.submit("Prova", "uno@altra.invalid", message_id="<uno@client.invalid>")
    second = await rig.submit("Prova", "due@altra.invalid", message_id="<uno@client.invalid>")
    assert first != second


async def test_the_order_of_recipients_and_their_case_make_no_other_message(rig: Rig) -> None:
    submission = submission_of("Prova", ["uno@altra.invalid"], ADDRESSES[0], "Salve.")
    digest = hashlib.sha256(in_memory(submission.raw)).digest()
    ids = set()
    for entry in (("a@b.invalid", "c@d.invalid"), ("C@D.invalid", "a@b.invalid")):
        again = type(submission)(
            submission.raw,
            submission.message_id,
            submission.identity,
            submission.subject,
            (entry,),
        )
        ids.add((await rig.outbox.enqueue(rig.accounts[0], again, digest)).id)
    assert len(ids) == 1


async def test_without_an_identity_nothing_is_taken_for_a_repetition(rig: Rig) -> None:
    assert await rig.submit(message_id="") != await rig.submit(message_id="")


async def test_the_window_ends(rig: Rig) -> None:
    first = await rig.submit()
    await rig.pass_time(24 * 3600 - 1)
    assert await rig.submit() == first
    await rig.pass_time(2)
    assert await rig.submit() != first


async def test_a_repetition_without_a_message_id_but_with_a_date_is_the_same(rig: Rig) -> None:
    submission = submission_of("Prova", ["cliente@altra.invalid"], ADDRESSES[0], "Salve.")
    dated = replace(submission, identity="Thu, 15 Jan 2026 10:00:00 +0100", has_message_id=False)
    digest = hashlib.sha256(in_memory(dated.raw)).digest()
    first = await rig.outbox.enqueue(rig.accounts[0], dated, digest)
    assert (await rig.outbox.enqueue(rig.accounts[0], dated, digest)).id == first.id
    other = await rig.outbox.enqueue(rig.accounts[0], dated, b"other bytes")
    assert other.id != first.id


@pytest.mark.usefixtures("looks_rarely")
@pytest.mark.parametrize("days", [1.1, 3.0])
@pytest.mark.parametrize("fate", ["held", "queued", "uncertain"])
async def test_the_window_lasts_until_the_first_is_final(
    rig: Rig, simulator: Simulator, fate: str, days: float
) -> None:
    match fate:
        case "held":
            simulator.faults.answer(Operation.SEND, 402, times=None)
        case "queued":
            simulator.faults.answer(Operation.SEND, 429, times=None)
        case "uncertain":
            simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
    first = await rig.submit()
    await rig.pass_time(days * 86_400)
    assert (await rig.state(first)).value == fate
    assert await rig.submit() == first
    simulator.faults.clear()
    await rig.pass_time(2 * 3600)
    assert await rig.submit() == first
    await rig.pass_time(60)
    assert len(simulator.sent) == (0 if fate == "uncertain" else 1)
    assert len(await rig.rows()) == 1


async def test_a_message_being_sent_has_no_second(rig: Rig, simulator: Simulator) -> None:
    hold = Hold()
    simulator.faults.add(FaultRule(phase=Phase.AFTER, result=None, hold=hold))
    first = await rig.submit()
    await rig.pass_time(25 * 3600)
    assert await rig.state(first) is SubmissionState.DISPATCHING
    assert await rig.submit() == first
    hold.release.set()
    await rig.pass_time(5)
    assert len(simulator.sent) == 1


BUILT = "<ordine-7@erp.invalid>"


async def test_a_message_built_anew_is_refused_for_an_hour(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 402)
    first = await rig.submit("Ordine 7", body="uno", message_id=BUILT)
    await rig.pass_time(5)
    with pytest.raises(SameMessageId) as refusal:
        await rig.submit("Ordine 7", body="due", message_id=BUILT)
    assert (refusal.value.first.id, refusal.value.first.state.value) == (first, "held")
    assert await rig.submit("Ordine 7", body="uno", message_id=BUILT) == first
    assert len(await rig.rows()) == len(await rig.mail("Sent")) + len(await rig.mail("Unsent")) == 1
    await rig.pass_time(3600 - 6)
    with pytest.raises(SameMessageId):
        await rig.submit("Ordine 7", body="due", message_id=BUILT)
    await rig.pass_time(2)
    second = await rig.submit("Ordine 7", body="due", message_id=BUILT)
    assert second != first
    await rig.pass_time(60)
    assert len(simulator.sent) == 2


@pytest.mark.parametrize(
    "change",
    [{"subject": "Ordine 8"}, {"to": "altri@altra.invalid"}, {"message_id": "<b@erp.invalid>"}],
    ids=str,
)
async def test_only_all_three_make_a_message_built_anew(rig: Rig, change: dict[str, str]) -> None:
    first = {"subject": "Ordine 7", "to": "uno@altra.invalid", "message_id": "<a@erp.invalid>"}
    ids = set()
    for one, body in ((first, "uno"), ({**first, **change}, "due")):
        ids.add(
            await rig.submit(one["subject"], one["to"], body=body, message_id=one["message_id"])
        )
    assert len(ids) == 2


async def test_built_anew_may_be_told_to_be_sent(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    settings = QueueSettings(same_message_id="send", subject_reference="suffix")
    async with rig_on(tmp_path, clock, simulator, queue=settings) as rig:
        first = await rig.submit("Ordine 7", body="uno", message_id=BUILT)
        assert await rig.submit("Ordine 7", body="due", message_id=BUILT) != first


async def test_a_reference_in_the_subject_hides_no_message_built_anew(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    settings = QueueSettings(subject_reference="suffix", dedup_window_s=0)
    async with rig_on(tmp_path, clock, simulator, queue=settings) as rig:
        first = await rig.submit("Ordine 7", body="uno", message_id=BUILT)
        with pytest.raises(SameMessageId, match=first):
            await rig.submit("Ordine 7", body="due", message_id=BUILT)
        assert await rig.submit("Ordine 7", body="uno", message_id=BUILT) != first


async def test_what_did_not_leave_for_good_is_no_obstacle_to_a_message_built_anew(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 400)
    refused = await rig.submit("Ordine 7", body="uno", message_id=BUILT)
    await rig.pass_time(5)
    simulator.faults.answer(Operation.SEND, 402)
    taken_back = await rig.submit("Ordine 7", body="due", message_id=BUILT)
    await rig.pass_time(5)
    await rig.decisions.cancel(taken_back)
    third = await rig.submit("Ordine 7", body="tre", message_id=BUILT)
    assert len({refused, taken_back, third}) == 3


async def test_one_hidden_recipient_reached_twice_is_enough(rig: Rig) -> None:
    hidden = ["nascosto@altra.invalid"]
    await rig.submit("Ordine 7", "uno@altra.invalid", body="uno", separate=hidden, message_id=BUILT)
    for to, separate in (("uno@altra.invalid", []), ("due@altra.invalid", hidden)):
        with pytest.raises(SameMessageId):
            await rig.submit("Ordine 7", to, body="due", separate=separate, message_id=BUILT)
    assert len(await rig.rows()) == 2
    await rig.submit("Ordine 7", "due@altra.invalid", body="due", message_id=BUILT)
    assert len(await rig.rows()) == 3


async def test_a_second_submission_of_one_message_id_has_a_copy_of_its_own(rig: Rig) -> None:
    await rig.submit("Primo", body="uno", message_id="<stesso@client.invalid>")
    await rig.submit("Secondo", body="due", message_id="<stesso@client.invalid>")
    assert [one["Subject"] for one in await rig.mail("Sent")] == ["Primo", "Secondo"]


async def test_a_keyword_marks_only_its_own_copy(rig: Rig, simulator: Simulator) -> None:
    await rig.submit("Primo", body="uno", message_id="<stesso@client.invalid>")
    await rig.pass_time(5)
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
    await rig.submit("Secondo", body="due", message_id="<stesso@client.invalid>")
    await rig.pass_time(5)
    shown = {one["Subject"]: PEC_UNCERTAIN in flags for one, flags in await rig.marked("Sent")}
    assert shown == {"Primo": False, "Secondo": True}


async def test_no_window_means_no_repetitions(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    settings = QueueSettings(dedup_window_s=0)
    async with rig_on(tmp_path, clock, simulator, queue=settings) as rig:
        assert await rig.submit() != await rig.submit()
        assert len(await rig.rows()) == 2


async def test_what_was_refused_or_taken_back_may_come_again(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 400)
    refused = await rig.submit("respinto")
    await rig.quiet()
    assert await rig.submit("respinto") != refused
    simulator.faults.answer(Operation.SEND, 402)
    held = await rig.submit("fermo")
    await rig.pass_time(3)
    assert await rig.submit("fermo") == held
    await rig.decisions.cancel(held)
    assert await rig.submit("fermo") != held


async def test_hidden_recipients_get_an_entry_each(rig: Rig, simulator: Simulator) -> None:
    first = await rig.submit("Prova", separate=["nascosto@altra.invalid"])
    await rig.pass_time(5)
    assert [sent.recipients for sent in simulator.sent] == [
        ("cliente@altra.invalid",),
        ("nascosto@altra.invalid",),
    ]
    rows = await rig.rows()
    assert (len(rows), rows[0].id) == (2, first)
    assert len(await rig.mail("Sent")) == 1
    assert await rig.submit("Prova", separate=["nascosto@altra.invalid"]) == first
    assert len(await rig.rows()) == 2


async def test_the_plan_refuses_when_it_is_told_to(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    settings = QueueSettings(plan=SMALL, over_plan="refuse")
    rig = await Rig.open(tmp_path, clock, simulator, plan=SMALL, queue=settings)
    await rig.submit("a", "uno@altra.invalid", "due@altra.invalid")
    with pytest.raises(PlanUsedUp, match=r"3 PEC a day .* 2026-01-16 00:00 \(Rome\)"):
        await rig.submit("b", "uno@altra.invalid", "due@altra.invalid")
    assert len(await rig.rows()) == len(await rig.mail("Sent")) == 1
    await rig.submit("c")
    await clock.advance(86_400)
    with pytest.raises(PlanUsedUp):  # what waits is of the new day as well
        await rig.submit("d")
    await rig.close()


async def test_a_repetition_is_no_matter_for_the_plan(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    settings = QueueSettings(plan=SMALL, over_plan="refuse")
    async with rig_on(tmp_path, clock, simulator, plan=SMALL, queue=settings) as rig:
        to = ("uno@altra.invalid", "due@altra.invalid", "tre@altra.invalid")
        assert await rig.submit("a", *to) == await rig.submit("a", *to)


async def test_a_reference_in_the_subject(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    settings = QueueSettings(subject_reference="suffix")
    async with rig_on(tmp_path, clock, simulator, queue=settings) as rig:
        named, bare = await rig.submit("Fattura 12"), await rig.submit("")
        await rig.pass_time(3)
        assert [sent.subject for sent in simulator.sent] == [f"Fattura 12 [{named}]", f"[{bare}]"]
        message = (await rig.mail("Sent"))[0]
        assert message["Subject"] == "Fattura 12"


@pytest.mark.parametrize("error", [StoreFull, StoreFailed])
async def test_a_store_that_fails_queues_nothing(
    rig: Rig, simulator: Simulator, error: type[StoreFailed], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(*_: object) -> None:
        raise error("disk")

    with monkeypatch.context() as patch:
        patch.setattr(rig.store, "write", write)
        with pytest.raises(error):
            await rig.submit()
    await rig.pass_time(60)
    assert simulator.sent == []
    assert await rig.mail("Sent") == []


async def test_a_clients_own_copy_in_sent_stays_the_only_one(rig: Rig) -> None:
    submission = submission_of("Prova", ["cliente@altra.invalid"], ADDRESSES[0], "Salve.")
    message: Ingested = await rig.mailboxes.prepare(in_memory(submission.raw))
    sent = await rig.mailboxes.find(rig.accounts[0], SENT)
    assert sent is not None
    own = await rig.mailboxes.append(sent.id, message, frozenset(), rig.clock.now())
    await rig.outbox.enqueue(
        rig.accounts[0], submission, hashlib.sha256(in_memory(submission.raw)).digest()
    )
    again = await rig.mailboxes.append(sent.id, message, frozenset(), rig.clock.now())
    assert own.uid == again.uid == Uid(1)
    assert len(await rig.mail("Sent")) == 1


@pytest.mark.parametrize("own_first", [True, False], ids=["copy first", "submitted first"])
@pytest.mark.parametrize("lacks", ["Message-ID", "Message-ID and Date", "a good Message-ID"])
async def test_a_clients_own_copy_without_a_message_id_is_known(
    rig: Rig, own_first: bool, lacks: str
) -> None:
    fields = f"From: {ADDRESSES[0]}\r\nTo: cliente@altra.invalid\r\nSubject: Prova\r\n"
    fields += "" if "Date" in lacks else "Date: Thu, 15 Jan 2026 09:59:00 +0100\r\n"
    fields += "Message-ID: 12\r\n" if "good" in lacks else ""
    raw = f"{fields}\r\nSalve.\r\n".encode()
    envelope = Envelope(ADDRESSES[0], ("cliente@altra.invalid",))
    additions = Additions(lambda: "Thu, 15 Jan 2026 10:00:00 +0100", lambda: "<made@pec.invalid>")
    submission = check_submission(raw, envelope, SubmissionRules(), additions)
    sent = await rig.mailboxes.find(rig.accounts[0], SENT)
    assert sent is not None

    async def file_own_copy() -> None:
        own = await rig.mailboxes.prepare(raw)
        await rig.mailboxes.append(sent.id, own, frozenset(), rig.clock.now())

    if own_first:
        await file_own_copy()
    await rig.outbox.enqueue(rig.accounts[0], submission, hashlib.sha256(raw).digest())
    if not own_first:
        await file_own_copy()
    assert len(await rig.mail("Sent")) == 1
    await rig.mailboxes.append(
        sent.id, await rig.mailboxes.prepare(raw + b"P.S.\r\n"), frozenset(), rig.clock.now()
    )
    assert len(await rig.mail("Sent")) == 2


RAW = f"From: {ADDRESSES[0]}\r\nTo: cliente@altra.invalid\r\n\r\nSalve.\r\n".encode()


async def test_a_message_that_was_never_submitted_is_nobodys_own_copy(rig: Rig) -> None:
    sent = await rig.mailboxes.find(rig.accounts[0], SENT)
    assert sent is not None
    for raw in (b"Message-ID: <1@client.invalid>\r\n" + RAW, RAW):
        message = await rig.mailboxes.prepare(raw)
        await rig.mailboxes.append(sent.id, message, frozenset(), rig.clock.now())
    assert len(await rig.mail("Sent")) == 2


async def test_an_own_copy_stands_for_one_submission_only(rig: Rig) -> None:
    sent = await rig.mailboxes.find(rig.accounts[0], SENT)
    assert sent is not None
    own = await rig.mailboxes.prepare(RAW)
    await rig.mailboxes.append(sent.id, own, frozenset(), rig.clock.now())
    envelope = Envelope(ADDRESSES[0], ("cliente@altra.invalid",))
    for number in (1, 2):
        made = Additions(lambda: "", lambda number=number: f"<{number}@pec.invalid>")  # type: ignore[misc]
        submission = check_submission(RAW, envelope, SubmissionRules(), made)
        await rig.outbox.enqueue(rig.accounts[0], submission, hashlib.sha256(RAW).digest())
        assert len(await rig.mail("Sent")) == number


async def test_a_clients_own_copy_of_other_bytes_shows_what_became_of_the_send(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 400)
    submission = submission_of("Prova", ["cliente@altra.invalid"], ADDRESSES[0], "Salve.")
    sent = await rig.mailboxes.find(rig.accounts[0], SENT)
    assert sent is not None
    own = await rig.mailboxes.prepare(b"X-Client: yes\r\n" + in_memory(submission.raw))
    await rig.mailboxes.append(sent.id, own, frozenset(), rig.clock.now())
    await rig.outbox.enqueue(
        rig.accounts[0], submission, hashlib.sha256(in_memory(submission.raw)).digest()
    )
    await rig.quiet()
    assert await rig.mail("Sent") == []
    assert await rig.texts("Unsent") == [own.raw]
    assert await rig.flags("Unsent") == {PEC_FAILED}


async def test_a_message_deleted_from_sent_still_leaves(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.answer(Operation.SEND, 402)
    id = await rig.submit("Prova")
    await rig.quiet()
    sent = await rig.mailboxes.find(rig.accounts[0], SENT)
    assert sent is not None
    await rig.mailboxes.expunge(sent.id, [Uid(1)])
    await rig.clock.advance(ORPHAN_AGE.total_seconds() + 60)
    await rig.mailboxes.drop_orphans()
    await rig.pass_time(60)
    assert await rig.state(id) is SubmissionState.SUBMITTED
    assert "Salve." in simulator.sent[0].body


async def test_ids_differ_though_the_clock_stands_still(rig: Rig) -> None:
    ids = [await rig.submit(f"Messaggio {number}") for number in range(200)]
    assert len(set(ids)) == 200
    assert all(id.isalnum() for id in ids)
