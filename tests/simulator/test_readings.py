"""Each reading of an ambiguity shows in the answers, and only there."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from random import Random
from urllib.parse import unquote_to_bytes

import pytest

from bridge.simulator import (
    READINGS,
    SEQUENCE_READING,
    Accents,
    AttachmentForm,
    BodyContent,
    BodyTransfer,
    CodeForm,
    CodePlace,
    Dates,
    EnvelopeBody,
    Errors,
    FanOut,
    ListingOrder,
    Missing,
    Names,
    Options,
    PageCounts,
    PastEnd,
    QuotaUnit,
    ReceiptText,
    SenderShape,
    SentCount,
    Simulator,
)
from tests.fakes import FakeClock
from tests.simulator.caller import ADDRESS, PASSWORD, calling


def simulated(clock: FakeClock, **reading: object) -> Simulator:
    return Simulator(
        SEQUENCE_READING.replace(order=ListingOrder.OLDEST, **reading), clock, Random(3)
    )


@pytest.mark.parametrize("options", READINGS.values(), ids=READINGS)
async def test_both_readings_serve_a_whole_exchange(options: Options, clock: FakeClock) -> None:
    async with calling(Simulator(options, clock, Random(1))) as api:
        assert (await api.send(recipient=[ADDRESS, "fail-x@altra.invalid"])).status_code == 201
        kinds = {subject.split(":")[0] for subject in await api.subjects()}
        assert kinds == {
            "ACCETTAZIONE",
            "POSTA CERTIFICATA",
            "CONSEGNA",
            "AVVISO DI MANCATA CONSEGNA",
        }


def test_the_two_readings_differ_in_every_ambiguity() -> None:
    one, other = READINGS.values()
    settings = {
        "code_form",
        "page_size",
        "token",
        "latency_s",
        "delays",
        "send_interval_s",
        "retry_after_s",
        "subject_limit",
        "keep_content",
    }
    names = set(Options.__dataclass_fields__) - settings
    assert {name for name in names if getattr(one, name) == getattr(other, name)} == set()


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (CodePlace.TOP, lambda code: {"message_id": code}),
        (CodePlace.TOP_NUMBER, lambda code: {"message_id": int(code)}),
        (CodePlace.DATA, lambda code: {"data": {"message_id": code}}),
        (CodePlace.DATA_NUMBER, lambda code: {"data": {"message_id": int(code)}}),
    ],
    ids=lambda value: getattr(value, "value", ""),
)
async def test_place_of_the_code(clock: FakeClock, place: CodePlace, expected: object) -> None:
    simulator = simulated(clock, code_place=place)
    async with calling(simulator) as api:
        fields = (await api.send()).json()
    assert callable(expected)
    rest = {"success": True, "message": "", "sent": 1}
    assert fields == {**rest, **expected(simulator.sent[0].code)}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (CodeForm.ERROR_TEXT, lambda _code: "SMTP connect() failed"),
        (CodeForm.FALSE, lambda _code: False),
        (CodeForm.ZERO, lambda _code: 0),
        (CodeForm.LIST, lambda code: [code]),
        (CodeForm.OBJECT, lambda code: {"id": code}),
        (CodeForm.FLOAT, lambda code: float(code)),
        (CodeForm.LINE_END, lambda code: code + "\r\n"),
        (CodeForm.PATH, lambda code: "/send/" + code),
        (CodeForm.MARKUP, lambda code: f"<b>{code}</b>"),
    ],
    ids=lambda value: getattr(value, "value", ""),
)
async def test_odd_codes(clock: FakeClock, form: CodeForm, expected: object) -> None:
    simulator = simulated(clock, code_form=form)
    async with calling(simulator) as api:
        answer = await api.send()
    assert callable(expected)
    assert answer.status_code == 201
    assert answer.json()["message_id"] == expected(simulator.sent[0].code)


@pytest.mark.parametrize("digits", [15, 16, 17, 20])
async def test_codes_have_the_length_asked_for_and_never_repeat(
    clock: FakeClock, digits: int
) -> None:
    simulator = simulated(clock, code_digits=digits)
    async with calling(simulator) as api:
        for _ in range(25):
            await api.send()
    codes = [sent.code for sent in simulator.sent]
    assert {len(code) for code in codes} == {digits}
    assert len(set(codes)) == 25


@pytest.mark.parametrize(
    ("count", "expected"),
    [(SentCount.ONE, 1), (SentCount.RECIPIENTS, 2), (SentCount.ABSENT, None)],
)
async def test_what_sent_counts(clock: FakeClock, count: SentCount, expected: int | None) -> None:
    async with calling(simulated(clock, sent_count=count)) as api:
        answer = await api.send(recipient=["a@x.invalid", "b@x.invalid"])
    assert answer.json().get("sent") == expected


@pytest.mark.parametrize(("fan_out", "acceptances"), [(FanOut.ONE_PEC, 1), (FanOut.PEC_EACH, 2)])
async def test_several_recipients_share_a_pec_or_not(
    clock: FakeClock, fan_out: FanOut, acceptances: int
) -> None:
    async with calling(simulated(clock, fan_out=fan_out)) as api:
        await api.send(recipient=["a@x.invalid", "b@x.invalid"])
        kinds = [subject.split(":")[0] for subject in await api.subjects()]
    assert kinds.count("ACCETTAZIONE") == acceptances
    assert kinds.count("CONSEGNA") == 2


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (PageCounts.NUMBERS, (1, 0, 1)),
        (PageCounts.STRINGS, ("1", "0", "1")),
        (PageCounts.ABSENT, (None,) * 3),
    ],
)
async def test_counts(clock: FakeClock, counts: PageCounts, expected: tuple[object, ...]) -> None:
    simulator = simulated(clock, counts=counts)
    async with calling(simulator) as api:
        simulator.inject(ADDRESS, subject="una")
        fields = (await api.get("/inbox")).json()
    assert tuple(fields.get(name) for name in ("total", "n_of_pages", "page")) == expected


async def test_a_page_past_the_end_may_be_404(clock: FakeClock) -> None:
    async with calling(simulated(clock, past_end=PastEnd.NOT_FOUND)) as api:
        answer = await api.get("/inbox", page=2)
    assert (answer.status_code, answer.json()["success"]) == (404, False)


@pytest.mark.parametrize(
    ("dates", "expected"),
    [(Dates.RFC2822, "Thu, 15 Jan 2026 10:00:00 +0100"), (Dates.SQL, "2026-01-15 10:00:00")],
)
async def test_dates(clock: FakeClock, dates: Dates, expected: str) -> None:
    async with calling(simulated(clock, dates=dates)) as api:
        await api.send()
        assert {row["date"] for row in await api.rows()} == {expected}


@pytest.mark.parametrize(
    ("names", "listing", "single", "status"),
    [
        (Names.PUBLISHED, {"date", "object"}, "body", {"data", "object", "message"}),
        (Names.MAIL, {"date", "subject"}, "body", {"date", "subject", "body"}),
        (Names.ITALIAN, {"data", "object"}, "message", {"data", "object", "message"}),
    ],
)
async def test_names(
    clock: FakeClock, names: Names, listing: set[str], single: str, status: set[str]
) -> None:
    simulator = simulated(clock, names=names)
    async with calling(simulator) as api:
        await api.send()
        row = (await api.rows())[0]
        message = (await api.get(f"/inbox/{row['id']}")).json()["data"]
        about = (await api.get(f"/send/{simulator.sent[0].code}")).json()["data"][0]
    always = {"sender", "recipient"}
    assert set(row) == always | listing | {"id"}
    assert set(message) == always | listing | {single}
    assert set(about) == always | status


@pytest.mark.parametrize(
    ("transfer", "expected"),
    [
        (BodyTransfer.PLAIN, "È 5 € + ж"),
        (BodyTransfer.FORM_UTF8, "%C3%88+5+%E2%82%AC+%2B+%D0%B6"),
        (BodyTransfer.FORM_CP1252, "%C8+5+%80+%2B+%26%231078%3B"),
    ],
)
async def test_body_transfer(clock: FakeClock, transfer: BodyTransfer, expected: str) -> None:
    simulator = simulated(clock, body_transfer=transfer)
    async with calling(simulator) as api:
        simulator.inject(ADDRESS, subject="una", body="È 5 € + ж")
        body = (await api.get("/inbox/1")).json()["data"]["body"]
    assert body == expected
    if transfer is BodyTransfer.FORM_CP1252:
        assert unquote_to_bytes(body.replace("+", " ")).decode("cp1252") == "È 5 € + &#1078;"


async def bodies(simulator: Simulator, **fields: object) -> dict[str, str]:
    """Send one message to ourselves and return the bodies by subject prefix."""
    async with calling(simulator) as api:
        await api.send(recipient=[ADDRESS], **fields)
        found = {}
        for row in await api.rows():
            message = (await api.get(f"/inbox/{row['id']}")).json()["data"]
            found[row["object"].split(":")[0]] = message["body"]
        return found


async def test_body_content_as_text_and_html(clock: FakeClock) -> None:
    plain = simulated(clock, body_transfer=BodyTransfer.PLAIN, body_content=BodyContent.TEXT)
    texts = await bodies(plain, body="<p>Uno &amp; due</p><p>Tre</p>")
    assert texts["POSTA CERTIFICATA"] == "Uno & due\nTre\n"
    assert texts["ACCETTAZIONE"].startswith("Ricevuta di accettazione\nIl giorno 15/01/2026 alle")
    page = simulated(clock, body_transfer=BodyTransfer.PLAIN, body_content=BodyContent.HTML)
    pages = await bodies(page, body="<p>Uno &amp; due</p>")
    assert pages["POSTA CERTIFICATA"] == "<p>Uno &amp; due</p>"
    assert pages["ACCETTAZIONE"].startswith("<html><body><p>Ricevuta di accettazione<br>\n")


async def test_body_content_as_a_whole_message(clock: FakeClock) -> None:
    simulator = simulated(clock, body_transfer=BodyTransfer.PLAIN, body_content=BodyContent.MIME)
    found = await bodies(simulator, subject="Però", body="<p>È qui</p>")
    for prefix, header, value in (
        ("ACCETTAZIONE", "X-Ricevuta", "accettazione"),
        ("CONSEGNA", "X-Ricevuta", "avvenuta-consegna"),
        ("POSTA CERTIFICATA", "X-Trasporto", "posta-certificata"),
    ):
        assert "\n" not in found[prefix].replace("\r\n", "")
        message = email.message_from_string(found[prefix], policy=email.policy.default)
        assert message[header] == value
        assert str(message["Subject"]).startswith(f"{prefix}: Però 2026011510")
        assert message.get_content_type() == "multipart/signed"
        names = [part.get_filename() for part in message.walk() if part.get_filename()]
        expected = ["daticert.xml", "postacert.eml", "smime.p7s"]
        assert names == [
            name for name in expected if prefix != "ACCETTAZIONE" or "cert.e" not in name
        ]
        assert not message.defects
    envelope = email.message_from_string(found["POSTA CERTIFICATA"], policy=email.policy.default)
    inner = [part for part in envelope.walk() if part.get_content_type() == "text/html"]
    assert inner[0].get_content().strip() == "<p>È qui</p>"


@pytest.mark.parametrize(
    ("wording", "phrase"),
    [
        (ReceiptText.TEMPLATE_A, 'ed indirizzato a "azienda@pec.invalid"'),
        (ReceiptText.TEMPLATE_B, 'indirizzato a azienda@pec.invalid ("posta certificata")'),
        (ReceiptText.ORIGINAL, "Salve"),
    ],
)
async def test_wording_of_receipts(clock: FakeClock, wording: ReceiptText, phrase: str) -> None:
    found = await bodies(simulated(clock, body_transfer=BodyTransfer.PLAIN, receipt_text=wording))
    assert phrase in found["CONSEGNA"]
    assert ("Ricevuta" in found["CONSEGNA"]) is (wording is not ReceiptText.ORIGINAL)
    assert 'azienda@pec.invalid ("posta certificata")' in found["ACCETTAZIONE"]


@pytest.mark.parametrize(
    ("envelope", "phrase"),
    [(EnvelopeBody.ORIGINAL, "Salve"), (EnvelopeBody.WRAPPER, "Messaggio di posta certificata")],
)
async def test_body_of_an_incoming_pec(
    clock: FakeClock, envelope: EnvelopeBody, phrase: str
) -> None:
    found = await bodies(simulated(clock, body_transfer=BodyTransfer.PLAIN, envelope_body=envelope))
    assert found["POSTA CERTIFICATA"].startswith(phrase)


@pytest.mark.parametrize(
    ("accents", "inbox", "status"),
    [
        (Accents.KEPT, "Però", "Però"),
        (Accents.LOST_IN_STATUS, "Però", "Per\ufffd"),
        (Accents.LOST, "Per\ufffd", "Per\ufffd"),
    ],
)
async def test_accents(clock: FakeClock, accents: Accents, inbox: str, status: str) -> None:
    simulator = simulated(clock, accents=accents)
    async with calling(simulator) as api:
        await api.send(subject="Però", recipient=[ADDRESS], body="è")
        code = simulator.sent[0].code
        assert (await api.subjects())[0] == f"ACCETTAZIONE: {inbox} {code}"
        rows = (await api.get(f"/send/{code}")).json()["data"]
    assert rows[0]["object"] == f"ACCETTAZIONE: {status} {code}"
    assert rows[1]["message"] == ("è" if accents is Accents.KEPT else "\ufffd")


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (SenderShape.QUOTED, f'"Per conto di: {ADDRESS}" '),
        (SenderShape.ANGLED, f'"Per conto di: {ADDRESS}" <posta-certificata@pec.invalid>'),
    ],
)
async def test_sender_of_an_incoming_pec(
    clock: FakeClock, shape: SenderShape, expected: str
) -> None:
    async with calling(simulated(clock, sender_shape=shape)) as api:
        await api.send(recipient=[ADDRESS])
        senders = {row["object"].split(":")[0]: row["sender"] for row in await api.rows()}
    assert senders["POSTA CERTIFICATA"] == expected
    assert senders["ACCETTAZIONE"] == "posta-certificata@pec.invalid"


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        (QuotaUnit.BYTE, {"usage": 3 * 1024**2, "limit": 1024**3}),
        (QuotaUnit.KILOBYTE, {"usage": 3 * 1024, "limit": 1024**2}),
        (QuotaUnit.MEGABYTE, {"usage": 3, "limit": 1024}),
    ],
)
async def test_quota_units(clock: FakeClock, unit: QuotaUnit, expected: dict[str, int]) -> None:
    simulator = simulated(clock, quota_unit=unit)
    async with calling(simulator) as api:
        simulator.set_quota(ADDRESS, used_bytes=3 * 1024**2, limit_bytes=1024**3)
        assert (await api.get("/quota/INBOX")).json()["data"] == expected


@pytest.mark.parametrize(
    ("form", "uri", "raw"),
    [
        (AttachmentForm.DATA_URI, 201, 400),
        (AttachmentForm.BASE64, 400, 201),
        (AttachmentForm.EITHER, 201, 201),
    ],
)
async def test_forms_of_attachments(
    clock: FakeClock, form: AttachmentForm, uri: int, raw: int
) -> None:
    async with calling(simulated(clock, attachment_form=form)) as api:
        for file, status in (("data:text/plain;base64,YQ==", uri), ("YQ==", raw)):
            answer = await api.send(attachments=[{"name": "a.txt", "file": file}])
            assert answer.status_code == status


@pytest.mark.parametrize(("missing", "status"), [(Missing.OK, 200), (Missing.NOT_FOUND, 404)])
async def test_deleting_what_is_not_there(clock: FakeClock, missing: Missing, status: int) -> None:
    async with calling(simulated(clock, missing=missing)) as api:
        assert (await api.delete("/inbox/9")).status_code == status


@pytest.mark.parametrize(
    ("errors", "status", "message"),
    [
        (Errors.STATUS, 404, "Result empty"),
        (Errors.OK_STATUS, 200, "Result empty"),
        (Errors.NESTED, 404, '{"error": {"code": 404, "message": "Result empty"}}'),
    ],
)
async def test_shape_of_errors(clock: FakeClock, errors: Errors, status: int, message: str) -> None:
    async with calling(simulated(clock, errors=errors)) as api:
        answer = await api.get("/send/1")
        assert answer.status_code == status
        assert answer.json() == {"success": False, "message": message}
        wrong = await api.client.get("/inbox", headers={})
        assert wrong.status_code == 401


async def test_subjects_may_be_cut(clock: FakeClock) -> None:
    async with calling(simulated(clock, subject_limit=20)) as api:
        await api.send(subject="Un oggetto piuttosto lungo")
        assert (await api.subjects())[0] == "ACCETTAZIONE: Un ogg"


async def test_digests_alone_are_kept_when_asked(clock: FakeClock) -> None:
    simulator = simulated(clock, keep_content=False)
    async with calling(simulator) as api:
        file = "data:text/plain;base64,YQ=="
        await api.send(attachments=[{"name": "a.txt", "file": file}])
    (attachment,) = simulator.sent[0].attachments
    assert (attachment.content, attachment.size_bytes) == (b"", 1)


async def test_sends_may_come_too_soon(clock: FakeClock) -> None:
    simulator = simulated(clock, send_interval_s=1.0, retry_after_s=3)
    async with calling(simulator) as api:
        assert (await api.send()).status_code == 201
        await clock.advance(0.99)
        refused = await api.send()
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3")
        await clock.advance(0.01)
        assert (await api.send()).status_code == 201
    assert len(simulator.sent) == 2


async def test_a_send_that_takes_long_to_arrive_did_not_come_too_soon(clock: FakeClock) -> None:
    """A small one overtakes it: that one began later."""
    simulator = simulated(clock)
    passed = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await passed.wait()
        yield b'"sender": "%b", "recipient": ["b@x.invalid"], ' % ADDRESS.encode()
        yield b'"subject": "", "body": "x", '
        yield b'"username": "%b", "password": "%b"}' % (ADDRESS.encode(), PASSWORD.encode())

    async with calling(simulator) as api:
        large = asyncio.create_task(api.client.post("/send", content=body(), headers=api.bearer))
        await asyncio.sleep(0)
        await clock.advance(1.0)
        assert (await api.send()).status_code == 201
        passed.set()
        assert (await large).status_code == 201


async def test_latency_passes_on_the_clock(clock: FakeClock) -> None:
    async with calling(simulated(clock, latency_s=0.05)) as api:
        calls = [asyncio.create_task(api.get("/inbox")) for _ in range(20)]
        await clock.advance(0.049)
        assert not any(call.done() for call in calls)
        await clock.advance(0.001)
        assert [(await call).status_code for call in calls] == [200] * 20
