"""What the rows of receipts prove before their texts are here, and what a text takes back."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from bridge.api.schema import StatusRow
from bridge.mailbox import MailboxTransaction
from bridge.model import QueueId
from bridge.operations.receipts import BY_ROW, send_facts
from bridge.receipts import claim
from bridge.receipts.arrival import Arrival
from bridge.receipts.second_source import keep_status
from bridge.simulator.wording import NetworkKind
from bridge.store.outbox import ClaimBasis
from bridge.store.receipts import ReceiptBasis
from bridge.store.remote import Worth
from tests.receipts.rig import ADDRESS, CODE, SERVICE, Rig
from tests.receipts.test_proof import FORGED, QUOTED

ANNA, BRUNO, LAWYER = "anna@pec.example", "bruno@due.example", "avvocato@studio.example"
FIVE = tuple(f"p{number}@pec{number}.example" for number in range(5))
OTHER = "posta-certificata@altro.example"
ROW, TEXT = ReceiptBasis.ROW, ReceiptBasis.TEXT
SUBJECT = f"Diffida {CODE}"


async def row(
    rig: Rig, kind: NetworkKind, *named: str, second: float = 0, **changes: object
) -> Arrival:
    """Let a receipt be listed and judged; its text, which is not read, names ``named``."""
    later = timedelta(seconds=second)
    arrival = await rig.listed(kind, *(named or (ANNA,)), later=later, **changes)  # type: ignore[arg-type]
    await rig.judge()
    return arrival


async def bases(rig: Rig, id: QueueId) -> dict[str, ReceiptBasis]:
    return {one.kind: one.basis for one in await rig.receipts(id)}


async def worth(rig: Rig, arrival: Arrival) -> Worth | None:
    return (await rig.row(arrival.remote)).worth


@pytest.fixture
async def known(rig: Rig) -> Rig:
    """A rig whose account's provider has accepted before."""
    await rig.know_issuer()
    return rig


# -- one recipient ---------------------------------------------------------------------------


async def test_of_one_recipient_the_rows_say_it_all(known: Rig) -> None:
    id = await known.send()
    acceptance = await row(known, NetworkKind.ACCEPTANCE)
    assert await known.states(id) == {ANNA: "accepted"}
    assert await known.keywords() == {"$PecAccepted"}
    delivery = await row(known, NetworkKind.DELIVERY, second=2)
    assert await known.states(id) == {ANNA: "delivered"}
    assert await known.keywords() == {"$PecAccepted", "$PecDelivered"}
    assert await bases(known, id) == {"acceptance": ROW, "delivery": ROW}
    assert [await worth(known, one) for one in (acceptance, delivery)] == [Worth.CONFIRMATION] * 2
    assert await known.subjects() == []  # a message is shown with its text


async def test_a_text_that_says_the_same_confirms_it(known: Rig) -> None:
    id = await known.send()
    rows = [
        await row(known, NetworkKind.ACCEPTANCE),
        await row(known, NetworkKind.DELIVERY, second=2),
    ]
    where = await known.standing(id)
    assert (where.is_by_row, where.recipients[0].by_row) == (True, True)
    await known.filing.file(known.account, rows)
    where = await known.standing(id)
    assert (where.is_by_row, where.recipients[0].by_row) == (False, False)
    assert await bases(known, id) == {"acceptance": TEXT, "delivery": TEXT}
    assert await known.states(id) == {ANNA: "delivered"}
    assert await known.keywords() == {"$PecAccepted", "$PecDelivered"}
    assert await known.alarms() == []
    assert {one["In-Reply-To"] for one in await known.messages()} == {"<Q1@azienda.example>"}


async def test_what_rests_on_rows_is_said_so(known: Rig) -> None:
    id = await known.send()
    rows = [
        await row(known, NetworkKind.ACCEPTANCE),
        await row(known, NetworkKind.DELIVERY, second=2),
    ]

    async def facts() -> dict[str, object]:
        submission = await known.store.read(lambda tx: tx.submission(id))
        assert submission is not None
        return send_facts(submission, await known.standing(id))

    told = await facts()
    assert told["by_listing"] is True
    assert [one["detail"] for one in told["recipients"]] == [BY_ROW]  # type: ignore[attr-defined]
    await known.filing.file(known.account, rows[1:])
    told = await facts()
    assert [one["detail"] for one in told["recipients"]] == [""]  # type: ignore[attr-defined]
    assert told["by_listing"] is True  # the acceptance is not read yet
    await known.filing.file(known.account, rows[:1])
    assert "by_listing" not in await facts()


