from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from bridge.clock import ROME
from bridge.mime.ingest import ingest
from bridge.model import SEEN, QueueId, SubmissionState, flag
from bridge.receipts.destination import Destination
from bridge.receipts.kind import Kind
from bridge.simulator.wording import NetworkKind
from tests.receipts.rig import ADDRESS, CODE, SERVICE, Rig

ANNA, BRUNO, CARLA = "anna@pec.example", "bruno@pec.example", "carla@pec.example"
BEHALF = '"Per conto di: anna@pec.example" '
ACCEPTED, DELIVERED, FAILED = map(flag, ("$PecAccepted", "$PecDelivered", "$PecFailed"))


# -- messages ----------------------------------------------------------------------------------


async def test_a_row_becomes_a_message_in_inbox(rig: Rig) -> None:
    remote = await rig.arrive("POSTA CERTIFICATA: Preventivo", "Buongiorno", BEHALF)
    (message,) = await rig.messages()
    assert message["From"] == "anna@pec.example"
    assert "Buongiorno" in message.get_content()
    row = await rig.row(remote)
    assert (row.kind, row.code, row.submission) == ("envelope", None, None)
    assert await rig.store.read(lambda tx: tx.remote_body(remote)) == "Buongiorno"


async def test_filing_again_changes_nothing(rig: Rig) -> None:
    id = await rig.send()
    arrival = await rig.add(f"ACCETTAZIONE: Diffida {CODE}", "")
    for _ in range(2):
        await rig.filing.file(rig.account, [arrival, arrival])
    assert len(await rig.raws()) == 1
    assert len(await rig.receipts(id)) == 1


async def test_a_row_that_is_not_known_is_passed_over(rig: Rig) -> None:
    arrival = await rig.add("POSTA CERTIFICATA: x", "x", BEHALF)
    unknown = replace(arrival, remote=type(arrival.remote)(999))
    await rig.filing.file(rig.account, [unknown, arrival])
    assert len(await rig.raws()) == 1


async def test_rows_keep_their_order(rig: Rig) -> None:
    arrivals = [await rig.add(f"POSTA CERTIFICATA: {n}", "x", BEHALF) for n in range(5)]
    await rig.filing.file(rig.account, arrivals)
    assert await rig.subjects() == [f"POSTA CERTIFICATA: {n}" for n in range(5)]


async def test_two_rows_alike_in_everything_are_two_messages(rig: Rig) -> None:
    """Q12: two receipts for two recipients at one provider may not differ in anything shown."""
    one = await rig.add(f"CONSEGNA: Diffida {CODE}", "<p>Testo</p>")
    two = await rig.add(f"CONSEGNA: Diffida {CODE}", "<p>Testo</p>")
    three = await rig.add(f"CONSEGNA: Diffida {CODE}", "<p>Testo</p>")
    await rig.filing.file(rig.account, [one, two])
    await rig.filing.file(rig.account, [three])
    raws = await rig.raws()
    assert len(set(raws)) == 3
    contents = {(await rig.row(arrival.remote)).content for arrival in (one, two, three)}
    assert len(contents) == 3


async def test_a_row_that_comes_back_is_the_same_message(rig: Rig) -> None:
    """The first is gone from the API: nothing has to be told apart."""
    first = await rig.arrive("POSTA CERTIFICATA: x", "x", BEHALF)
    await rig.store.write(lambda tx: tx.mark_remote_gone(first, rig.clock.now()))
    await rig.arrive("POSTA CERTIFICATA: x", "x", BEHALF)
    one, two = await rig.raws()
    assert one == two


async def test_an_unreadable_row_is_shown_beside_good_ones(rig: Rig) -> None:
    bad = await rig.add("", '{"id": []}', "", unreadable="the API lists it without an id")
    good = await rig.add("POSTA CERTIFICATA: x", "x", BEHALF)
    await rig.filing.file(rig.account, [bad, good])
    assert await rig.subjects() == [
        "Messaggio illeggibile / Unreadable message",
        "POSTA CERTIFICATA: x",
    ]


async def test_an_unreadable_acceptance_still_accepts(rig: Rig) -> None:
    id = await rig.send()
    arrival = await rig.add(f"ACCETTAZIONE: Diffida {CODE}", "{}", unreadable="no answer")
    await rig.filing.file(rig.account, [arrival])
    assert await rig.states(id) == {ANNA: "accepted"}


