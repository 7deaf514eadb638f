"""Uncertain sends among other people's messages: forged, foreign, forwarded, contradicting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from bridge.model import (
    PEC_ACCEPTED,
    PEC_DELIVERED,
    PEC_UNCERTAIN,
    QueueId,
    SubmissionState,
)
from bridge.outbox.decision import DecisionRefused
from bridge.receipts.arrival import Arrival
from bridge.receipts.filing import Filing
from bridge.simulator import Failure, FaultRule, Hold, Operation, Options, Phase, Simulator
from bridge.simulator.inbox import Row
from bridge.simulator.options import Delays
from bridge.store.outbox import ClaimBasis, Step
from bridge.store.remote import NewRemote
from tests.fakes import FakeClock
from tests.outbox.rig import ADDRESSES, Rig, rig_on, simulated
from tests.receipts.test_readings import variants

State = SubmissionState
OURS, STRANGER = "cliente@altra.invalid", "estraneo@altra.invalid"
SERVICE = "posta-certificata@pec.invalid"
CODE = "2026011510000592"


async def lose(rig: Rig, simulator: Simulator, phase: Phase, *recipients: str) -> QueueId:
    """Submit "Fattura 12" and lose the answer, before or after the request left."""
    simulator.faults.fail(Operation.SEND, phase, Failure.TIMEOUT)
    id = await rig.submit("Fattura 12", *(recipients or (OURS,)), body=str(rig.clock.now()))
    await rig.pass_time(2.5)
    return id


async def look(rig: Rig, *, again: bool = False) -> None:
    if again:
        await rig.pass_time(301)
    await rig.reconciler.reconcile(rig.accounts[0])


async def sync(rig: Rig, simulator: Simulator, *, without_body: bool = False) -> list[Arrival]:
    """Bring what is new in the inbox, as sync would; ``without_body``: listed only.

    Returns what came.
    """
    filing = Filing(rig.store, rig.mailboxes, rig.clock)
    known = rig.synced
    came = []
    for listed in simulator.inbox(ADDRESSES[0]):
        row = listed.row
        if row.number not in known:
            arrival = await _listed(rig, row)
            known.add(row.number)
            came.append(arrival)
            if not without_body:
                await filing.file(rig.accounts[0], [arrival])
    return came


async def _listed(rig: Rig, row: Row) -> Arrival:
    now = rig.clock.now()
    new = NewRemote(
        rig.accounts[0],
        f"{row.number}".encode(),
        str(row.number),
        "{}",
        sender=row.sender,
        recipient=row.recipient,
        date_text=row.at.isoformat(),
        subject=row.subject,
        received_at=row.at,
        first_seen=now,
    )
    remote = await rig.store.write(lambda tx: tx.add_remote(new))
    text = row.text
    return Arrival(
        remote,
        sender=row.sender,
        recipient=row.recipient,
        date_text=row.at.isoformat(),
        subject=row.subject,
        received_at=row.at,
        first_seen=now,
        body=text,
    )


FORGERS = [
    "mario.rossi@pec.example",
    f'"{SERVICE}" <mario@pec.example>',
    f"{SERVICE}, mario@pec.example",
    f"\u200b{SERVICE}",
    "posta-certific\u0430ta@pec.invalid",
    '"Per conto di: mario@pec.example" ',
]


@pytest.mark.parametrize("sender", FORGERS)
@pytest.mark.parametrize(
    "subject",
    [f"ACCETTAZIONE: Fattura 12 {CODE}", f"=?utf-8?Q?ACCETTAZIONE=3A_Fattura_12_{CODE}?="],
)
@pytest.mark.parametrize("synced", [False, True])
async def test_a_forged_acceptance_settles_nothing(
    rig: Rig, simulator: Simulator, sender: str, subject: str, synced: bool
) -> None:
    id = await lose(rig, simulator, Phase.BEFORE)
    body = f'il messaggio "Fattura 12 {CODE}" proveniente da "x" ed indirizzato a: {OURS} è'
    simulator.inject(ADDRESSES[0], subject=subject, sender=sender, body=body, at=rig.clock.now())
    if synced:
        await sync(rig, simulator)
    await look(rig)
    assert await rig.state(id) is State.UNCERTAIN


@pytest.mark.parametrize("synced", [False, True])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("names", [False, True])
async def test_any_service_must_be_known_or_name_the_recipients(
    rig: Rig, simulator: Simulator, synced: bool, known: bool, names: bool
) -> None:
    if known:
        await rig.submit("Altra")
        await rig.pass_time(2)
        await sync(rig, simulator)
    id = await lose(rig, simulator, Phase.BEFORE)
    body = f'il messaggio "Fattura 12 {CODE}" proveniente da "x" ed indirizzato a: {OURS} è'
    simulator.inject(
        ADDRESSES[0],
        subject=f"ACCETTAZIONE: Fattura 12 {CODE}",
        sender=SERVICE,
        body=body if names else "Testo.",
        at=rig.clock.now(),
    )
    if synced:
        await sync(rig, simulator)
    await look(rig)
    assert (await rig.state(id) is State.SUBMITTED) is (known or names)


async def test_an_encoded_subject_is_read(rig: Rig, simulator: Simulator) -> None:
    id = await lose(rig, simulator, Phase.BEFORE)
    simulator.inject(
        ADDRESSES[0],
        subject=f"=?utf-8?Q?ACCETTAZIONE=3A_Fattura_12_{CODE}?=",
        sender=SERVICE,
        body=f'il messaggio "Fattura 12 {CODE}" proveniente da "x" ed indirizzato a: {OURS} è',
        at=rig.clock.now(),
    )
    await sync(rig, simulator)
    await look(rig)
    assert (await rig.row(id)).code == CODE


@asynccontextmanager
async def rig_reading(
    tmp_path: Path, clock: FakeClock, options: Options
) -> AsyncIterator[tuple[Rig, Simulator]]:
    simulator = Simulator(options, clock, Random(7))
    async with rig_on(tmp_path, clock, simulator) as rig:
        yield rig, simulator


@pytest.mark.parametrize("options", variants())
async def test_another_programs_acceptance_is_read_before_it_is_believed(
    tmp_path: Path, clock: FakeClock, options: Options
) -> None:
    """In every reading: its text names somebody else, and the listing does not show that."""
    async with rig_reading(tmp_path, clock, options) as (rig, simulator):
        id = await lose(rig, simulator, Phase.BEFORE)
        simulator.send_elsewhere(ADDRESSES[0], "Fattura 12", [STRANGER], coded=True)
        simulator.send_elsewhere(ADDRESSES[0], "Fattura 12", [OURS])
        await look(rig)
        assert await rig.state(id) is State.UNCERTAIN
        await sync(rig, simulator)
        await look(rig, again=True)
        assert await rig.state(id) is State.UNCERTAIN


@pytest.mark.parametrize("options", variants())
async def test_among_foreign_acceptances_our_own_is_found(
    tmp_path: Path, clock: FakeClock, options: Options
) -> None:
    async with rig_reading(tmp_path, clock, options) as (rig, simulator):
        simulator.send_elsewhere(ADDRESSES[0], "Fattura 12", [STRANGER], coded=True)
        id = await lose(rig, simulator, Phase.AFTER)
        simulator.send_elsewhere(ADDRESSES[0], "Fattura 12", [STRANGER], coded=True)
        simulator.send_elsewhere(ADDRESSES[0], "Fattura 12 bis", [OURS], coded=True)
        await look(rig)
        row = await rig.row(id)
        assert (row.code, row.claim) == (simulator.sent[0].code, ClaimBasis.EVIDENCE)


async def test_while_bodies_fail_nothing_is_believed(rig: Rig, simulator: Simulator) -> None:
    id = await lose(rig, simulator, Phase.BEFORE)
    simulator.send_elsewhere(ADDRESSES[0], "Fattura 12", [STRANGER], coded=True)
    rule = simulator.faults.answer(Operation.INBOX_GET, 500, times=None)
    await look(rig)
    await sync(rig, simulator, without_body=True)
    await look(rig, again=True)
    assert await rig.state(id) is State.UNCERTAIN
    simulator.faults.remove(rule)
    await look(rig, again=True)
    assert await rig.state(id) is State.UNCERTAIN


async def test_a_body_counts_only_if_it_is_that_rows(tmp_path: Path, clock: FakeClock) -> None:
    """Ids shift between the search and the reading: the text is another message's."""
    simulator = simulated(clock, delays=Delays(delivery_s=600))
    async with rig_on(tmp_path, clock, simulator) as rig:
        simulator.inject(ADDRESSES[0], subject="POSTA CERTIFICATA: x")
        id = await lose(rig, simulator, Phase.BEFORE)
        code = simulator.send_elsewhere(ADDRESSES[0], "Fattura 12", [STRANGER], coded=True)
        quoted = f'il messaggio "Fattura 12 {code}" proveniente da "x" ed indirizzato a: {OURS} è'
        simulator.inject(ADDRESSES[0], subject="POSTA CERTIFICATA: y", body=quoted)
        assert [one.row.subject[:4] for one in simulator.inbox(ADDRESSES[0])] == [
            "POST",
            "ACCE",
            "POST",
        ]
        hold = Hold()
        simulator.faults.add(
            FaultRule(operation=Operation.INBOX_GET, phase=Phase.BEFORE, result=None, hold=hold)
        )
        task = asyncio.ensure_future(look(rig))
        await rig.quiet()
        simulator.delete(ADDRESSES[0], simulator.inbox(ADDRESSES[0])[0].row)
        hold.release.set()
        await task
        assert await rig.state(id) is State.UNCERTAIN