async def test_a_row_that_came_before_the_answer_speaks_with_it(known: Rig) -> None:
    id = await known.send(code=None)
    await row(known, NetworkKind.ACCEPTANCE)
    await row(known, NetworkKind.DELIVERY, second=2)
    assert await known.states(id) == {ANNA: "pending"}
    await known.answer(id, CODE)
    assert await known.states(id) == {ANNA: "delivered"}
    assert await known.keywords() == {"$PecAccepted", "$PecDelivered"}


async def test_a_row_teaches_nobody_who_the_provider_is(rig: Rig) -> None:
    """Until a text was read, acceptances wait for theirs; deliveries may go on from there."""
    id = await rig.send()
    acceptance = await row(rig, NetworkKind.ACCEPTANCE)
    delivery = await row(rig, NetworkKind.DELIVERY, second=2)
    assert await rig.states(id) == {ANNA: "pending"}
    assert [await worth(rig, one) for one in (acceptance, delivery)] == [Worth.RECEIPT] * 2
    await rig.filing.file(rig.account, [acceptance])
    assert await rig.states(id) == {ANNA: "delivered"}
    assert await bases(rig, id) == {"acceptance": TEXT, "delivery": ROW}


async def test_a_row_does_not_confirm_a_persons_word(known: Rig) -> None:
    id = await known.send()
    await known.store.write(lambda tx: tx.claim_code(id, ClaimBasis.WORD))
    acceptance = await row(known, NetworkKind.ACCEPTANCE)
    assert await known.states(id) == {ANNA: "accepted"}
    for basis in (ClaimBasis.WORD, ClaimBasis.EVIDENCE):
        submission = await known.store.read(lambda tx: tx.submission(id))
        assert submission is not None
        assert submission.claim is basis
        await known.filing.file(known.account, [acceptance])


# -- what proves nothing by itself -----------------------------------------------------------


@pytest.mark.parametrize("prefix", ["ACCETTAZIONE", "CONSEGNA"])
@pytest.mark.parametrize("quoted", QUOTED)
async def test_a_subject_that_quotes_the_code_moves_nothing(
    known: Rig, prefix: str, quoted: str
) -> None:
    id = await known.send()
    if prefix == "CONSEGNA":
        await row(known, NetworkKind.ACCEPTANCE)
    before = await known.states(id)
    await known.add(f"{prefix}: {quoted}", "")
    await known.judge()
    assert await known.states(id) == before


@pytest.mark.parametrize("prefix", ["ACCETTAZIONE", "CONSEGNA"])
@pytest.mark.parametrize("sender", FORGED)
async def test_who_is_no_service_moves_nothing(known: Rig, prefix: str, sender: str) -> None:
    id = await known.send()
    if prefix == "CONSEGNA":
        await row(known, NetworkKind.ACCEPTANCE)
    before = await known.states(id)
    await known.add(f"{prefix}: {SUBJECT}", "", sender)
    await known.judge()
    assert await known.states(id) == before


UNPROVEN: dict[str, dict[str, object]] = {
    "addressed to somebody else": {"recipient": LAWYER},
    "addressed to somebody else too": {"recipient": f"{ADDRESS}, {LAWYER}"},
    "older than the send": {"at": -2000.0},
    "without a date": {"is_dated": False},
}


@pytest.mark.parametrize("prefix", ["ACCETTAZIONE", "CONSEGNA"])
@pytest.mark.parametrize("fault", UNPROVEN)
async def test_what_says_too_little_waits_for_its_text(known: Rig, prefix: str, fault: str) -> None:
    id = await known.send()
    if prefix == "CONSEGNA":
        await row(known, NetworkKind.ACCEPTANCE)
    before = await known.states(id)
    changes = dict(UNPROVEN[fault])
    if "at" in changes:
        changes["at"] = known.clock.now() - timedelta(days=2000)
    arrival = await known.add(f"{prefix}: {SUBJECT}", "", **changes)  # type: ignore[arg-type]
    await known.judge()
    assert await known.states(id) == before
    assert await worth(known, arrival) is Worth.RECEIPT