async def test_a_body_of_megabytes_is_filed(rig: Rig) -> None:
    await rig.arrive("POSTA CERTIFICATA: x", "Così. " * 400_000, BEHALF)
    (raw,) = await rig.raws()
    assert len(raw) > 2_400_000


# -- receipts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("template_b", [False, True], ids=["A", "B"])
async def test_a_send_is_followed_to_its_end(rig: Rig, template_b: bool) -> None:
    id = await rig.send((ANNA, BRUNO))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO, template_b=template_b)
    assert await rig.states(id) == {ANNA: "accepted", BRUNO: "accepted"}
    assert await rig.keywords() == {ACCEPTED}
    await rig.receipt(NetworkKind.DELIVERY, BRUNO, template_b=template_b)
    assert await rig.states(id) == {ANNA: "accepted", BRUNO: "delivered"}
    assert await rig.keywords() == {ACCEPTED}
    await rig.receipt(NetworkKind.DELIVERY, ANNA, template_b=template_b)
    assert await rig.states(id) == {ANNA: "delivered", BRUNO: "delivered"}
    assert await rig.keywords() == {ACCEPTED, DELIVERED}


async def test_a_receipt_stands_under_its_message(rig: Rig) -> None:
    await rig.send()
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    (message,) = await rig.messages()
    for name in ("In-Reply-To", "References", "X-Riferimento-Message-ID"):
        assert message[name] == "<Q1@azienda.example>"
    assert message["X-Ricevuta"] == "accettazione"


async def test_a_receipt_of_a_send_made_elsewhere_is_an_ordinary_message(rig: Rig) -> None:
    id = await rig.send()
    remote = await rig.receipt(NetworkKind.FAILURE, ANNA, code="2026011510000099")
    row = await rig.row(remote)
    assert (row.kind, row.code, row.submission) == ("failure", "2026011510000099", None)
    assert await rig.states(id) == {ANNA: "pending"}
    assert await rig.keywords() == frozenset()
    assert await rig.alarms() == []
    (message,) = await rig.messages()
    assert message["In-Reply-To"] is None


async def test_a_forged_receipt_moves_nothing(rig: Rig) -> None:
    id = await rig.send()
    subject = f"CONSEGNA: Diffida {CODE}"
    await rig.arrive(subject, "x", "mario@pec.example")
    await rig.arrive(f"POSTA CERTIFICATA: {subject}", "x", BEHALF)
    await rig.arrive(f"ANOMALIA MESSAGGIO: {subject}", "x", BEHALF)
    assert await rig.states(id) == {ANNA: "pending"}
    assert await rig.keywords() == frozenset()


async def test_a_delivery_that_shows_a_message_quoting_another_receipt_names_nobody(
    rig: Rig,
) -> None:
    """Q5: the body is what we sent, and that quoted the receipt of an earlier send."""
    id = await rig.send((ANNA, BRUNO))
    quoted = (
        'il messaggio "Altra 2026010110000011" proveniente da "azienda@pec.example" '
        'ed indirizzato a "anna@pec.example" è stato consegnato'
    )
    await rig.receipt(NetworkKind.DELIVERY, body=f"<p>{quoted}</p>")
    assert await rig.states(id) == {ANNA: "pending", BRUNO: "pending"}
    assert (await rig.standing(id)).recipients[0].detail == "1 of 2 delivered, names unknown"


async def test_receipts_without_names_are_counted(rig: Rig) -> None:
    id = await rig.send((ANNA, BRUNO, CARLA))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO, CARLA)
    for _ in range(2):
        await rig.receipt(NetworkKind.DELIVERY, body="<p>Testo</p>")
    where = await rig.standing(id)
    assert {one.state.value for one in where.recipients} == {"accepted"}
    assert where.recipients[0].detail == "2 of 3 delivered, names unknown"
    assert await rig.keywords() == {ACCEPTED}
    await rig.receipt(NetworkKind.DELIVERY, body="<p>Testo</p>")
    assert (await rig.standing(id)).is_delivered
    assert await rig.keywords() == {ACCEPTED, DELIVERED}