async def test_a_shorter_subject_with_a_code_is_another_message(
    rig: Rig, simulator: Simulator
) -> None:
    subject = "Trasmissione della documentazione integrativa"
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
    id = await rig.submit(f"{subject}, seguito", OURS)
    await rig.pass_time(2.5)
    simulator.send_elsewhere(ADDRESSES[0], subject, [OURS], coded=True)
    await sync(rig, simulator)
    await look(rig)
    assert await rig.state(id) is State.UNCERTAIN


# -- sent again ----------------------------------------------------------------------------------


@pytest.mark.parametrize("held", [False, True])
async def test_the_first_tries_acceptance_cancels_the_second(
    tmp_path: Path, clock: FakeClock, held: bool
) -> None:
    simulator = simulated(clock, delays=Delays(acceptance_s=60))
    async with rig_on(tmp_path, clock, simulator) as rig:
        id = await lose(rig, simulator, Phase.AFTER)
        if held:
            simulator.faults.answer(Operation.SEND, 402, times=None)
        else:
            simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.CONNECT_ERROR, times=None)
        await rig.decisions.resolve_resend(id)
        await rig.pass_time(55)
        await sync(rig, simulator)
        await look(rig)
        assert await rig.state(id) in (State.HELD, State.QUEUED)
        await rig.pass_time(10)
        await sync(rig, simulator)
        await look(rig)
        row = await rig.row(id)
        assert (row.state, row.code, row.counted) == (State.SUBMITTED, simulator.sent[0].code, 1)
        simulator.faults.clear()
        await rig.pass_time(7200)
        assert len(simulator.sent) == 1


