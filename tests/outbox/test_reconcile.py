from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bridge.api.schema import InboxRow
from bridge.clock import ROME
from bridge.model import PEC_UNCERTAIN, QueueId, SubmissionState
from bridge.outbox.queue import QueueSettings
from bridge.outbox.reconcile import read_acceptance, search_words
from bridge.simulator import Accents, Delays, Failure, FaultRule, Hold, Operation, Phase, Simulator
from tests.fakes import FakeClock
from tests.outbox.rig import Rig, rig_on, simulated

SUBMITTED, UNCERTAIN = SubmissionState.SUBMITTED, SubmissionState.UNCERTAIN
NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)


async def lose_answer(rig: Rig, simulator: Simulator, phase: Phase, subject: str) -> QueueId:
    simulator.faults.fail(Operation.SEND, phase, Failure.TIMEOUT)
    id = await rig.submit(subject)
    await rig.pass_time(2.5)
    return id


async def look(rig: Rig) -> None:
    await rig.reconciler.reconcile(rig.accounts[0])


@pytest.mark.parametrize(
    "subject",
    ["Fattura 12/2026", "Perché è così", "Un oggetto lungo " * 8, "  spazi   doppi  ", "12"],
)
async def test_what_left_is_found_with_its_code(
    rig: Rig, simulator: Simulator, subject: str
) -> None:
    id = await lose_answer(rig, simulator, Phase.AFTER, subject)
    await look(rig)
    row = await rig.row(id)
    searched = bool(search_words(subject))
    assert row.state is (SUBMITTED if searched else UNCERTAIN)
    assert row.code == (simulator.sent[0].code if searched else None)
    assert (PEC_UNCERTAIN in await rig.flags()) is not searched


@pytest.mark.parametrize("changes", [{"accents": Accents.LOST}, {"subject_limit": 50}], ids=str)
async def test_a_subject_that_was_spoilt_is_found_all_the_same(
    tmp_path: Path, clock: FakeClock, changes: dict[str, object]
) -> None:
    simulator = simulated(clock, **changes)
    async with rig_on(tmp_path, clock, simulator) as rig:
        id = await lose_answer(rig, simulator, Phase.AFTER, "Città e libertà")
        await look(rig)
        assert await rig.state(id) is SUBMITTED


async def test_what_is_found_counts_on_the_day_on_which_it_began(
    tmp_path: Path, clock: FakeClock
) -> None:
    """Its acceptance is of the next day: the plan's day that it was counted on is over by then."""
    simulator = simulated(clock, delays=Delays(acceptance_s=60.0))
    async with rig_on(tmp_path, clock, simulator) as rig:
        await rig.pass_time(14 * 3600 - 30)  # half a minute before midnight in Rome
        id = await lose_answer(rig, simulator, Phase.AFTER, "Fattura 12/2026")
        await rig.pass_time(120)
        await look(rig)
        row = await rig.row(id)
        assert row.state is SUBMITTED
        assert row.sent_at is not None
        assert row.sent_at.astimezone(ROME).date() == date(2026, 1, 16)
        assert (row.counted, row.counted_on) == (1, date(2026, 1, 15))


async def test_twins_that_both_left_are_both_found(rig: Rig, simulator: Simulator) -> None:
    simulator.faults.fail(Operation.SEND, Phase.AFTER, Failure.TIMEOUT, times=2)
    ids = [await rig.submit("Fattura", body=body) for body in ("una", "due")]
    await rig.pass_time(10)
    await look(rig)
    assert [(await rig.row(id)).code for id in ids] == [sent.code for sent in simulator.sent]


async def test_of_twins_one_of_which_left_a_person_has_to_say(
    rig: Rig, simulator: Simulator
) -> None:
    simulator.faults.fail(Operation.SEND, Phase.AFTER, Failure.TIMEOUT)
    simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
    ids = [await rig.submit("Fattura", body=body) for body in ("una", "due")]
    await rig.pass_time(10)
    await look(rig)
    assert [await rig.state(id) for id in ids] == [UNCERTAIN, UNCERTAIN]
    await rig.pass_time(1800)
    await look(rig)
    texts = [message.get_content() for message in await rig.mail()]
    assert len(texts) == 2
    assert all(f"--sent {simulator.sent[0].code}" in text for text in texts)


