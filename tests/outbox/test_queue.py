from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from bridge.mailbox.mailboxes import ORPHAN_AGE
from bridge.mime.ingest import Ingested
from bridge.model import PEC_FAILED, SEEN, SENT, SubmissionState, Uid
from bridge.outbox.plan import Plan
from bridge.outbox.queue import PlanUsedUp, QueueSettings
from bridge.simulator import Operation, Simulator
from bridge.store.base import StoreFailed, StoreFull
from tests.fakes import FakeClock
from tests.outbox.rig import ADDRESSES, Rig, rig_on, submission_of

SMALL = Plan("standard", 3, "day", 50_000)


async def test_a_queued_message_is_in_sent_byte_for_byte(rig: Rig) -> None:
    submission = submission_of("Prova", ["cliente@altra.invalid"], ADDRESSES[0], "Salve.")
    await rig.outbox.enqueue(rig.accounts[0], submission, hashlib.sha256(submission.raw).digest())
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
        {"body": "Altro."},
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
    digest = hashlib.sha256(submission.raw).digest()
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
    message: Ingested = await rig.mailboxes.prepare(submission.raw)
    sent = await rig.mailboxes.find(rig.accounts[0], SENT)
    assert sent is not None
    own = await rig.mailboxes.append(sent.id, message, frozenset(), rig.clock.now())
    await rig.outbox.enqueue(rig.accounts[0], submission, hashlib.sha256(submission.raw).digest())
    again = await rig.mailboxes.append(sent.id, message, frozenset(), rig.clock.now())
    assert own.uid == again.uid == Uid(1)
    assert len(await rig.mail("Sent")) == 1


async def test_a_clients_own_copy_of_other_bytes_shows_what_became_of_the_send(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.answer(Operation.SEND, 400)
    submission = submission_of("Prova", ["cliente@altra.invalid"], ADDRESSES[0], "Salve.")
    sent = await rig.mailboxes.find(rig.accounts[0], SENT)
    assert sent is not None
    own = await rig.mailboxes.prepare(b"X-Client: yes\r\n" + submission.raw)
    await rig.mailboxes.append(sent.id, own, frozenset(), rig.clock.now())
    await rig.outbox.enqueue(rig.accounts[0], submission, hashlib.sha256(submission.raw).digest())
    await rig.quiet()
    assert (await rig.mailboxes.index(sent.id)).flags == [{PEC_FAILED}]


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