@pytest.mark.parametrize("recipient", ["", "azienda", ADDRESS.upper(), f"<{ADDRESS}>", ANNA])
async def test_whoever_of_ours_it_is_addressed_to(known: Rig, recipient: str) -> None:
    id = await known.send()
    await known.add(f"ACCETTAZIONE: {SUBJECT}", "", recipient=recipient)
    await known.judge()
    assert await known.states(id) == {ANNA: "accepted"}


async def test_who_accepts_is_the_accounts_own_provider(known: Rig) -> None:
    id = await known.send()
    await known.add(f"ACCETTAZIONE: {SUBJECT}", "", OTHER)
    await known.judge()
    assert await known.states(id) == {ANNA: "pending"}


async def test_who_delivers_may_be_any(known: Rig) -> None:
    id = await known.send()
    await row(known, NetworkKind.ACCEPTANCE)
    await known.add(f"CONSEGNA: {SUBJECT}", "", OTHER)
    await known.judge()
    assert await known.states(id) == {ANNA: "delivered"}


async def test_a_delivery_without_an_acceptance_waits(known: Rig) -> None:
    id = await known.send()
    await row(known, NetworkKind.DELIVERY)
    assert await known.states(id) == {ANNA: "pending"}
    await row(known, NetworkKind.ACCEPTANCE, second=-1)
    assert await known.states(id) == {ANNA: "delivered"}


@pytest.mark.parametrize("at_once", [True, False])
async def test_rows_just_alike_are_told_apart_by_their_texts(known: Rig, at_once: bool) -> None:
    id = await known.send()
    await known.listed(NetworkKind.ACCEPTANCE, ANNA)
    if not at_once:
        await known.judge()
    await known.listed(NetworkKind.ACCEPTANCE, ANNA)
    await known.judge()
    kinds = [one.kind for one in await known.receipts(id)]
    assert kinds == ([] if at_once else ["acceptance"])


async def test_what_looks_like_a_row_that_is_gone_waits(known: Rig) -> None:
    """It is that one, back again, and would count twice."""
    id = await known.send()
    first = await row(known, NetworkKind.ACCEPTANCE)
    await known.filing.file(known.account, [first])
    now = known.clock.now()
    await known.store.write(lambda tx: tx.mark_remote_gone(first.remote, now))
    again = await row(known, NetworkKind.ACCEPTANCE)
    assert (await known.row(again.remote)).submission is None
    assert len(await known.receipts(id)) == 1


@pytest.mark.parametrize(
    "kind", [NetworkKind.FAILURE, NetworkKind.FAILURE_VIRUS, NetworkKind.NON_ACCEPTANCE]
)
async def test_failures_wait_for_their_texts(known: Rig, kind: NetworkKind) -> None:
    id = await known.send()
    arrival = await row(known, kind)
    assert await known.states(id) == {ANNA: "pending"}
    assert (await worth(known, arrival), await known.alarms()) == (Worth.FAILURE, [])


@pytest.mark.parametrize(
    ("subject", "sender", "expected"),
    [
        ("POSTA CERTIFICATA: Preventivo", '"Per conto di: a@b.example" ', Worth.INCOMING),
        ("ANOMALIA MESSAGGIO: Preventivo", '"Per conto di: a@b.example" ', Worth.INCOMING),
        (f"CONSEGNA: {SUBJECT}", "mario@casa.example", Worth.INCOMING),
        ("Altro", SERVICE, Worth.INCOMING),
        (f"AVVISO DI MANCATA CONSEGNA: {SUBJECT}", SERVICE, Worth.FAILURE),
        (
            f"AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO: {SUBJECT}",
            SERVICE,
            Worth.FAILURE,
        ),
        ("CONSEGNA: Altro", SERVICE, Worth.RECEIPT),
        (f"ACCETTAZIONE: Altro {CODE}", SERVICE, Worth.RECEIPT),
    ],
)
async def test_what_a_text_is_worth(known: Rig, subject: str, sender: str, expected: Worth) -> None:
    await known.send()
    arrival = await known.add(subject, "", sender)
    await known.judge()
    assert await worth(known, arrival) is expected


