from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.mime.write.compose import Source, compose, message_id

AT = datetime(2026, 1, 15, 10, 0, 35, tzinfo=timezone(timedelta(hours=1)))
ROW = Source(
    sender='"Per conto di: anna@pec.example" ',
    recipient="azienda@pec.example",
    date_text="Thu, 15 Jan 2026 10:00:35 +0100",
    subject="POSTA CERTIFICATA: Preventivo",
    body="Buongiorno,\nin allegato.\n",
    at=AT,
)

texts = st.text(max_size=200)
sources = st.builds(
    Source,
    sender=texts,
    recipient=texts,
    date_text=texts,
    subject=texts,
    body=texts | st.sampled_from(["<p>è</p>" * 40, "MIME-Version: 1.0\r\n\r\nè\r\n"]),
    at=st.datetimes(datetime(1970, 1, 2), datetime(9998, 1, 1), timezones=st.just(UTC)),
    dated=st.booleans(),
    answers=st.just("") | st.just("<1@a.example>") | texts,
    attachments_lost=st.booleans(),
    unreadable=st.just("") | texts,
    occurrence=st.integers(0, 3),
)


def read(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(raw: bytes) -> str:
    content = read(raw).get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


@given(sources)
@example(replace(ROW, subject="x" * 5000, sender="y" * 5000, body="z" * 5000))
@example(replace(ROW, subject="\r\n\r\nFrom: x", answers="<a b>\r\nBcc: c"))
def test_the_bytes_are_mail_that_nobody_needs_to_change(source: Source) -> None:
    raw = compose(source)
    assert raw == compose(source)
    assert raw.isascii()
    assert b"\0" not in raw
    lines = raw.split(b"\r\n")
    assert all(len(line) <= 998 for line in lines)
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert raw.endswith(b"\r\n")


FIELDS = {
    "date",
    "from",
    "sender",
    "reply-to",
    "to",
    "subject",
    "message-id",
    "in-reply-to",
    "references",
    "x-riferimento-message-id",
    "x-pec-bridge-provenance",
    "x-pec-bridge-unreadable-date",
    "x-pec-bridge-unreadable",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
}


@given(sources)
def test_no_value_makes_a_field(source: Source) -> None:
    message = read(compose(source))
    names = [name.lower() for name in message]
    assert set(names) <= FIELDS
    assert len(names) == len(set(names))
    assert not message.defects


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=300))
def test_the_subject_comes_back(subject: str) -> None:
    if "=?" not in subject:
        message = read(compose(replace(ROW, subject=subject)))
        assert " ".join(str(message["Subject"]).split()) == " ".join(subject.split())


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=2000))
def test_a_text_comes_back(body: str) -> None:
    """Line ends apart, and the one at the end."""
    body = f"Testo: {body}"
    expected = body.replace("\r\n", "\n").replace("\r", "\n")
    raw = compose(replace(ROW, body=body))
    content = read(raw).get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.decode().replace("\r\n", "\n").removesuffix("\n") == expected.removesuffix("\n")


def test_a_large_text_comes_back_in_base64() -> None:
    body = "Così è la vita. " * 40_000
    raw = compose(replace(ROW, body=body))
    assert read(raw)["Content-Transfer-Encoding"] == "base64"
    assert text_of(raw).strip() == body.strip()


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        (
            '"Per conto di: a@b.it" <posta-certificata@p.it>',
            {"From": "a@b.it", "Sender": "posta-certificata@p.it", "Reply-To": "a@b.it"},
        ),
        ('"Per conto di: a@b.it" ', {"From": "a@b.it", "Sender": None, "Reply-To": "a@b.it"}),
        (
            '"Per conto di: Anna" <posta-certificata@p.it>',
            {"From": '"Per conto di: Anna" <posta-certificata@p.it>', "Reply-To": None},
        ),
        ("posta-certificata@p.it", {"From": "posta-certificata@p.it", "Reply-To": None}),
        ('"Rossi, Anna" <a@b.it>', {"From": '"Rossi, Anna" <a@b.it>'}),
        ("Città di Forlì", {"From": "Città di Forlì <unknown-sender@pec-bridge.localhost>"}),
        ("", {"From": "unknown-sender@pec-bridge.localhost"}),
    ],
)
def test_the_person_who_wrote_is_shown(sender: str, expected: dict[str, str | None]) -> None:
    message = read(compose(replace(ROW, sender=sender)))
    for name, value in expected.items():
        assert message[name] == value


def test_the_date_is_the_rows() -> None:
    assert read(compose(ROW))["Date"] == "Thu, 15 Jan 2026 10:00:35 +0100"