async def test_a_reference_tells_twins_apart(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    settings = QueueSettings(subject_reference="suffix")
    async with rig_on(tmp_path, clock, simulator, queue=settings) as rig:
        simulator.faults.fail(Operation.SEND, Phase.BEFORE, Failure.TIMEOUT)
        simulator.faults.fail(Operation.SEND, Phase.AFTER, Failure.TIMEOUT)
        ids = [await rig.submit("Fattura", body=body) for body in ("una", "due")]
        await rig.pass_time(10)
        await look(rig)
        assert [await rig.state(id) for id in ids] == [UNCERTAIN, SUBMITTED]


async def test_another_sends_acceptance_is_not_taken(rig: Rig, simulator: Simulator) -> None:
    await rig.submit("Fattura", body="una")
    await rig.pass_time(2)
    id = await lose_answer(rig, simulator, Phase.BEFORE, "Fattura")
    await look(rig)
    assert await rig.state(id) is UNCERTAIN
    await rig.pass_time(1801)
    await look(rig)
    assert [alarm.kind for alarm in await rig.alarms()] == ["uncertain"], "a person is asked"


async def test_a_twin_still_under_way_is_waited_for(rig: Rig, simulator: Simulator) -> None:
    id = await lose_answer(rig, simulator, Phase.BEFORE, "Fattura")
    hold = Hold()
    simulator.faults.add(FaultRule(phase=Phase.AFTER, result=None, hold=hold))
    twin = await rig.submit("Fattura", body="altra")
    await rig.pass_time(3)
    await look(rig)
    assert await rig.state(id) is UNCERTAIN
    hold.release.set()
    await rig.pass_time(3)
    await rig.pass_time(600)
    await look(rig)
    assert await rig.state(twin) is SUBMITTED
    assert await rig.state(id) is UNCERTAIN


@pytest.mark.parametrize(
    ("subject", "sender"),
    [
        ("POSTA CERTIFICATA: Re: ACCETTAZIONE: Fattura 2026011510000299", ""),
        ("CONSEGNA: Fattura 2026011510000299", ""),
        ("AVVISO DI NON ACCETTAZIONE: Fattura 2026011510000299", ""),
        ("ACCETTAZIONE: Fattura", ""),
        ("ACCETTAZIONE: Fattura 2026011510000299", '"Per conto di: x@y.invalid" '),
    ],
)
async def test_what_only_looks_like_an_acceptance_proves_nothing(
    rig: Rig, simulator: Simulator, subject: str, sender: str
) -> None:
    id = await lose_answer(rig, simulator, Phase.BEFORE, "Fattura")
    simulator.inject(
        "azienda@pec.invalid", subject=subject, sender=sender or "posta-certificata@pec.invalid"
    )
    await look(rig)
    assert await rig.state(id) is UNCERTAIN


async def test_a_person_is_asked_once_after_half_an_hour(rig: Rig, simulator: Simulator) -> None:
    id = await lose_answer(rig, simulator, Phase.BEFORE, "Fattura")
    await rig.pass_time(29 * 60)
    await look(rig)
    assert await rig.mail() == []
    await rig.pass_time(120)
    await look(rig)
    await look(rig)
    (notice,) = await rig.mail()
    assert notice["Subject"] == "Invio incerto / Uncertain send: Fattura"
    text = notice.get_content()
    for command in ("--sent CODE", "--resend", "--drop"):
        assert f"pec-bridge queue resolve {id} {command}" in text
    assert "Non si sa se" in text
    assert "Nobody knows whether" in text
    assert [(alarm.kind, alarm.key) for alarm in await rig.alarms()] == [("uncertain", id)]


async def test_a_restart_does_not_ask_again(
    tmp_path: Path, clock: FakeClock, simulator: Simulator
) -> None:
    async with rig_on(tmp_path, clock, simulator) as rig:
        await lose_answer(rig, simulator, Phase.BEFORE, "Fattura")
        await rig.pass_time(1900)
        await look(rig)
    async with rig_on(tmp_path, clock, simulator) as rig:
        await look(rig)
        assert len(await rig.mail()) == 1


async def test_what_is_found_late_ends_the_alarm(tmp_path: Path, clock: FakeClock) -> None:
    simulator = simulated(clock, delays=Delays(acceptance_s=1500))
    async with rig_on(tmp_path, clock, simulator) as rig:
        id = await lose_answer(rig, simulator, Phase.AFTER, "Fattura")
        await rig.pass_time(60)
        await look(rig)
        assert await rig.state(id) is UNCERTAIN
        simulator.faults.answer(Operation.INBOX_LIST, 500, times=None)
        await rig.pass_time(1800)
        await look(rig)
        assert len(await rig.alarms()) == 1
        simulator.faults.clear()
        await rig.pass_time(7 * 3600)
        await look(rig)
        assert await rig.state(id) is SUBMITTED
        assert await rig.alarms() == []


async def test_the_api_is_asked_every_five_minutes_then_rarely(
    rig: Rig, simulator: Simulator
) -> None:
    await lose_answer(rig, simulator, Phase.BEFORE, "Fattura")
    for _ in range(60):
        await look(rig)
        await rig.pass_time(30)
    assert len(simulator.calls(Operation.INBOX_LIST)) == 6
    for _ in range(24):
        await rig.pass_time(3600)
        await look(rig)
    assert len(simulator.calls(Operation.INBOX_LIST)) <= 6 + 5


async def test_without_uncertain_sends_nothing_is_asked(rig: Rig, simulator: Simulator) -> None:
    await rig.submit()
    await rig.pass_time(2)
    await look(rig)
    assert simulator.calls(Operation.INBOX_LIST) == []


async def test_a_look_is_taken_when_called_and_regularly(rig: Rig, simulator: Simulator) -> None:
    running = asyncio.ensure_future(rig.reconciler.run())
    id = await lose_answer(rig, simulator, Phase.AFTER, "Fattura")
    rig.reconciler.look()
    await rig.quiet()
    assert await rig.state(id) is SUBMITTED
    other = await lose_answer(rig, simulator, Phase.AFTER, "Altra")
    await rig.pass_time(31)
    assert await rig.state(other) is SUBMITTED
    running.cancel()


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("Fattura 12", "Fattura 12"),
        ("Perché così tardivo", "tardivo"),
        ("àbc", ""),
        ("è", ""),
        ("x" * 200, "x" * 60),
        ('100% "certo" & altro', "certo"),
    ],
)
def test_the_search_is_for_what_no_listing_spoils(subject: str, words: str) -> None:
    assert search_words(subject) == words