async def test_the_first_acceptance_of_what_was_sent_again_is_no_others(
    tmp_path: Path, clock: FakeClock
) -> None:
    """One that was sent twice, and one just like it that never left."""
    simulator = simulated(clock, delays=Delays(acceptance_s=120))
    async with rig_on(tmp_path, clock, simulator) as rig:
        twice = await lose(rig, simulator, Phase.AFTER)
        await rig.decisions.resolve_resend(twice)
        await rig.pass_time(2)
        assert await rig.state(twice) is State.SUBMITTED
        never = await lose(rig, simulator, Phase.BEFORE)
        await rig.pass_time(200)
        await sync(rig, simulator)
        await look(rig)
        assert await rig.state(never) is State.UNCERTAIN


@pytest.mark.parametrize("end", ["drop", "cancel"])
async def test_what_was_given_up_may_still_be_accepted(
    tmp_path: Path, clock: FakeClock, end: str
) -> None:
    simulator = simulated(clock, delays=Delays(acceptance_s=1200))
    async with rig_on(tmp_path, clock, simulator) as rig:
        gone = await lose(rig, simulator, Phase.AFTER)
        never = await lose(rig, simulator, Phase.BEFORE)
        if end == "drop":
            await rig.decisions.resolve_drop(gone)
        else:
            simulator.faults.answer(Operation.SEND, 402, times=None)
            await rig.decisions.resolve_resend(gone)
            await rig.pass_time(3)
            await rig.decisions.cancel(gone)
        await rig.pass_time(2 * 86_400)
        await sync(rig, simulator)
        await look(rig)
        assert await rig.state(never) is State.UNCERTAIN


