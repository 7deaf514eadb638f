from __future__ import annotations

import hashlib
from datetime import date

import pytest
from hypothesis import given

from bridge.mime.ingest import ingest
from bridge.mime.ingest.searchtext import MOST_BODY_CHARACTERS, body_text
from bridge.mime.lenient.part import PartKind, decode_parts
from tests.mime.dovecot import read_values
from tests.mime.malformed import BY_HAND, python_corpus
from tests.mime.strategies import mail

RAW = (
    b"From: =?utf-8?q?Societ=C3=A0?= <Info@Pec.it>\r\nTo: a@b.it, C <d@e.it>\r\nCc: f@g.it\r\n"
    b"Subject: Re: [x] =?utf-8?q?Perch=C3=A9?=\r\nDate: Wed, 26 Aug 2020 23:30:00 -0100\r\n"
    b'Message-ID: <"m"@x>\r\nIn-Reply-To: <i@x>\r\nReferences: <r@x>\r\n <s@x>\r\n'
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n<p>Ciao, <b>mondo</b></p>\r\n--b--\r\n"
)


def test_all_of_an_ordinary_message() -> None:
    message = ingest(RAW)
    assert message.raw == RAW
    assert message.size_bytes == len(RAW)
    assert message.sha256 == hashlib.sha256(RAW).digest()
    assert message.header == RAW[: RAW.index(b"--b")]
    assert message.imap_body == (
        b'(("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 25 0) "mixed")'
    )
    assert decode_parts(message.parts).kind is PartKind.MULTIPART
    assert message.message_id == "<m@x>"
    assert message.in_reply_to == "<i@x>"
    assert message.references == ("<r@x>", "<s@x>")
    assert message.sent_at == 1598488200
    assert message.sent_on == date(2020, 8, 26)
    assert message.preview == "Ciao, mondo"


def test_keys_are_mapped_and_texts_folded() -> None:
    message = ingest(RAW)
    sort, search = message.sort, message.search
    assert (sort.base_subject, sort.is_reply) == ("PERCHE\u0301", True)
    assert (sort.from_mailbox, sort.to_mailbox, sort.cc_mailbox) == ("INFO", "A", "F")
    assert (sort.from_display, sort.to_display) == ("SOCIETA\u0300", "A@B.IT")
    assert search.subject == "re: [x] perche"
    assert search.sender == "societa <info@pec.it>"
    assert (search.to, search.cc, search.bcc) == ("a@b.it, c <d@e.it>", "f@g.it", "")
    assert "\nreferences:<r@x> <s@x>\n" in search.header
    assert search.header.endswith("\n\tcontent-type:text/html")
    assert search.body == "ciao, mondo"
    assert search.body_is_whole


@pytest.mark.parametrize(
    ("header", "references"),
    [
        pytest.param(b"References: <a@b>\r\nIn-Reply-To: <c@d>\r\n", ("<a@b>",), id="references"),
        pytest.param(b"In-Reply-To: <c@d> <e@f>\r\n", ("<c@d>",), id="in-reply-to"),
        pytest.param(b"References: none\r\nIn-Reply-To: <c@d>\r\n", ("<c@d>",), id="broken"),
        pytest.param(b"References: <a@b>\r\nReferences: <c@d>\r\n", ("<a@b>", "<c@d>"), id="two"),
        pytest.param(b"", (), id="none"),
    ],
)
def test_references(header: bytes, references: tuple[str, ...]) -> None:
    assert ingest(header + b"\r\n").references == references


def test_a_very_long_body_is_cut_and_said_to_be() -> None:
    raw = b"\r\n" + b"word " * 100_000 + b"needle"
    search = ingest(raw).search
    assert not search.body_is_whole
    assert len(search.body) == MOST_BODY_CHARACTERS
    assert "needle" in body_text(raw)


@given(mail)
def test_anything_is_ingested(raw: bytes) -> None:
    message = ingest(raw)
    assert message == ingest(raw)
    assert raw.startswith(message.header)
    for wire in (message.imap_envelope, message.imap_body, message.imap_bodystructure):
        assert len(read_values(wire)) == 1
        assert b"\0" not in wire
    search, sort = message.search, message.sort
    texts = [search.subject, search.header, search.body, sort.base_subject, message.preview]
    texts += [message.message_id or "", *message.references]
    for text in texts:
        assert "\0" not in text
        text.encode()  # no lone surrogate, which no database takes


@pytest.mark.parametrize("name", BY_HAND)
def test_malformed(name: str) -> None:
    assert ingest(BY_HAND[name]).size_bytes == len(BY_HAND[name])


def test_python_corpus() -> None:
    for raw in python_corpus().values():
        assert ingest(raw).search.body == body_text(raw)