def test_an_unreadable_date_is_said() -> None:
    message = read(compose(replace(ROW, dated=False, date_text="l'altro\nieri")))
    assert message["Date"] == "Thu, 15 Jan 2026 10:00:35 +0100"
    assert message["X-Pec-Bridge-Unreadable-Date"] == "l'altro ieri"


def test_a_message_about_a_sent_one_names_it() -> None:
    message = read(compose(replace(ROW, answers="<1@a.example>")))
    for name in ("In-Reply-To", "References", "X-Riferimento-Message-ID"):
        assert message[name] == "<1@a.example>"


@pytest.mark.parametrize("answers", ["", "<>", "<a b>", "<a>\r\nBcc: x", "<è@x>", "a@b", "<a><b>"])
def test_what_is_no_message_id_is_not_referred_to(answers: str) -> None:
    message = read(compose(replace(ROW, answers=answers)))
    assert message["In-Reply-To"] is None
    assert message["Bcc"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"sender": "x"},
        {"recipient": "x"},
        {"date_text": "x"},
        {"subject": "x"},
        {"body": "x"},
        {"at": AT + timedelta(seconds=1)},
        {"answers": "<x@y>"},
        {"unreadable": "x"},
        {"occurrence": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_differs_gives_another_message_id(change: dict[str, object]) -> None:
    assert message_id(replace(ROW, **change)) != message_id(ROW)  # type: ignore[arg-type]


def test_pieces_cannot_be_shifted_from_field_to_field() -> None:
    one, other = replace(ROW, sender="ab", recipient="c"), replace(ROW, sender="a", recipient="bc")
    assert message_id(one) != message_id(other)


@pytest.mark.parametrize("body", ["Testo", "<html><body><p>Testo</p></body></html>", "<p>Testo"])
def test_an_incoming_pec_says_that_attachments_are_missing(body: str) -> None:
    shown = text_of(compose(replace(ROW, body=body, attachments_lost=True)))
    assert "Testo" in shown
    assert "Eventuali allegati non si ottengono tramite" in shown
    assert "are not to be had through the API" in shown
    assert "allegati" not in text_of(compose(replace(ROW, body=body)))


def test_the_note_stands_inside_the_page() -> None:
    shown = text_of(
        compose(replace(ROW, body="<html><body>x</BODY ></html>\n", attachments_lost=True))
    )
    assert shown.rstrip().endswith("</BODY ></html>")


WHOLE = (
    "Message-ID: <1@b.it>\r\nFrom: x@y.it\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/mixed;\r\n boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain\r\n\r\nTesto\r\n"
    '--b\r\nContent-Type: application/pdf; name="a.pdf"\r\n'
    "Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b--\r\n"
)


def test_a_whole_message_keeps_its_parts_under_our_header() -> None:
    raw = compose(replace(ROW, body=WHOLE, attachments_lost=True))
    assert raw.endswith(WHOLE.partition("\r\n\r\n")[2].encode())
    message = read(raw)
    assert message["From"] == "anna@pec.example"
    assert message["Message-ID"] == message_id(replace(ROW, body=WHOLE, attachments_lost=True))
    (file,) = message.iter_attachments()
    assert file.get_content() == b"%PDF"
    assert "the parts are as the API gave them" in message["X-Pec-Bridge-Provenance"]


@pytest.mark.parametrize(
    "spoilt",
    [
        WHOLE.replace("Testo", "Perché"),
        WHOLE.replace("Testo", "x" * 1200),
        WHOLE.replace("Testo", "a\x00b"),
        WHOLE.replace('boundary="b"', 'boundary="b"; x="è"'),
    ],
    ids=["eight bits", "a long line", "a zero octet", "a header in eight bits"],
)
def test_a_whole_message_that_would_not_survive_is_attached(spoilt: str) -> None:
    raw = compose(replace(ROW, body=spoilt))
    message = read(raw)
    text, file = message.iter_parts()
    assert "messaggio.eml" in text.get_content()
    assert file.get_filename() == "messaggio.eml"
    assert file.get_content() == spoilt.encode()


def test_an_unreadable_row_says_so_and_shows_what_came() -> None:
    raw = compose(replace(ROW, unreadable="no id", body='{"id": null}'))
    message = read(raw)
    text, file = message.iter_parts()
    words = text.get_content()
    assert "non è riuscito a leggere questo messaggio" in words
    assert "could not read this message" in words
    assert "no id" in words
    assert file.get_content() == b'{"id": null}'
    assert message["Subject"] == "POSTA CERTIFICATA: Preventivo"


def test_an_unreadable_row_without_a_subject_gets_one() -> None:
    raw = compose(replace(ROW, unreadable="no id", subject=" \n"))
    assert read(raw)["Subject"] == "Messaggio illeggibile / Unreadable message"