async def test_ordinary_recipients_do_not_keep_a_send_open(rig: Rig) -> None:
    id = await rig.send((ANNA, BRUNO))
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO, ordinary=(BRUNO,))
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    assert await rig.states(id) == {ANNA: "delivered", BRUNO: "accepted_uncertifiable"}
    assert await rig.keywords() == {ACCEPTED, DELIVERED}


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (NetworkKind.NON_ACCEPTANCE, "failed"),
        (NetworkKind.NON_ACCEPTANCE_VIRUS, "failed"),
        (NetworkKind.FAILURE, "failed"),
        (NetworkKind.FAILURE_VIRUS, "failed"),
        (NetworkKind.FINAL_NOTICE, "failed_24h"),
    ],
)
async def test_a_failure_is_said_everywhere(rig: Rig, kind: NetworkKind, state: str) -> None:
    id = await rig.send()
    await rig.receipt(kind, ANNA)
    assert await rig.states(id) == {ANNA: state}
    assert await rig.keywords() == {FAILED}
    assert await rig.alarm_kinds() == ["failure"]
    receipt, alarm = await rig.messages()
    whole = kind in (NetworkKind.NON_ACCEPTANCE, NetworkKind.NON_ACCEPTANCE_VIRUS)
    title = "Non accettato / Not accepted" if whole else "Mancata consegna / Not delivered"
    assert alarm["Subject"] == f"{title}: Diffida"
    assert alarm["In-Reply-To"] == receipt["In-Reply-To"]
    assert ANNA in alarm.get_content()


async def test_a_warning_after_twelve_hours_is_no_failure(rig: Rig) -> None:
    id = await rig.send()
    await rig.receipt(NetworkKind.FIRST_NOTICE, ANNA, later=timedelta(hours=12))
    assert await rig.states(id) == {ANNA: "late_12h"}
    assert await rig.keywords() == frozenset()
    assert await rig.alarms() == []


@pytest.mark.parametrize(
    ("hours", "state"), [(12, "late_12h"), (21, "late_12h"), (23, "failed_24h")]
)
async def test_a_time_notice_without_words_is_told_by_its_age(
    rig: Rig, hours: int, state: str
) -> None:
    id = await rig.send()
    await rig.receipt(NetworkKind.FIRST_NOTICE, body="<p>Testo</p>", later=timedelta(hours=hours))
    assert await rig.states(id) == {ANNA: state}


async def test_a_delivery_after_the_final_notice_takes_the_failure_back(rig: Rig) -> None:
    id = await rig.send()
    await rig.receipt(NetworkKind.FINAL_NOTICE, ANNA)
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    (anna,) = (await rig.standing(id)).recipients
    assert (anna.state.value, anna.conflict) == ("delivered", True)
    assert await rig.keywords() == {DELIVERED}
    assert await rig.alarms() == []
    assert len(await rig.receipts(id)) == 2


async def test_each_failing_recipient_is_told_once(rig: Rig) -> None:
    await rig.send((ANNA, BRUNO))
    for _ in range(2):
        await rig.receipt(NetworkKind.FAILURE, ANNA)
        await rig.receipt(NetworkKind.FAILURE, BRUNO)
    assert await rig.alarm_kinds() == ["failure", "failure"]
    assert len(await rig.raws()) == 6


async def test_a_refused_message_is_told_as_one(rig: Rig) -> None:
    await rig.send((ANNA, BRUNO, CARLA))
    await rig.receipt(NetworkKind.NON_ACCEPTANCE, ANNA, BRUNO, CARLA)
    assert await rig.alarm_kinds() == ["failure"]


async def test_a_failure_without_a_name_is_told(rig: Rig) -> None:
    await rig.send((ANNA, BRUNO))
    await rig.receipt(NetworkKind.FAILURE, body="<p>Testo</p>")
    assert await rig.alarm_kinds() == ["failure"]
    assert await rig.keywords() == {FAILED}


async def test_a_subject_that_ends_lines_makes_no_field_of_an_alarm(rig: Rig) -> None:
    subject = "Diffida\r\nBcc: vittima@pec.example"
    await rig.send(subject=subject)
    await rig.receipt(NetworkKind.FAILURE, ANNA, subject=subject)
    alarm = (await rig.messages())[-1]
    assert alarm["Bcc"] is None
    assert alarm["Subject"] == "Mancata consegna / Not delivered: Diffida Bcc: vittima@pec.example"


async def test_other_keywords_and_flags_stay(rig: Rig) -> None:
    id = await rig.send()
    sent = await rig.mailboxes.find(rig.account, "Sent")
    assert sent is not None
    row = await rig.store.read(lambda tx: tx.submission(id))
    assert row is not None
    await rig.mailboxes.write(
        lambda mtx: mtx.flag_sent(
            rig.account, row.content, "", frozenset({SEEN, flag("$PecUncertain")}), frozenset()
        )
    )
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    assert await rig.keywords() == {SEEN, flag("$PecUncertain"), ACCEPTED}