# -- a code, or a subject with its code, of two messages -------------------------------------


@pytest.mark.parametrize("subject", ["Diffida", "Altro"])
async def test_a_code_of_two_sends_proves_nothing_by_itself(known: Rig, subject: str) -> None:
    one = await known.send()
    other = await known.send(id="Q2", subject=subject)
    await row(known, NetworkKind.ACCEPTANCE)
    await row(known, NetworkKind.DELIVERY, second=2)
    assert (await known.receipts(one), await known.receipts(other)) == ([], [])
    assert await known.alarms() == []  # their texts may tell


async def test_a_code_given_again_takes_back_what_rows_had_shown(known: Rig) -> None:
    one = await known.send()
    rows = [
        await row(known, NetworkKind.ACCEPTANCE),
        await row(known, NetworkKind.DELIVERY, second=2),
    ]
    assert await known.states(one) == {ANNA: "delivered"}
    other = await known.send((BRUNO,), id="Q2")
    assert await known.states(one) == {ANNA: "pending"}
    assert await known.keywords() == frozenset()
    assert await known.alarm_kinds() == ["contradicted"]
    assert [await worth(known, each) for each in rows] == [Worth.RECEIPT] * 2
    await known.filing.file(known.account, rows)
    assert await known.states(one) == {ANNA: "delivered"}
    assert await known.states(other) == {BRUNO: "pending"}
    assert await known.alarm_kinds() == []


async def test_what_was_taken_back_is_not_over_until_a_text_says_so(known: Rig) -> None:
    one = await known.send()
    rows = [
        await row(known, NetworkKind.ACCEPTANCE),
        await row(known, NetworkKind.DELIVERY, second=2),
    ]
    other = await known.send((BRUNO,), id="Q2")

    async def revoke(mtx: MailboxTransaction) -> None:
        await mtx.tx.forget_code(other)
        await claim(mtx, known.account, one, CODE)

    await known.mailboxes.write(revoke)
    assert await known.states(one) == {ANNA: "delivered"}
    assert await known.alarm_kinds() == ["contradicted"]
    await known.filing.file(known.account, rows[1:])
    assert await known.alarm_kinds() == []


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_second_acceptance_is_of_another_message(known: Rig, at_once: bool) -> None:
    """Somebody sent it on from the webmail, the subject as it stands; only the texts tell."""
    id = await known.send()
    ours = await known.listed(NetworkKind.ACCEPTANCE, ANNA)
    if not at_once:
        await known.judge()
    theirs = await known.listed(NetworkKind.ACCEPTANCE, LAWYER, later=timedelta(minutes=9))
    delivery = await known.listed(NetworkKind.DELIVERY, LAWYER, later=timedelta(minutes=10))
    await known.judge()
    assert await known.states(id) == {ANNA: "pending" if at_once else "accepted"}
    assert await worth(known, theirs) is await worth(known, delivery) is Worth.RECEIPT
    await known.filing.file(known.account, [theirs])
    assert await known.states(id) == {ANNA: "accepted"}
    await known.filing.file(known.account, [ours, delivery])
    assert await known.states(id) == {ANNA: "accepted"}
    assert await known.alarms() == []


async def test_more_deliveries_than_recipients_wait(known: Rig) -> None:
    id = await known.send()
    await row(known, NetworkKind.ACCEPTANCE)
    for second in (2, 3):
        await known.listed(NetworkKind.DELIVERY, ANNA, later=timedelta(seconds=second))
    await known.judge()
    assert await known.states(id) == {ANNA: "accepted"}


# -- what a text takes back ------------------------------------------------------------------