# -- what a restored backup leaves ---------------------------------------------------------------


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("synced", [False, True])
async def test_a_restored_entry_is_looked_for(
    tmp_path: Path, clock: FakeClock, sent: bool, synced: bool
) -> None:
    simulator = simulated(clock)
    rig = await Rig.open(tmp_path, clock, simulator)
    id = await rig.submit("Fattura 12", OURS)
    await rig.pass_time(7200)
    if sent:  # by the store that the backup was made of
        code = simulator.send_elsewhere(ADDRESSES[0], "Fattura 12", [OURS], coded=True)
    await rig.pass_time(2 * 86_400)
    step = Step(State.QUEUED, State.RESTORED, rig.clock.now())
    await rig.mailboxes.write(lambda mtx: mtx.tx.step_submission(id, step))
    if synced:
        await sync(rig, simulator)
    await look(rig)
    row = await rig.row(id)
    if sent:
        assert (row.state, row.code) == (State.SUBMITTED, code)
    else:
        assert row.state is State.RESTORED
        asked = len(simulator.calls(Operation.INBOX_LIST))
        for _ in range(24):
            await rig.pass_time(3600)
            await look(rig)
        assert len(simulator.calls(Operation.INBOX_LIST)) - asked <= 5
    await rig.close()


async def test_get_send_is_asked_where_an_answer_named_a_code(
    tmp_path: Path, clock: FakeClock
) -> None:
    """No search can find the subject; the code alone can be asked for."""
    simulator = simulated(clock)
    async with rig_on(tmp_path, clock, simulator) as rig:
        await rig.submit("Altra")
        await rig.pass_time(2)
        await sync(rig, simulator)
        code = simulator.send_elsewhere(ADDRESSES[0], "èè", [OURS], coded=True)
        answer = {"success": False, "message": "x", "message_id": code}
        simulator.faults.answer(Operation.SEND, 500, answer)
        id = await rig.submit("èè", OURS)
        await rig.pass_time(2)
        assert (await rig.row(id)).named_code == code
        await look(rig)
        assert (await rig.row(id)).code == code


# -- contradictions ------------------------------------------------------------------------------


def inject(rig: Rig, simulator: Simulator, kind: str, code: str, names: str = "") -> None:
    subject = f"{kind}: Fattura 12 {code}"
    body = "Testo."
    if names:
        body = f'il messaggio "Fattura 12 {code}" proveniente da "x" ed indirizzato a: {names} è'
    simulator.inject(ADDRESSES[0], subject=subject, sender=SERVICE, body=body, at=rig.clock.now())


async def with_known_service(rig: Rig, simulator: Simulator) -> None:
    await rig.submit("Altra")
    await rig.pass_time(2)
    await sync(rig, simulator)