async def test_one_text_sent_as_several_pecs_is_delivered_when_all_are(rig: Rig) -> None:
    """``bcc = "separate"``: one text, an entry for each hidden recipient."""
    raw = b"Message-ID: <one@a.example>\r\n\r\nTesto\r\n"
    await rig.send((ANNA,), raw=raw)
    await rig.send((BRUNO,), id="Q2", code=CODE[:-1] + "7", raw=raw)
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    assert await rig.keywords() == frozenset()
    await rig.receipt(NetworkKind.ACCEPTANCE, BRUNO, code=CODE[:-1] + "7")
    assert await rig.keywords() == {ACCEPTED}
    await rig.receipt(NetworkKind.DELIVERY, BRUNO, code=CODE[:-1] + "7")
    assert await rig.keywords() == {ACCEPTED, DELIVERED}


async def test_a_refusal_that_nothing_replaced_stays_said(rig: Rig) -> None:
    raw = b"Message-ID: <one@a.example>\r\n\r\nTesto\r\n"
    await rig.send((ANNA,), raw=raw)
    refused = await rig.send((BRUNO,), id="Q2", code=None, raw=raw)
    await rig.step(refused, SubmissionState.DISPATCHING, SubmissionState.REFUSED)
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    assert FAILED in await rig.keywords()


# -- codes that the API cut off ------------------------------------------------------------------


LONG = "Trasmissione della documentazione integrativa richiesta"


async def test_the_text_names_the_code_that_the_subject_lost(rig: Rig) -> None:
    id = await rig.send(subject=LONG)
    await rig.send(subject=LONG, id="Q2", code="2026011510000093")
    text = (
        f'il messaggio "{LONG} {CODE}" proveniente da "{ADDRESS}" ed indirizzato a "{ANNA}" '
        "è stato consegnato"
    )
    remote = await rig.arrive(f"CONSEGNA: {LONG}"[:40], text)
    assert await rig.states(id) == {ANNA: "delivered"}
    assert (await rig.row(remote)).code == CODE


@pytest.mark.parametrize("cut", [40, 60, len(f"CONSEGNA: {LONG} {CODE}") - 4])
async def test_a_cut_subject_is_tied_weakly_if_only_one_fits(rig: Rig, cut: int) -> None:
    id = await rig.send(subject=LONG)
    await rig.send(subject="Tutt'altro argomento di questa azienda", id="Q2", code=CODE[:-1] + "7")
    await rig.arrive(f"CONSEGNA: {LONG} {CODE}"[:cut], "<p>Testo</p>")
    where = await rig.standing(id)
    assert where.is_delivered
    assert where.recipients[0].detail == "matched by subject and time, the code is missing"


async def test_a_cut_subject_that_fits_two_is_tied_to_none(rig: Rig) -> None:
    one = await rig.send(subject=LONG)
    two = await rig.send(subject=LONG, id="Q2", code=CODE[:-1] + "7")
    await rig.arrive(f"CONSEGNA: {LONG}"[:40], "<p>Testo</p>")
    assert await rig.states(one) == await rig.states(two) == {ANNA: "pending"}


async def test_a_cut_subject_that_an_uncertain_send_fits_too_is_tied_to_none(rig: Rig) -> None:
    one = await rig.send(subject=LONG)
    two = await rig.send(subject=LONG, id="Q2", code=None)
    await rig.step(two, SubmissionState.DISPATCHING, SubmissionState.UNCERTAIN)
    await rig.arrive(f"CONSEGNA: {LONG}"[:40], "<p>Testo</p>")
    assert await rig.states(one) == {ANNA: "pending"}


async def test_a_cut_subject_that_only_a_send_without_an_answer_fits_is_tied_to_none(
    rig: Rig,
) -> None:
    """Whether that left is for its acceptance to say, beside all that competes for it."""
    id = await rig.send(subject=LONG, code=None)
    remote = await rig.arrive(f"CONSEGNA: {LONG}"[:40], "<p>Testo</p>")
    assert await rig.states(id) == {ANNA: "pending"}
    assert (await rig.row(remote)).submission is None