async def test_a_text_that_names_somebody_else_takes_it_back(known: Rig) -> None:
    """With it goes whatever else names nobody: it may be that other message's."""
    id = await known.send()
    acceptance = await row(known, NetworkKind.ACCEPTANCE)
    delivery = await row(known, NetworkKind.DELIVERY, LAWYER, second=2)
    assert await known.states(id) == {ANNA: "delivered"}
    await known.filing.file(known.account, [delivery])
    assert await known.states(id) == {ANNA: "pending"}
    assert await known.keywords() == frozenset()
    assert await known.alarm_kinds() == ["contradicted"]
    assert (await known.row(delivery.remote)).submission is None
    (notice,) = [one for one in await known.messages() if one["Auto-Submitted"]]
    assert notice["In-Reply-To"] == "<Q1@azienda.example>"
    assert "vale più" in notice.get_content()
    assert "holds no longer" in notice.get_content()
    await known.judge()
    assert await worth(known, acceptance) is Worth.RECEIPT
    await known.filing.file(known.account, [acceptance])
    assert await known.states(id) == {ANNA: "accepted"}
    assert await known.alarm_kinds() == ["contradicted"]
    await known.receipt(NetworkKind.DELIVERY, ANNA, later=timedelta(seconds=9))
    assert await known.states(id) == {ANNA: "delivered"}
    assert await known.alarms() == []


async def test_what_is_taken_back_as_its_failure_comes_is_told(known: Rig) -> None:
    id = await known.send()
    await row(known, NetworkKind.ACCEPTANCE)
    delivery = await row(known, NetworkKind.DELIVERY, LAWYER, second=2)
    assert await known.states(id) == {ANNA: "delivered"}
    failure = await known.listed(NetworkKind.FAILURE, ANNA, later=timedelta(seconds=4))
    await known.filing.file(known.account, [delivery, failure])
    assert await known.states(id) == {ANNA: "failed"}
    assert sorted(await known.alarm_kinds()) == ["contradicted", "failure"]


async def test_an_acceptance_of_somebody_else_takes_everything_back(known: Rig) -> None:
    id = await known.send()
    acceptance = await row(known, NetworkKind.ACCEPTANCE, LAWYER)
    delivery = await row(known, NetworkKind.DELIVERY, LAWYER, second=2)
    await known.filing.file(known.account, [acceptance])
    assert await known.states(id) == {ANNA: "pending"}
    assert await known.keywords() == frozenset()
    assert await known.alarm_kinds() == ["contradicted"]
    await known.judge()
    assert await worth(known, delivery) is Worth.RECEIPT
    await known.filing.file(known.account, [delivery])
    assert await known.states(id) == {ANNA: "pending"}


async def test_another_text_of_the_code_takes_back_what_rests_on_a_row(known: Rig) -> None:
    """It shows that another message has the subject and the code, so a row is anybody's."""
    id = await known.send()
    await row(known, NetworkKind.ACCEPTANCE)
    await row(known, NetworkKind.DELIVERY, second=660)
    await known.receipt(NetworkKind.ACCEPTANCE, LAWYER, later=timedelta(seconds=600))
    assert await known.states(id) == {ANNA: "accepted"}
    assert await known.alarm_kinds() == ["contradicted"]


@pytest.mark.parametrize("is_ours", [True, False])
async def test_a_text_with_a_longer_code_takes_it_back(known: Rig, is_ours: bool) -> None:
    """The row was cut by one letter, and what was left of the code is another send's."""
    subject, long = "Trasmissione della documentazione", CODE + "1"
    short = await known.send(subject=subject)
    whole = await known.send(id="Q2", subject=subject, code=long if is_ours else CODE[:-1] + "8")
    body = f'Il messaggio "{subject} {long}" proveniente da "x" ed indirizzato a "{ANNA}" è stato'
    acceptance = await row(known, NetworkKind.ACCEPTANCE, subject=subject, body=body)
    assert await known.states(short) == {ANNA: "accepted"}
    await known.filing.file(known.account, [acceptance])
    assert await known.states(short) == {ANNA: "pending"}
    assert await known.states(whole) == {ANNA: "accepted" if is_ours else "pending"}
    assert await known.alarm_kinds() == ["contradicted"]


# -- several recipients ----------------------------------------------------------------------


async def deliver(rig: Rig, *recipients: str, first: float = 2) -> list[Arrival]:
    return [
        await row(rig, NetworkKind.DELIVERY, one, second=first + number)
        for number, one in enumerate(recipients)
    ]


