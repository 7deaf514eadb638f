from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.write.dsn import Notification, RecipientReport, compose_report

AT = datetime(2026, 1, 15, 10, tzinfo=UTC)
UNO = RecipientReport(
    "uno@pec.example",
    "failed",
    "5.0.0",
    AT,
    "HTTP 400: destinatario non valido è",
    "http",
    "ws.pecmassiva.com",
)
BOUNCE = Notification(
    name="ABC1.dsn1",
    heading="Messaggio non inviato / Message not sent",
    queue_id="ABC1",
    reporting_mta="pec-bridge.localhost",
    to="azienda@pec.example",
    subject="Fattura è 12",
    message_id="<1@erp.example>",
    recipients=(UNO, replace(UNO, address="due@pec.example")),
    italian="Il messaggio non è stato inviato.",
    english="The message was not sent.",
    arrived_at=datetime(2026, 1, 15, 9, tzinfo=UTC),
    at=AT,
    returned=b"From: azienda@pec.example\r\nSubject: Fattura\r\n 12\r\n\r\n",
)


def read(report: Notification) -> EmailMessage:
    message = email.message_from_bytes(compose_report(report), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_is_a_report_of_three_parts() -> None:
    report = read(BOUNCE)
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    assert [part.get_content_type() for part in report.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert not report.defects


def test_is_from_nobody_about_the_message() -> None:
    report = read(BOUNCE)
    assert report["Return-Path"] == "<>"
    assert report["To"].addresses[0].addr_spec == "azienda@pec.example"
    assert report["Subject"] == "Messaggio non inviato / Message not sent: Fattura è 12"
    assert report["In-Reply-To"] == report["References"] == "<1@erp.example>"
    assert report["Auto-Submitted"] == "auto-replied"


def test_says_it_in_italian_and_english_with_the_answer() -> None:
    text = next(iter(read(BOUNCE).iter_parts())).get_content()
    for words in (BOUNCE.italian, BOUNCE.english, "Numero di coda: ABC1", "Queue id: ABC1"):
        assert words in text
    assert text.count(UNO.diagnostic) == 2
    assert text.count("uno@pec.example, due@pec.example") == 2


def test_the_status_has_a_group_for_each_recipient() -> None:
    status = list(read(BOUNCE).iter_parts())[1]
    about, first, second = cast("list[EmailMessage]", status.get_payload())
    assert about["Reporting-MTA"] == "dns; pec-bridge.localhost"
    assert about["Arrival-Date"] == "Thu, 15 Jan 2026 09:00:00 +0000"
    for group, address in ((first, "uno@pec.example"), (second, "due@pec.example")):
        assert group["Final-Recipient"] == f"rfc822; {address}"
        assert group["Action"] == "failed"
        assert group["Status"] == "5.0.0"
        assert group["Remote-MTA"] == "dns; ws.pecmassiva.com"
        assert str(group["Diagnostic-Code"]).startswith("http; HTTP 400")


def test_recipients_beyond_ascii_make_it_global() -> None:
    raw = compose_report(replace(BOUNCE, recipients=(replace(UNO, address="è@pec.example"),)))
    assert b"Content-Type: message/global-delivery-status\r\n" in raw
    assert "Final-Recipient: utf-8; è@pec.example\r\n".encode() in raw


def test_without_an_answer_nothing_is_said_of_one() -> None:
    raw = compose_report(replace(BOUNCE, recipients=(replace(UNO, diagnostic="", remote_mta=""),)))
    assert b"Diagnostic-Code" not in raw
    assert b"Remote-MTA" not in raw


def test_is_about_somebody() -> None:
    with pytest.raises(ValueError, match="at least one recipient"):
        replace(BOUNCE, recipients=())


@given(
    st.binary(max_size=200),
    st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=80),
    st.text(max_size=80).map(lambda text: " ".join(text.split())),
)
def test_whatever_is_quoted_it_stays_a_message(header: bytes, words: str, subject: str) -> None:
    subject = "".join(char for char in subject if char.isprintable())
    bounce = replace(
        BOUNCE, returned=header, subject=subject, recipients=(replace(UNO, diagnostic=words),)
    )
    raw = compose_report(bounce)
    assert raw == compose_report(bounce)
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert raw.count(b"\n") == raw.count(b"\r\n")
    parts = [part.get_content_type() for part in read(bounce).iter_parts()]
    assert len(parts) == 3


def test_what_the_client_calls_envelope_and_recipients_is_echoed() -> None:
    called = replace(UNO, original="RFC822;Uno+tag@Pec.Example")
    status = list(read(replace(BOUNCE, envid="ORD 17/b", recipients=(called,))).iter_parts())[1]
    about, group = cast("list[EmailMessage]", status.get_payload())
    assert about["Original-Envelope-Id"] == "ORD 17/b"
    assert group["Original-Recipient"] == "RFC822; Uno+tag@Pec.Example"


@given(st.binary(max_size=300), st.booleans())
def test_a_message_that_is_returned_whole_is_there_to_the_byte(body: bytes, is_long: bool) -> None:
    inside = b"Subject: x\r\n\r\n--=_pec-bridge-ABC1--\r\n" + body.replace(b"\n", b"\r\n")
    inside += b"a" * 2000 if is_long else b""
    report = replace(BOUNCE, returned=inside, is_whole=True)
    raw = compose_report(report)
    assert inside in raw
    parts = list(read(report).iter_parts())
    assert [one.get_content_type() for one in parts][2] == "message/rfc822"
    assert len(parts) == 3


def test_a_message_with_fields_in_utf8_is_returned_as_what_it_is() -> None:
    report = replace(BOUNCE, returned="Subject: è\r\n\r\nx\r\n".encode(), is_whole=True)
    assert b"Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n" in (
        compose_report(report)
    )