async def test_a_cut_subject_may_be_an_uncertain_sends_whose_clock_is_ahead(rig: Rig) -> None:
    one = await rig.send(subject=LONG)
    await rig.clock.advance(1200)
    two = await rig.send(subject=LONG, id="Q2", code=None)
    await rig.step(two, SubmissionState.DISPATCHING, SubmissionState.UNCERTAIN)
    at = rig.clock.now() - timedelta(minutes=10)
    await rig.arrive(f"CONSEGNA: {LONG}"[:40], "<p>Testo</p>", at=at)
    assert await rig.states(one) == {ANNA: "pending"}


async def test_a_cut_subject_is_tied_though_our_clock_is_ahead(rig: Rig) -> None:
    id = await rig.send(subject=LONG, code="2026011509500092")
    at = rig.clock.now() - timedelta(minutes=9)
    await rig.arrive(f"CONSEGNA: {LONG}"[:40], "<p>Testo</p>", at=at)
    assert await rig.states(id) == {ANNA: "delivered"}


@pytest.mark.parametrize("days", [-2, 2])
async def test_a_cut_subject_of_another_time_is_tied_to_none(rig: Rig, days: int) -> None:
    id = await rig.send(subject=LONG)
    at = rig.clock.now() + timedelta(days=days)
    await rig.arrive(f"CONSEGNA: {LONG}"[:40], "<p>Testo</p>", at=at)
    assert await rig.states(id) == {ANNA: "pending"}


@pytest.mark.parametrize("body", ["<p>Testo</p>", "statement"])
async def test_a_whole_subject_without_a_code_is_of_a_send_made_elsewhere(
    rig: Rig, body: str
) -> None:
    """A webmail writes no code: its receipts must not count for our message of that subject."""
    id = await rig.send(subject=LONG)
    if body == "statement":
        body = f'il messaggio "{LONG}" proveniente da "x" ed indirizzato a "{ANNA}" è'
    await rig.arrive(f"CONSEGNA: {LONG}", body)
    assert await rig.states(id) == {ANNA: "pending"}
    assert await rig.receipts(id) == []


async def test_a_cut_subject_whose_text_shows_no_code_is_tied_to_none(rig: Rig) -> None:
    id = await rig.send(subject=LONG)
    text = f'il messaggio "{LONG}" proveniente da "x" ed indirizzato a "{ANNA}" è'
    await rig.arrive(f"CONSEGNA: {LONG}"[:50], text)
    assert await rig.states(id) == {ANNA: "pending"}


@pytest.mark.parametrize("lost", ["", "\ufffd", "?", "o"])
async def test_a_cut_subject_may_have_lost_its_accents(rig: Rig, lost: str) -> None:
    id = await rig.send(subject="Però la città è già però più su, però laggiù nell'Unità")
    spoilt = "Però la città è già però più su, però laggiù"
    for letter, bare in zip("òàèù", "oaeu", strict=True):
        spoilt = spoilt.replace(letter, bare if lost == "o" else lost)
    await rig.arrive(f"CONSEGNA: {spoilt}", "<p>Testo</p>")
    assert await rig.states(id) == {ANNA: "delivered"}


async def test_a_short_beginning_is_not_enough(rig: Rig) -> None:
    id = await rig.send(subject="Diffida ad adempiere")
    await rig.arrive("CONSEGNA: Diffida", "<p>Testo</p>")
    assert await rig.states(id) == {ANNA: "pending"}


async def test_lost_accents_hinder_nothing(rig: Rig) -> None:
    """Q7: letters outside ASCII may have become U+FFFD."""
    id = await rig.send((ANNA, BRUNO), subject="Città è però")
    subject = f"Citt\ufffd \ufffd per\ufffd {CODE}"
    text = f'il messaggio "Città è però {CODE}" proveniente da "x" ed indirizzato a "{BRUNO}" è'
    await rig.arrive(f"CONSEGNA: {subject}", text)
    assert await rig.states(id) == {ANNA: "pending", BRUNO: "delivered"}


# -- receipts before the answer ------------------------------------------------------------------


async def test_what_came_before_the_answer_is_claimed(rig: Rig) -> None:
    id = await rig.send((ANNA, BRUNO), code=None)
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    await rig.receipt(NetworkKind.DELIVERY, BRUNO)
    await rig.receipt(NetworkKind.FAILURE, ANNA)
    assert await rig.keywords() == frozenset()
    assert await rig.alarms() == []
    await rig.answer(id, CODE)
    assert await rig.states(id) == {ANNA: "failed", BRUNO: "delivered"}
    assert await rig.keywords() == {ACCEPTED, FAILED}
    assert await rig.alarm_kinds() == ["failure"]


