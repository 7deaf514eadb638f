"""Runs of combining marks, wherever text from outside is compared."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.imap.mailboxname import canonical
from bridge.mime.ingest import ingest
from bridge.mime.ingest.searchtext import fold
from bridge.mime.ingest.sortkey import casemap
from bridge.mime.row.address import read_sender
from bridge.mime.strict.rules import SubmissionRules
from bridge.mime.strict.submission import Additions, Envelope, check_submission
from bridge.receipts.address import plain_address
from bridge.receipts.kind import classify
from bridge.receipts.subject import is_cut, same_subject
from bridge.receipts.text import read_statement
from tests.costs.measure import assert_linear

SENDER = "posta-certificata@pec.example"


def _submit(text: str) -> object:
    raw = f"From: a@pec.example\r\nTo: b@pec.example\r\nSubject: {text}\r\n\r\n{text}\r\n".encode()
    envelope = Envelope("a@pec.example", ("b@pec.example",))
    additions = Additions(lambda: "Thu, 1 Jan 2026 00:00:00 +0100", lambda: "<1@pec.example>")
    return check_submission(raw, envelope, SubmissionRules(), additions)


READERS: dict[str, Callable[[str], object]] = {
    "a search key": fold,
    "a sort key": casemap,
    "a mailbox's name": canonical,
    "a sender": lambda text: read_sender(f"per conto di: {text}"),
    "a subject": lambda text: classify(f"CONSEGNA: {text}", SENDER),
    "a receipt's subject": lambda text: same_subject(text, text + "."),
    "a receipt's subject cut short": lambda text: is_cut("a" * 20 + text, "a" * 20 + text + "b"),
    "a receipt's text": lambda text: read_statement(
        f'il messaggio "x" inviato da "a@b" ed indirizzato a {text}'
    ),
    "a receipt's addressee": lambda text: plain_address(f"{text}@{text}"),
    "a message that came": lambda text: ingest(
        f"Subject: {text}\r\nFrom: {text} <a@b>\r\nContent-Type: text/plain; charset=utf-8; "
        f"name={text}\r\n\r\n{text}".encode()
    ),
    "a message to be sent": _submit,
}


@pytest.mark.parametrize("reader", READERS)
def test_marks_cost_their_number(reader: str) -> None:
    assert_linear(READERS[reader], lambda size: "a" + "\u0327\u0301" * size, 8_000)