async def test_of_five_all_have_it_when_five_deliveries_are_listed(known: Rig) -> None:
    id = await known.send(FIVE)
    await row(known, NetworkKind.ACCEPTANCE, *FIVE)
    assert await known.keywords() == {"$PecAccepted"}
    assert set((await known.states(id)).values()) == {"pending"}  # it says not for whom
    assert (await known.standing(id)).is_answered
    rows = await deliver(known, *FIVE[:4])
    assert set((await known.states(id)).values()) == {"pending"}
    rows += await deliver(known, FIVE[4], first=9)
    assert set((await known.states(id)).values()) == {"delivered"}
    assert await known.keywords() == {"$PecAccepted", "$PecDelivered"}
    assert {await worth(known, one) for one in rows} == {Worth.RECEIPT}
    for one in Random(3).sample(rows, 5):
        await known.filing.file(known.account, [one])
        assert set((await known.states(id)).values()) == {"delivered"}
    assert await known.alarms() == []
    assert not any(one.by_row for one in (await known.standing(id)).recipients)


async def test_deliveries_just_alike_count_once(known: Rig) -> None:
    """Two recipients of one provider at one second: nothing shows that these are two."""
    id = await known.send((ANNA, BRUNO))
    await row(known, NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    await row(known, NetworkKind.DELIVERY, ANNA, second=2)
    await row(known, NetworkKind.DELIVERY, BRUNO, second=2)
    assert set((await known.states(id)).values()) == {"pending"}


async def test_five_deliveries_of_which_two_are_one_recipients_prove_nothing(known: Rig) -> None:
    id = await known.send(FIVE)
    acceptance = await row(known, NetworkKind.ACCEPTANCE, *FIVE)
    rows = await deliver(known, *FIVE[:4], FIVE[0])
    assert set((await known.states(id)).values()) == {"delivered"}
    await known.filing.file(known.account, [acceptance, rows[0]])
    assert set((await known.states(id)).values()) == {"delivered"}
    await known.filing.file(known.account, [rows[4]])
    assert await known.states(id) == {
        FIVE[0]: "delivered",
        **dict.fromkeys(FIVE[1:], "accepted"),
    }
    assert await known.keywords() == {"$PecAccepted"}
    assert await known.alarm_kinds() == ["contradicted"]
    await known.filing.file(known.account, rows)
    assert (await known.states(id))[FIVE[3]] == "delivered"
    assert (await known.states(id))[FIVE[4]] == "accepted"


async def test_a_failure_leaves_open_who_has_it(known: Rig) -> None:
    id = await known.send((ANNA, BRUNO))
    await row(known, NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    await deliver(known, ANNA, ANNA)
    assert set((await known.states(id)).values()) == {"delivered"}
    await known.receipt(NetworkKind.FAILURE, BRUNO)
    states = await known.states(id)
    assert states == {ANNA: "pending", BRUNO: "failed"}
    assert sorted(await known.alarm_kinds()) == ["contradicted", "failure"]


async def test_what_get_send_told_does_not_count_beside_its_row(known: Rig) -> None:
    id = await known.send((ANNA, BRUNO))
    await row(known, NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    now = known.clock.now()
    text = f'Il messaggio "{SUBJECT}" proveniente da "x" ed indirizzato a "{ANNA}" è stato'
    told = StatusRow(
        sender=SERVICE,
        recipient=ADDRESS,
        date_text="",
        subject=f"CONSEGNA: {SUBJECT}",
        body=text,
        raw="{}",
        date=now,
    )

    async def work(mtx: MailboxTransaction) -> None:
        await keep_status(mtx, id, [told], now)

    await known.mailboxes.write(work)
    await deliver(known, ANNA)
    assert await known.states(id) == {ANNA: "delivered", BRUNO: "pending"}


async def test_a_row_that_went_unread_and_is_back_counts_once(known: Rig) -> None:
    id = await known.send((ANNA, BRUNO))
    await row(known, NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    (first,) = await deliver(known, ANNA)
    now = known.clock.now()
    await known.store.write(lambda tx: tx.mark_remote_gone(first.remote, now))
    (again,) = await deliver(known, ANNA)
    await known.filing.file(known.account, [again])
    assert await known.states(id) == {ANNA: "delivered", BRUNO: "pending"}
    assert [one.basis for one in await known.receipts(id)] == [ROW, TEXT]


async def test_texts_that_name_nobody_count_beside_rows(known: Rig) -> None:
    id = await known.send((ANNA, BRUNO))
    await row(known, NetworkKind.ACCEPTANCE, ANNA, BRUNO)
    rows = await deliver(known, ANNA, BRUNO)
    bare = [replace(one, body="<p>Testo</p>") for one in rows]
    for one in bare:
        await known.filing.file(known.account, [one])
        assert set((await known.states(id)).values()) == {"delivered"}
    assert await known.alarms() == []


# -- whatever the order ----------------------------------------------------------------------


Story = Callable[[Rig], Awaitable[list[Arrival]]]


async def plain(rig: Rig) -> list[Arrival]:
    await rig.send()
    return [
        await rig.listed(NetworkKind.ACCEPTANCE, ANNA),
        await rig.listed(NetworkKind.DELIVERY, ANNA, later=timedelta(seconds=2)),
    ]


async def two(rig: Rig) -> list[Arrival]:
    await rig.send((ANNA, BRUNO))
    return [
        await rig.listed(NetworkKind.ACCEPTANCE, ANNA, BRUNO),
        await rig.listed(NetworkKind.DELIVERY, ANNA, later=timedelta(seconds=2)),
        await rig.listed(NetworkKind.DELIVERY, BRUNO, later=timedelta(seconds=3)),
    ]


async def sent_on(rig: Rig) -> list[Arrival]:
    await rig.send()
    return [
        await rig.listed(NetworkKind.ACCEPTANCE, ANNA),
        await rig.listed(NetworkKind.ACCEPTANCE, LAWYER, later=timedelta(minutes=10)),
        await rig.listed(NetworkKind.DELIVERY, LAWYER, later=timedelta(minutes=10, seconds=2)),
    ]


async def failed(rig: Rig) -> list[Arrival]:
    await rig.send((ANNA, BRUNO))
    return [
        await rig.listed(NetworkKind.ACCEPTANCE, ANNA, BRUNO),
        await rig.listed(NetworkKind.DELIVERY, ANNA, later=timedelta(seconds=2)),
        await rig.listed(NetworkKind.FAILURE, BRUNO, later=timedelta(seconds=3)),
    ]


ENDS: dict[str, tuple[Story, dict[str, str]]] = {
    "plain": (plain, {ANNA: "delivered"}),
    "two": (two, {ANNA: "delivered", BRUNO: "delivered"}),
    "sent on": (sent_on, {ANNA: "accepted"}),
    "failed": (failed, {ANNA: "delivered", BRUNO: "failed"}),
}


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("judged", [True, False])
async def test_texts_have_the_last_word_in_any_order(
    known: Rig, name: str, order: tuple[int, ...], judged: bool
) -> None:
    """And where they say the same as the rows, nothing is told in between."""
    story, end = ENDS[name]
    rows = await story(known)
    if judged:
        await known.judge()
    for index in order:
        if index < len(rows):
            await known.filing.file(known.account, [rows[index]])
            await known.judge()
    assert await known.states(QueueId("Q1")) == end
    assert set((await bases(known, QueueId("Q1"))).values()) == {TEXT}
    kinds = await known.alarm_kinds()
    assert kinds == (["failure"] if name == "failed" else [])


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_rows_say_the_same_in_any_order(known: Rig, order: tuple[int, ...]) -> None:
    id = await known.send((ANNA, BRUNO))
    kinds = (NetworkKind.ACCEPTANCE, NetworkKind.DELIVERY, NetworkKind.DELIVERY)
    for index in order:
        await row(known, kinds[index], second=index)
    assert set((await known.states(id)).values()) == {"delivered"}


async def test_a_row_is_judged_once(known: Rig) -> None:
    await known.send()
    await row(known, NetworkKind.ACCEPTANCE)
    assert await known.store.read(lambda tx: tx.remote_unjudged(known.account, 9)) == []
    assert not await known.filing.judge(known.account)


async def test_many_rows_are_judged_batch_by_batch(known: Rig) -> None:
    ids = []
    for number in range(130):
        code = f"20260115100000{number:03}"
        ids.append(await known.send(id=f"Q{number}", code=code))
        await known.listed(NetworkKind.ACCEPTANCE, ANNA, code=code)
    assert await known.filing.judge(known.account)
    assert not await known.filing.judge(known.account)
    assert [await known.states(id) for id in ids] == [{ANNA: "accepted"}] * 130