async def test_a_later_text_that_names_another_revokes_the_claim(
    rig: Rig, simulator: Simulator
) -> None:
    await with_known_service(rig, simulator)
    id = await lose(rig, simulator, Phase.BEFORE)
    inject(rig, simulator, "ACCETTAZIONE", CODE)
    inject(rig, simulator, "CONSEGNA", CODE)
    await sync(rig, simulator)
    await look(rig)
    assert await rig.state(id) is State.SUBMITTED
    assert {PEC_ACCEPTED, PEC_DELIVERED} <= await rig.flags()
    inject(rig, simulator, "CONSEGNA", CODE, STRANGER)
    await sync(rig, simulator)
    await look(rig)
    row = await rig.row(id)
    assert (row.state, row.code, row.sent_at, row.claim) == (State.UNCERTAIN, None, None, None)
    flags = await rig.flags()
    assert PEC_UNCERTAIN in flags
    assert not {PEC_ACCEPTED, PEC_DELIVERED} & flags
    assert await rig.read(lambda tx: tx.receipts_of(id)) == []
    assert [one.kind for one in await rig.alarms()] == ["revoked"]
    await look(rig, again=True)
    assert await rig.state(id) is State.UNCERTAIN


async def test_swapped_codes_of_two_lost_twins_are_put_right(
    rig: Rig, simulator: Simulator
) -> None:
    """Acceptances that name nobody; deliveries that name each."""
    await with_known_service(rig, simulator)
    ours = await lose(rig, simulator, Phase.BEFORE, OURS)
    theirs = await lose(rig, simulator, Phase.BEFORE, STRANGER)
    first, second = CODE, f"{CODE[:-1]}7"
    inject(rig, simulator, "ACCETTAZIONE", first)
    inject(rig, simulator, "ACCETTAZIONE", second)
    await sync(rig, simulator)
    await look(rig)
    assert [await rig.state(one) for one in (ours, theirs)] == [State.UNCERTAIN] * 2
    inject(rig, simulator, "CONSEGNA", first, STRANGER)
    await sync(rig, simulator)
    await look(rig)
    assert [(await rig.row(one)).code for one in (ours, theirs)] == [second, first]
    assert await rig.alarms() == []


async def test_a_code_that_the_service_gives_to_another_later_is_that_ones(
    tmp_path: Path, clock: FakeClock
) -> None:
    """An answer that takes its time names the code of an acceptance that was believed."""
    simulator = simulated(clock)
    async with rig_on(tmp_path, clock, simulator) as rig:
        id = await lose(rig, simulator, Phase.BEFORE)
        inject(rig, simulator, "ACCETTAZIONE", CODE, OURS)
        await sync(rig, simulator)
        await look(rig)
        assert await rig.state(id) is State.SUBMITTED
        simulator.repeat_code(CODE)
        other = await rig.submit("Fattura 12", OURS, body="altra")
        await rig.pass_time(2)
        await sync(rig, simulator)
        await look(rig)
        assert await rig.state(id) is State.UNCERTAIN
        assert (await rig.row(other)).code == CODE
        kinds = {one.kind for one in await rig.read(lambda tx: tx.receipts_of(other))}
        assert kinds == {"acceptance", "delivery"}
        assert [one.kind for one in await rig.alarms()] == ["revoked"], "one has the code now"


async def test_what_contradicts_a_persons_word_revokes_it(rig: Rig, simulator: Simulator) -> None:
    id = await lose(rig, simulator, Phase.BEFORE)
    await rig.decisions.resolve_sent(id, CODE, force=True)
    await look(rig)
    assert await rig.state(id) is State.SUBMITTED
    inject(rig, simulator, "ACCETTAZIONE", CODE, STRANGER)
    await sync(rig, simulator)
    await look(rig)
    assert await rig.state(id) is State.UNCERTAIN
    assert [one.kind for one in await rig.alarms()] == ["revoked"]


async def test_what_confirms_a_persons_word_ends_the_mark(rig: Rig, simulator: Simulator) -> None:
    id = await lose(rig, simulator, Phase.BEFORE)
    await rig.decisions.resolve_sent(id, CODE, force=True)
    inject(rig, simulator, "ACCETTAZIONE", CODE, OURS)
    await sync(rig, simulator)
    assert (await rig.row(id)).claim is ClaimBasis.EVIDENCE