def row(subject: str, sender: str = "posta-certificata@x.invalid", dated: bool = True) -> InboxRow:
    return InboxRow(
        "1",
        sender=sender,
        recipient="r",
        date_text="",
        subject=subject,
        raw="{}",
        date=NOW if dated else None,
    )


@pytest.mark.parametrize(
    ("subject", "stripped", "code"),
    [
        ("ACCETTAZIONE: Fattura 2026011510000299", "Fattura", "2026011510000299"),
        ("Accettazione:  a  b 202601151000001", "a b", "202601151000001"),
        ("ACCETTAZIONE: 2026011510000299", "", "2026011510000299"),
    ],
)
def test_an_acceptance_is_read(subject: str, stripped: str, code: str) -> None:
    acceptance = read_acceptance(row(subject), 3)
    assert acceptance is not None
    assert (acceptance.subject, acceptance.code, acceptance.at) == (stripped, code, NOW)
    assert acceptance.remote == -3


@pytest.mark.parametrize(
    "unusable",
    [
        row("ACCETTAZIONE: Fattura 2026011510000299", dated=False),
        row("ACCETTAZIONE: Fattura 2026991510000299"),
        row("x ACCETTAZIONE: Fattura 2026011510000299"),
    ],
    ids=["no date", "no code", "not at the start"],
)
def test_what_is_no_acceptance_is_not_read(unusable: InboxRow) -> None:
    assert read_acceptance(unusable, 1) is None


async def test_a_code_that_a_person_gave_to_another_meanwhile_is_not_taken(
    rig: Rig, simulator: Simulator
) -> None:
    found = await lose_answer(rig, simulator, Phase.AFTER, "Fattura uno")
    await lose_answer(rig, simulator, Phase.BEFORE, "Lettera")
    other = await lose_answer(rig, simulator, Phase.BEFORE, "Contratto")
    hold = Hold()
    simulator.faults.add(
        FaultRule(
            phase=Phase.BEFORE,
            result=None,
            operation=Operation.INBOX_LIST,
            hold=hold,
            when=lambda call: "Lettera" in call.target,
        )
    )
    looking = asyncio.ensure_future(look(rig))
    await hold.reached.wait()
    await rig.decisions.resolve_sent(other, simulator.sent[0].code, force=True)
    hold.release.set()
    await looking
    assert [await rig.state(id) for id in (found, other)] == [UNCERTAIN, SUBMITTED]