async def test_a_reply_with_the_code_is_not_claimed(rig: Rig) -> None:
    id = await rig.send(code=None)
    await rig.arrive(f"POSTA CERTIFICATA: Re: Diffida {CODE}", "x", BEHALF)
    await rig.answer(id, CODE)
    assert await rig.receipts(id) == []


async def test_an_early_time_notice_is_told_by_its_words(rig: Rig) -> None:
    id = await rig.send(code=None)
    await rig.receipt(NetworkKind.FINAL_NOTICE, ANNA)
    await rig.answer(id, CODE)
    assert await rig.states(id) == {ANNA: "failed_24h"}


async def test_an_unclaimed_acceptance_is_there_for_uncertain_sends(rig: Rig) -> None:
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, subject="Diffida")
    now = rig.clock.now()
    found = await rig.store.read(
        lambda tx: tx.unclaimed_acceptances(rig.account, now - timedelta(1), now)
    )
    assert [(one.code, one.subject, one.recipients) for one in found] == [
        (CODE, "Diffida", (ANNA,))
    ]


async def test_one_code_for_two_sends_just_alike_counts_for_neither(rig: Rig) -> None:
    one = await rig.send()
    remote = await rig.receipt(NetworkKind.DELIVERY, ANNA)
    assert await rig.states(one) == {ANNA: "delivered"}
    two = await rig.send(id="Q2", code=None)
    await rig.answer(two, CODE)
    assert (await rig.row(remote)).submission is None
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    assert await rig.receipts(one) == await rig.receipts(two) == []
    assert await rig.keywords() == await rig.keywords(uid=2) == frozenset()
    assert await rig.alarm_kinds() == ["code-twice"]


NAMELESS = "<p>Testo</p>"
DOUBT_CASES = {
    "an acceptance before": (NetworkKind.ACCEPTANCE, -30, False),
    "an acceptance just after, by another clock": (NetworkKind.ACCEPTANCE, 30, False),
    "an acceptance long after": (NetworkKind.ACCEPTANCE, 86_400, True),
    "a delivery before": (NetworkKind.DELIVERY, -30, False),
    "a delivery long after, sent who knows when": (NetworkKind.DELIVERY, 86_400, False),
}


@pytest.mark.parametrize("first", ["ours", "theirs"])
@pytest.mark.parametrize(("kind", "after_s", "counts"), DOUBT_CASES.values(), ids=DOUBT_CASES)
async def test_what_names_nobody_counts_unless_it_may_be_of_one_sent_on(
    rig: Rig, kind: NetworkKind, after_s: int, counts: bool, first: str
) -> None:
    """Whichever is filed first: the message's delivery, or what names the other's addressee."""
    id = await rig.send()
    await rig.clock.advance(60)

    async def theirs() -> None:
        await rig.receipt(kind, BRUNO, later=timedelta(seconds=after_s))

    if first == "theirs":
        await theirs()
    await rig.receipt(NetworkKind.DELIVERY, ANNA, body=NAMELESS)
    if first == "ours":
        assert DELIVERED in await rig.keywords()
        await theirs()
    assert await rig.states(id) == {ANNA: "delivered" if counts else "pending"}
    assert (DELIVERED in await rig.keywords()) is counts


async def test_one_sent_on_a_day_later_takes_nothing_back(rig: Rig) -> None:
    id = await rig.send()
    await rig.receipt(NetworkKind.DELIVERY, ANNA, body=NAMELESS)
    for kind in (NetworkKind.ACCEPTANCE, NetworkKind.DELIVERY):
        await rig.receipt(kind, BRUNO, later=timedelta(days=1))
    assert await rig.states(id) == {ANNA: "delivered"}
    await rig.receipt(NetworkKind.DELIVERY, CARLA, later=timedelta(days=1))
    assert await rig.states(id) == {ANNA: "pending"}, "sent to her who knows when"


async def test_one_sent_on_at_once_and_again_a_day_later_is_still_a_doubt(rig: Rig) -> None:
    id = await rig.send()
    await rig.receipt(NetworkKind.DELIVERY, ANNA, body=NAMELESS)
    for later in (timedelta(days=1), timedelta()):
        await rig.receipt(NetworkKind.ACCEPTANCE, BRUNO, later=later)
    assert await rig.states(id) == {ANNA: "pending"}