async def test_a_forward_of_the_receipt_revokes_nothing(rig: Rig, simulator: Simulator) -> None:
    id = await lose(rig, simulator, Phase.AFTER)
    await sync(rig, simulator)
    await look(rig)
    assert await rig.state(id) is State.SUBMITTED
    simulator.forward(ADDRESSES[0], simulator.inbox(ADDRESSES[0])[0].row, [STRANGER])
    await sync(rig, simulator)
    await look(rig)
    assert await rig.state(id) is State.SUBMITTED
    assert await rig.alarms() == []


async def test_a_code_taken_while_the_search_ran_is_not_taken_twice(
    rig: Rig, simulator: Simulator
) -> None:
    """A person says whose it is between the search and the commit."""
    id = await lose(rig, simulator, Phase.AFTER)
    other = await lose(rig, simulator, Phase.BEFORE, STRANGER)
    code = simulator.sent[0].code
    real = rig.mailboxes.write
    taken = False

    async def write(work):  # type: ignore[no-untyped-def]
        nonlocal taken
        if not taken and "_found" in work.__qualname__:
            taken = True
            step = Step(State.UNCERTAIN, State.SUBMITTED, rig.clock.now(), code=code)
            await real(lambda mtx: mtx.tx.step_submission(other, step))
        return await real(work)

    rig.mailboxes.write = write  # type: ignore[method-assign]
    await look(rig)
    assert taken
    assert await rig.state(id) is State.UNCERTAIN
    assert (await rig.row(other)).code == code


async def test_a_whole_subject_that_begins_ours_is_no_cut_one(
    rig: Rig, simulator: Simulator
) -> None:
    """The webmail writes no code; the text of its acceptance shows that there never was one."""
    await with_known_service(rig, simulator)
    subject = "Trasmissione della documentazione integrativa"
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
    id = await rig.submit(f"{subject}, seguito", OURS)
    await rig.pass_time(2.5)
    simulator.send_elsewhere(ADDRESSES[0], subject, [OURS])
    await sync(rig, simulator)
    await look(rig)
    assert await rig.state(id) is State.UNCERTAIN


async def test_what_was_found_is_no_rival_of_the_next_just_like_it(
    rig: Rig, simulator: Simulator
) -> None:
    for count in (1, 2):
        id = await lose(rig, simulator, Phase.AFTER)
        await sync(rig, simulator)
        await look(rig)
        assert (await rig.row(id)).code == simulator.sent[count - 1].code


async def test_a_service_is_not_known_by_what_was_found_only(
    rig: Rig, simulator: Simulator
) -> None:
    """Else one acceptance that names the right people would open the door to any."""
    id = await lose(rig, simulator, Phase.BEFORE)
    inject(rig, simulator, "ACCETTAZIONE", CODE, OURS)
    await sync(rig, simulator)
    await look(rig)
    assert (await rig.row(id)).claim is ClaimBasis.EVIDENCE
    assert await rig.read(lambda tx: tx.issuers(rig.accounts[0])) == frozenset()
    await with_known_service(rig, simulator)
    assert await rig.read(lambda tx: tx.issuers(rig.accounts[0])) == {SERVICE}


async def test_what_sync_brought_speaks_against_a_code_with_the_api_down(
    rig: Rig, simulator: Simulator
) -> None:
    id = await lose(rig, simulator, Phase.BEFORE)
    inject(rig, simulator, "ACCETTAZIONE", CODE, STRANGER)
    await sync(rig, simulator)
    simulator.faults.answer(Operation.INBOX_LIST, 500, times=None)
    simulator.faults.answer(Operation.SEND_STATUS, 500, times=None)
    with pytest.raises(DecisionRefused, match=r"of another message: estraneo@altra\.invalid"):
        await rig.decisions.resolve_sent(id, CODE, force=True)
    assert await rig.state(id) is State.UNCERTAIN
