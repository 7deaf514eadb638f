"""What proves something about a send, and what only looks so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest

from bridge.api.client import PecClient
from bridge.api.connection import ApiConnection
from bridge.api.schema import StatusRow
from bridge.receipts.proof import begun_at
from bridge.receipts.second_source import keep_status
from bridge.simulator import Options, Simulator
from bridge.simulator.options import Delays, ReceiptText
from bridge.simulator.wording import NetworkKind, ReceiptFacts, Recipient, text_of
from tests.fakes import FakeClock
from tests.receipts.rig import ADDRESS, CODE, SERVICE, Rig
from tests.receipts.test_readings import World, variants

ANNA, BRUNO, LAWYER = "anna@pec.example", "bruno@pec.example", "avvocato@studio.example"
NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
PREFIXES = {
    NetworkKind.ACCEPTANCE: "ACCETTAZIONE",
    NetworkKind.NON_ACCEPTANCE: "AVVISO DI NON ACCETTAZIONE",
    NetworkKind.DELIVERY: "CONSEGNA",
    NetworkKind.FAILURE: "AVVISO DI MANCATA CONSEGNA",
    NetworkKind.FINAL_NOTICE: "AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO",
}
QUOTED = [
    f"I: ACCETTAZIONE: Diffida {CODE}",
    f"Fwd: CONSEGNA: Diffida {CODE}",
    f"I: Diffida {CODE}",
    f"R: Diffida {CODE}",
    f"Re: Diffida {CODE}",
    f"ACCETTAZIONE: Diffida {CODE}",
    f"Diffida e messa in mora {CODE}",
    f"Prot. 7 Diffida {CODE}",
    f"Diffida {CODE} {CODE}",
    CODE,
    f"Diffida. {CODE}",
]


def text(kind: NetworkKind, rig: Rig, subject: str, *recipients: str) -> str:
    named = tuple(Recipient(one, certified=True) for one in recipients)
    facts = ReceiptFacts(rig.clock.now(), subject, ADDRESS, named, "opec1@pec.example", "5.1.1 no")
    return text_of(kind, facts, template_b=False)


@pytest.mark.parametrize("kind", PREFIXES)
@pytest.mark.parametrize("quoted", QUOTED)
@pytest.mark.parametrize("readable", [True, False])
async def test_a_subject_that_quotes_the_code_moves_nothing(
    rig: Rig, kind: NetworkKind, quoted: str, readable: bool
) -> None:
    id = await rig.send()
    body = text(kind, rig, quoted, ANNA) if readable else "<p>Testo</p>"
    await rig.arrive(f"{PREFIXES[kind]}: {quoted}", body)
    assert await rig.receipts(id) == []
    assert await rig.keywords() == frozenset()
    assert await rig.alarms() == []


@pytest.mark.parametrize("kind", PREFIXES)
@pytest.mark.parametrize("named", [(LAWYER,), (ANNA, LAWYER)])
async def test_who_names_somebody_else_is_of_another_message(
    rig: Rig, kind: NetworkKind, named: tuple[str, ...]
) -> None:
    """Also where the send has one recipient, about whom everything would be."""
    id = await rig.send()
    body = "\n".join(text(kind, rig, f"Diffida {CODE}", *named).splitlines())
    await rig.arrive(f"{PREFIXES[kind]}: Diffida {CODE}", body)
    moved = await rig.receipts(id)
    if len(named) == 1 or kind in (NetworkKind.ACCEPTANCE, NetworkKind.NON_ACCEPTANCE):
        assert moved == []
        assert await rig.states(id) == {ANNA: "pending"}


@pytest.mark.parametrize("kind", PREFIXES)
@pytest.mark.parametrize("years", [6, 1])
async def test_what_is_older_than_the_send_is_not_its(
    rig: Rig, kind: NetworkKind, years: int
) -> None:
    id = await rig.send()
    at = rig.clock.now() - timedelta(days=365 * years)
    body = text(kind, rig, f"Diffida {CODE}", ANNA)
    await rig.arrive(f"{PREFIXES[kind]}: Diffida {CODE}", body, at=at)
    assert await rig.receipts(id) == []


async def test_a_clock_a_minute_behind_is_no_proof_against(rig: Rig) -> None:
    id = await rig.send()
    at = rig.clock.now() - timedelta(minutes=1)
    await rig.arrive(f"CONSEGNA: Diffida {CODE}", "", at=at)
    assert await rig.states(id) == {ANNA: "delivered"}


@pytest.mark.parametrize(
    ("ahead_min", "counts"), [(1, True), (14, True), (16, False), (600, False)]
)
async def test_a_clock_ahead_of_the_services_is_made_up_for(
    rig: Rig, ahead_min: int, counts: bool
) -> None:
    """The code says when the service took the message, by the clock that dates the receipts."""
    there = rig.clock.now()
    await rig.clock.advance(60 * ahead_min)
    id = await rig.send()
    await rig.arrive(f"CONSEGNA: Diffida {CODE}", "", at=there + timedelta(seconds=5))
    assert (await rig.states(id) == {ANNA: "delivered"}) is counts


@pytest.mark.parametrize(
    ("code", "begun"),
    [
        (None, NOW),
        ("", NOW),
        ("2026011509590092", NOW - timedelta(minutes=1)),
        ("2026011509440092", NOW),
        ("2026011510010092", NOW),
        ("2020011509590092", NOW),
        ("2026023009590092", NOW),
    ],
)
def test_when_a_send_began(code: str | None, begun: datetime) -> None:
    assert begun_at(NOW, code) == begun


FORGED = [
    "mario.rossi@pec.example",
    f'"{SERVICE}" <mario@pec.example>',
    f"{SERVICE} <mario@pec.example>",
    f"{SERVICE}, mario@pec.example",
    f"<{SERVICE}> <mario@pec.example>",
    f"mario@pec.example, {SERVICE}",
    f"Mario Rossi <{SERVICE}>",
    "posta\u200b-certificata@pec.example",
    f"\u200b{SERVICE}",
    f"{SERVICE}\u200d",
    f"\ufeff{SERVICE}",
    "post\u0430-certificata@pec.example",
    "po\u017fta-certificata@pec.example",
    "posta\u2010certificata@pec.example",
    "posta-certificata@pec\u3002example",
    "posta-certificata@p\u0435c.example",
    "posta-certificata@",
    "posta-certificata",
    "posta-certificata@pec",
    f"=?utf-8?Q?{SERVICE}?=",
    f'"Per conto di: {SERVICE}" ',
    f"{SERVICE} mario",
    f"{SERVICE}.mario@casa.example",
    f"({SERVICE}) mario@pec.example",
]


@pytest.mark.parametrize("sender", FORGED)
async def test_whoever_is_not_a_providers_service_issues_nothing(rig: Rig, sender: str) -> None:
    id = await rig.send()
    body = text(NetworkKind.DELIVERY, rig, f"Diffida {CODE}", ANNA)
    await rig.arrive(f"CONSEGNA: Diffida {CODE}", body, sender)
    assert await rig.receipts(id) == []


@pytest.mark.parametrize(
    "sender",
    [
        SERVICE,
        SERVICE.upper(),
        f'"{SERVICE}" ',
        f"<{SERVICE}>",
        f'"{SERVICE}" <{SERVICE}>',
        "posta-certificata@legalmail.infocert.example",
    ],
)
async def test_an_address_alone_may_be_dressed_as_the_api_likes(rig: Rig, sender: str) -> None:
    id = await rig.send()
    await rig.arrive(f"CONSEGNA: Diffida {CODE}", "", sender)
    assert await rig.states(id) == {ANNA: "delivered"}


OTHER = "posta-certificata@altro.example"


@pytest.mark.parametrize("kind", [NetworkKind.ACCEPTANCE, NetworkKind.NON_ACCEPTANCE])
async def test_who_accepts_is_the_accounts_own_provider(rig: Rig, kind: NetworkKind) -> None:
    await rig.send()
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    second = CODE[:-1] + "7"
    id = await rig.send(id="Q2", code=second)
    await rig.arrive(f"{PREFIXES[kind]}: Diffida {second}", "<p>Testo</p>", OTHER)
    assert await rig.receipts(id) == []
    await rig.arrive(f"CONSEGNA: Diffida {second}", "<p>Testo</p>", OTHER)
    assert await rig.states(id) == {ANNA: "delivered"}


async def test_another_service_that_names_the_recipients_is_believed_and_known(rig: Rig) -> None:
    await rig.send()
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA)
    for number in (3, 4):
        code = f"{CODE[:-1]}{number}"
        id = await rig.send(id=f"Q{number}", code=code)
        body = (
            text(NetworkKind.ACCEPTANCE, rig, f"Diffida {code}", ANNA)
            if number == 3
            else "<p>x</p>"
        )
        await rig.arrive(f"ACCETTAZIONE: Diffida {code}", body, OTHER)
        assert await rig.states(id) == {ANNA: "accepted"}


OWN = [
    "Pratica 2026011510000077",
    "2026011510000077",
    "ACCETTAZIONE: Diffida",
    "CONSEGNA: I: Diffida 2026011510000077",
    "Re: Diffida",
    "Perché è così",
    "  due   blanks ",
    "日本",
    "",
    "=?x",
    "½ prezzo, “virgolette” … 10 €",
    "Ŀ ligature ﬁ",
]


@pytest.mark.parametrize("subject", OWN)
async def test_own_subjects_may_be_anything(rig: Rig, subject: str) -> None:
    id = await rig.send(subject=subject)
    await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, subject=subject)
    await rig.receipt(NetworkKind.DELIVERY, ANNA, subject=subject)
    assert await rig.states(id) == {ANNA: "delivered"}
    assert len(await rig.receipts(id)) == 2


async def test_a_webmail_send_of_a_subject_like_ours_with_a_number_is_not_ours(rig: Rig) -> None:
    id = await rig.send(subject="Pratica 2026011510000077")
    await rig.arrive("CONSEGNA: Pratica 2026011510000077", "")
    assert await rig.receipts(id) == []


async def test_a_code_cut_to_another_code_is_read_from_the_text(rig: Rig) -> None:
    subject = "Trasmissione della documentazione"
    id = await rig.send(subject=subject)
    whole = f"CONSEGNA: {subject} {CODE}"
    await rig.arrive(whole[:-1], text(NetworkKind.DELIVERY, rig, f"{subject} {CODE}", ANNA))
    assert await rig.states(id) == {ANNA: "delivered"}


async def test_domains_are_compared_as_a_labels(rig: Rig) -> None:
    id = await rig.send(("anna@città.example", BRUNO))
    await rig.receipt(NetworkKind.DELIVERY, "Anna@XN--CITT-3NA.example")
    assert (await rig.states(id))["anna@città.example"] == "delivered"


@pytest.mark.parametrize("quoted", QUOTED)
async def test_get_send_is_judged_by_the_same_rules(rig: Rig, quoted: str) -> None:
    id = await rig.send()
    now = rig.clock.now()
    rows = [
        StatusRow(
            sender=SERVICE,
            recipient=ADDRESS,
            date_text="",
            subject=f"CONSEGNA: {quoted}",
            body="",
            raw='{"a": 1}',
            date=now,
        ),
        StatusRow(
            sender=OTHER,
            recipient=ADDRESS,
            date_text="",
            subject=f"CONSEGNA: {quoted}",
            body="",
            raw='{"a": 2}',
            date=now,
        ),
        StatusRow(
            sender="x@y.example",
            recipient=ADDRESS,
            date_text="",
            subject=f"CONSEGNA: Diffida {CODE}",
            body="",
            raw="{}",
            date=now,
        ),
        StatusRow(
            sender=SERVICE,
            recipient=ADDRESS,
            date_text="",
            subject=f"CONSEGNA: Diffida {CODE}",
            body=text(NetworkKind.DELIVERY, rig, f"Diffida {CODE}", LAWYER),
            raw='{"a": 3}',
            date=now,
        ),
        StatusRow(
            sender=SERVICE,
            recipient=ADDRESS,
            date_text="",
            subject=f"CONSEGNA: Diffida {CODE}",
            body="",
            raw='{"a": 4}',
            date=now - timedelta(days=2000),
        ),
    ]
    await rig.mailboxes.write(lambda mtx: keep_status(mtx, id, rows, now))
    assert await rig.receipts(id) == []
    good = StatusRow(
        sender=SERVICE,
        recipient=ADDRESS,
        date_text="",
        subject=f"CONSEGNA: Diffida {CODE}",
        body="",
        raw='{"a": 5}',
        date=now,
    )
    await rig.mailboxes.write(lambda mtx: keep_status(mtx, id, [good], now))
    assert await rig.states(id) == {ANNA: "delivered"}


@pytest.mark.parametrize("options", variants())
async def test_what_the_webmail_forwards_and_sends_counts_for_nobody(
    rig: Rig, clock: FakeClock, options: Options
) -> None:
    """The acceptance goes to a lawyer, and comes back as the receipts of that forward."""
    simulator = Simulator(options.replace(delays=Delays(delivery_s=60)), clock, Random(1))
    simulator.add_mailbox(ADDRESS, "pw")
    async with connected(simulator, clock) as client:
        world = World(rig, simulator, client)
        id = await world.send(ANNA)
        await world.sync()
        acceptance = simulator.inbox(ADDRESS)[0].row
        for to in (LAWYER, "fail-lawyer@studio.example", ANNA):
            simulator.forward(ADDRESS, acceptance, [to])
        simulator.send_elsewhere(ADDRESS, acceptance.subject.partition(": ")[2], [LAWYER])
        simulator.send_elsewhere(ADDRESS, "Diffida: perché è città", [ANNA])
        await clock.advance(30)
        await world.sync()
        assert await rig.states(id) == {ANNA: "accepted"}
        assert await rig.keywords() == {"$PecAccepted"}
        await clock.advance(60)
        await world.sync()
        kinds = [one.kind for one in await rig.receipts(id)]
        if options.receipt_text is ReceiptText.ORIGINAL:  # two deliveries, and neither names whom
            assert kinds == ["acceptance"]
        else:
            assert await rig.states(id) == {ANNA: "delivered"}
            assert kinds == ["acceptance", "delivery"]


class connected:
    """A client on a simulator, for as long as the block lasts."""

    def __init__(self, simulator: Simulator, clock: FakeClock) -> None:
        self._connection = ApiConnection(
            "http://api.invalid",
            simulator.token,
            clock=clock,
            transport=httpx.ASGITransport(app=simulator.app),
        )
        self._clock = clock

    async def __aenter__(self) -> PecClient:
        return PecClient(self._connection, username=ADDRESS, password="pw", clock=self._clock)

    async def __aexit__(self, *_: object) -> None:
        await self._connection.aclose()