@pytest.mark.parametrize("kind", [NetworkKind.FAILURE, NetworkKind.ACCEPTANCE])
async def test_what_is_taken_back_ends_its_alarm_and_its_keyword(
    rig: Rig, kind: NetworkKind
) -> None:
    id = await rig.send()
    await rig.receipt(kind, ANNA, body=NAMELESS)
    assert await rig.keywords()
    await rig.receipt(NetworkKind.ACCEPTANCE, BRUNO)
    assert await rig.states(id) == {ANNA: "pending"}
    assert await rig.keywords() == frozenset()
    assert await rig.alarms() == []


@pytest.mark.parametrize(
    ("subject", "recipient"), [("Diffida", BRUNO), ("Altro", ANNA), ("Altro", BRUNO)]
)
async def test_subject_and_recipients_tell_two_sends_of_one_code_apart(
    rig: Rig, subject: str, recipient: str
) -> None:
    one = await rig.send((ANNA,))
    two = await rig.send((recipient,), id="Q2", subject=subject)
    await rig.receipt(NetworkKind.DELIVERY, recipient, subject=subject)
    assert await rig.states(one) == {ANNA: "pending"}
    assert await rig.states(two) == {recipient: "delivered"}
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    assert await rig.states(one) == {ANNA: "delivered"}
    assert await rig.alarms() == []


async def test_time_tells_a_code_that_was_used_before_apart(rig: Rig) -> None:
    one = await rig.send()
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    await rig.clock.advance(3600)
    two = await rig.send(id="Q2")
    assert await rig.states(one) == {ANNA: "accepted"}
    assert await rig.states(two) == {ANNA: "pending"}


# -- where receipts go ---------------------------------------------------------------------------


async def test_receipts_can_go_to_a_mailbox_of_their_own(rig: Rig) -> None:
    rig.destination = Destination("Ricevute/2026")
    await rig.send()
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    await rig.arrive("POSTA CERTIFICATA: Preventivo", "x", BEHALF)
    assert await rig.subjects("Ricevute/2026") == [
        f"ACCETTAZIONE: Diffida {CODE}",
        f"CONSEGNA: Diffida {CODE}",
    ]
    assert await rig.subjects() == ["POSTA CERTIFICATA: Preventivo"]
    assert "Ricevute/2026" in await rig.mailboxes.subscriptions(rig.account)


async def test_receipts_can_go_by_kind_and_month(rig: Rig) -> None:
    names = {"acceptance": "Accettate", "failure": "Errori"}
    rig.destination = Destination("Ricevute/{year}-{month}/{kind}", names)
    await rig.send()
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    await rig.receipt(NetworkKind.FAILURE, ANNA)
    assert await rig.subjects("Ricevute/2026-01/Accettate") == [f"ACCETTAZIONE: Diffida {CODE}"]
    assert len(await rig.subjects("Ricevute/2026-01/Errori")) == 1
    assert "AVVISO DI MANCATA CONSEGNA" in " ".join(await rig.subjects())
    assert "ACCETTAZIONE" not in " ".join(await rig.subjects())


def test_the_month_is_romes() -> None:
    at = datetime(2026, 10, 31, 23, 30, tzinfo=UTC).astimezone(ROME)
    assert Destination("{month}/{kind}").mailboxes(Kind.DELIVERY, at) == ("11/delivery",)


@pytest.mark.parametrize(("seen", "marked"), [(frozenset({Kind.ACCEPTANCE}), 1), (frozenset(), 0)])
async def test_acceptances_are_marked_as_read(rig: Rig, seen: frozenset[Kind], marked: int) -> None:
    rig.destination = Destination(seen=seen)
    await rig.send()
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    await rig.receipt(NetworkKind.DELIVERY, ANNA)
    flags = [await rig.keywords("INBOX", uid) for uid in (1, 2)]
    assert [SEEN in one for one in flags] == [bool(marked), False]


async def test_a_foreign_acceptance_is_not_marked_as_read(rig: Rig) -> None:
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    assert SEEN not in await rig.keywords("INBOX")


@pytest.mark.parametrize(
    "kind", [NetworkKind.FAILURE, NetworkKind.NON_ACCEPTANCE, NetworkKind.FIRST_NOTICE]
)
async def test_bad_news_goes_to_inbox_as_well(rig: Rig, kind: NetworkKind) -> None:
    rig.destination = Destination("Ricevute")
    await rig.send()
    await rig.receipt(kind, ANNA)
    (receipt,) = await rig.raws("Ricevute")
    assert receipt in await rig.raws()


