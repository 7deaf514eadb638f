"""Texts A and B as the simulator words them, and variations seen in the technical rules."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.receipts.text import read_statement
from bridge.simulator.content import NetworkMessage, text_to_html, whole_message
from bridge.simulator.wording import NetworkKind, ReceiptFacts, Recipient, text_of

AT = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
CODE = "2026011510000092"
ANNA, BRUNO = Recipient("anna@pec.example", True), Recipient("bruno@mail.example", False)


def facts(*recipients: Recipient, subject: str = "Diffida", error: str = "") -> ReceiptFacts:
    return ReceiptFacts(
        AT, f"{subject} {CODE}", "azienda@pec.example", recipients, "opec1@pec.example", error
    )


def wrapped_as_is(text: str) -> str:
    return text


def wrapped_in_form(text: str) -> str:
    return quote_plus(text)


def wrapped_in_windows_form(text: str) -> str:
    return quote_plus(text.encode("cp1252"))


def wrapped_in_html(text: str) -> str:
    return text_to_html(text)


def wrapped_in_message(text: str) -> str:
    notice = NetworkMessage(
        NetworkKind.DELIVERY, "s@x", "r@x", "CONSEGNA: x", AT, "1@x", text, "<p>Originale</p>"
    )
    return quote_plus(whole_message(notice))


WRAPPINGS = [
    wrapped_as_is,
    wrapped_in_form,
    wrapped_in_windows_form,
    wrapped_in_html,
    wrapped_in_message,
]


@pytest.mark.parametrize("template_b", [False, True], ids=["A", "B"])
@pytest.mark.parametrize("wrap", WRAPPINGS)
def test_an_acceptance_lists_its_recipients_and_their_types(wrap, template_b: bool) -> None:  # type: ignore[no-untyped-def]
    text = text_of(NetworkKind.ACCEPTANCE, facts(ANNA, BRUNO), template_b=template_b)
    statement = read_statement(wrap(text))
    assert statement is not None
    assert (statement.subject, statement.code) == ("Diffida", CODE)
    assert [(one.address, one.certified) for one in statement.addressees] == [
        ("anna@pec.example", True),
        ("bruno@mail.example", False),
    ]


@pytest.mark.parametrize("template_b", [False, True], ids=["A", "B"])
@pytest.mark.parametrize("wrap", WRAPPINGS)
@pytest.mark.parametrize(
    ("kind", "reason", "hours"),
    [
        (NetworkKind.DELIVERY, "", None),
        (NetworkKind.FAILURE, "5.1.1 - Legalmail - indirizzo non valido", None),
        (NetworkKind.FIRST_NOTICE, "", 12),
        (NetworkKind.FINAL_NOTICE, "", 24),
    ],
    ids=lambda value: value.value if isinstance(value, NetworkKind) else "",
)
def test_the_one_recipient_is_named(
    wrap: Callable[[str], str], template_b: bool, kind: NetworkKind, reason: str, hours: int | None
) -> None:
    text = text_of(kind, facts(ANNA, error=reason), template_b=template_b)
    statement = read_statement(wrap(text))
    assert statement is not None
    assert [one.address for one in statement.addressees] == ["anna@pec.example"]
    assert (statement.reason, statement.hours) == (reason, hours)
    assert statement.code == CODE


@pytest.mark.parametrize("template_b", [False, True], ids=["A", "B"])
def test_a_refusal_says_why(template_b: bool) -> None:
    text = text_of(
        NetworkKind.NON_ACCEPTANCE,
        facts(ANNA, BRUNO, error="virus rilevato"),
        template_b=template_b,
    )
    statement = read_statement(text)
    assert statement is not None
    assert statement.reason == "virus rilevato"
    assert len(statement.addressees) == 2


@pytest.mark.parametrize(
    "text",
    [
        'il messaggio "S" proveniente da "f@x.it" ed indirizzato a "anna@pec.example" è stato',
        'il messaggio "S" proveniente da "f@x.it" ed indirizzato a: anna@pec.example\nè stato',
        'il messaggio "S" inviato da "f@x.it" ed indirizzato a <anna@pec.example> è stato',
        'Il messaggio\ncon Oggetto "S"\ninviato da f@x.it\ne indirizzato a\nanna@pec.example.',
        "nel messaggio «S» proveniente da «f@x.it» e destinato all'utente «anna@pec.example»",
        'il messaggio "S" proveniente da "F X" ed indirizzata a "ANNA@pec.example" ("posta ...',
        'il messaggio "a "b" c" proveniente da "f@x.it" ed indirizzato a "anna@pec.example"',
    ],
)
def test_variations(text: str) -> None:
    statement = read_statement(text)
    assert statement is not None
    assert [one.address.casefold() for one in statement.addressees] == ["anna@pec.example"]


def test_the_heading_decides_where_the_text_lists_everybody() -> None:
    text = (
        'Ricevuta di avvenuta consegna del messaggio indirizzato a bruno@pec.example ("posta '
        f'certificata")\nIl messaggio con Oggetto "Diffida {CODE}" inviato da "f@x.it" ed '
        "indirizzato a:\nanna@pec.example\nbruno@pec.example\nè stato consegnato.\n"
    )
    statement = read_statement(text)
    assert statement is not None
    assert [one.address for one in statement.addressees] == ["bruno@pec.example"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Buongiorno",
        "<p>Il testo inviato, senza ricevuta</p>",
        "il messaggio è stato consegnato a anna@pec.example",
        "ed indirizzato a anna@pec.example",
    ],
)
def test_other_texts_say_nothing(text: str) -> None:
    assert read_statement(text) is None


def test_a_long_text_is_read_at_its_beginning() -> None:
    text = text_of(NetworkKind.DELIVERY, facts(ANNA), template_b=False) + "x" * 1_000_000
    statement = read_statement(quote_plus(text))
    assert statement is not None
    assert statement.addressees


@pytest.mark.parametrize("shift", range(7))
def test_where_a_long_text_is_cut_spoils_no_letter(shift: int) -> None:
    text = text_of(NetworkKind.FAILURE, facts(ANNA, error="perché così"), template_b=False)
    statement = read_statement(quote_plus(text + "x" * shift + "è" * 200_000))
    assert statement is not None
    assert statement.reason == "perché così"


@given(st.text() | st.text(alphabet='messaggio "»«dainvt@.:\n'))
def test_anything_can_be_read(text: str) -> None:
    read_statement(text)


@pytest.mark.parametrize(
    "piece",
    [
        'messaggio "',
        'messaggio "" inviato da ',
        "a@b ",
        "ed indirizzato a: ",
        "<!--",
        "non è stato consegnato:",
        'il messaggio "S" inviato da f ed indirizzato a x',
    ],
)
def test_absurd_texts_are_read_in_no_time(piece: str) -> None:
    began_s = time.process_time()
    read_statement(piece * (2_000_000 // len(piece)))
    assert time.process_time() - began_s < 2


@pytest.mark.parametrize(
    "listed",
    [
        "anna@pec.example e bruno@mail.example",
        "- anna@pec.example\n- bruno@mail.example",
        "Anna Rossi <anna@pec.example>, Bruno <bruno@mail.example>",
        "anna@pec.example (posta certificata) ; bruno@mail.example (posta ordinaria)",
        "1) anna@pec.example\n2) bruno@mail.example",
        '"anna@pec.example" / "bruno@mail.example"',
        "anna@pec.example (“posta certificata”) nonché bruno@mail.example",
    ],
)
@pytest.mark.parametrize(
    "fate", ["è stato accettato", "e' stato accettato", "non è stato", "\ufffd stato", "? stata"]
)
def test_no_addressee_is_missed_however_they_are_set_apart(listed: str, fate: str) -> None:
    body = (
        f'Il giorno 15/01/2026 il messaggio "Diffida {CODE}" proveniente da "io@pec.example" '
        f"ed indirizzato a:\n{listed}\n{fate}. Scrivere a aiuto@gestore.example."
    )
    statement = read_statement(body)
    assert statement is not None
    assert [one.address for one in statement.addressees] == [
        "anna@pec.example",
        "bruno@mail.example",
    ]