@pytest.mark.parametrize("name", ["inbox", "INBOX", "InBox"])
async def test_inbox_is_inbox_in_any_letters(rig: Rig, name: str) -> None:
    rig.destination = Destination(name)
    await rig.send()
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    assert len(await rig.raws()) == 1


async def test_foreign_receipts_stay_in_inbox(rig: Rig) -> None:
    rig.destination = Destination("Ricevute")
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    assert len(await rig.raws()) == 1
    assert await rig.raws("Ricevute") == []


# -- anomalies -----------------------------------------------------------------------------------


async def test_an_anomaly_raises_an_alarm_once(rig: Rig) -> None:
    arrival = await rig.add("ANOMALIA MESSAGGIO: Undelivered", "x", BEHALF)
    for _ in range(2):
        await rig.filing.file(rig.account, [arrival])
    assert await rig.alarm_kinds() == ["anomaly"]
    assert await rig.subjects() == [
        "ANOMALIA MESSAGGIO: Undelivered",
        "Anomalia / Anomaly: ANOMALIA MESSAGGIO: Undelivered",
    ]


@pytest.mark.parametrize(
    ("age", "alarms"),
    [
        (timedelta(days=2), ["anomaly"]),
        (timedelta(days=2, seconds=1), []),
        (timedelta(days=30), []),
    ],
    ids=str,
)
async def test_an_old_anomaly_of_a_first_import_is_only_shown(
    rig: Rig, age: timedelta, alarms: list[str]
) -> None:
    await rig.arrive("ANOMALIA MESSAGGIO: x", "x", BEHALF, at=rig.clock.now() - age)
    assert await rig.alarm_kinds() == alarms
    assert (await rig.subjects())[0] == "ANOMALIA MESSAGGIO: x"


async def test_a_text_that_is_sent_and_received_is_two_messages(rig: Rig) -> None:
    """Q13: mail to oneself turns up in the inbox as well."""
    id = await rig.send((ADDRESS,))
    await rig.arrive(f"POSTA CERTIFICATA: Diffida {CODE}", "Testo", f'"Per conto di: {ADDRESS}" ')
    assert len(await rig.raws()) == 1
    assert len(await rig.raws("Sent")) == 1
    assert await rig.states(QueueId(id)) == {ADDRESS: "pending"}


async def test_the_sender_of_a_receipt_may_be_any_provider(rig: Rig) -> None:
    id = await rig.send()
    text = f'il messaggio "Diffida {CODE}" proveniente da "x" ed indirizzato a "{ANNA}" è'
    await rig.arrive(f"CONSEGNA: Diffida {CODE}", text, "posta-certificata@altro.example")
    assert await rig.states(id) == {ANNA: "delivered"}
    assert SERVICE.partition("@")[2] != "altro.example"


async def test_what_is_composed_is_what_is_ingested(rig: Rig) -> None:
    await rig.arrive("POSTA CERTIFICATA: x", "x", BEHALF)
    (raw,) = await rig.raws()
    assert ingest(raw).message_id is not None


# -- any order -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
async def test_order_batches_and_the_time_of_the_answer_change_nothing(rig: Rig, seed: int) -> None:
    random = Random(seed)
    id = await rig.send((ANNA, BRUNO, CARLA), code=None)
    rows = [
        await rig.listed(NetworkKind.ACCEPTANCE, ANNA, BRUNO, CARLA),
        await rig.listed(NetworkKind.FIRST_NOTICE, ANNA, template_b=True),
        await rig.listed(NetworkKind.FINAL_NOTICE, ANNA),
        await rig.listed(NetworkKind.DELIVERY, ANNA),
        await rig.listed(NetworkKind.DELIVERY, BRUNO, template_b=True),
        await rig.listed(NetworkKind.FAILURE, CARLA),
    ]
    random.shuffle(rows)
    answer_at = random.randrange(len(rows))
    while rows:
        size = random.randint(1, 3)
        await rig.filing.file(rig.account, rows[:size])
        del rows[:size]
        answer_at -= size
        if answer_at < 0 <= answer_at + size:
            await rig.answer(id, CODE)
    assert await rig.states(id) == {ANNA: "delivered", BRUNO: "delivered", CARLA: "failed"}
    assert await rig.keywords() == {ACCEPTED, FAILED}
    assert [(one.kind, one.key) for one in await rig.alarms()] == [("failure", f"Q1:{CARLA}")]
