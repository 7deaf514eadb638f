"""Receipts' texts and subjects, which quote what anybody wrote."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest

from bridge.limits import SUBJECT_COMPARED_CHARS
from bridge.receipts.kind import classify
from bridge.receipts.subject import is_cut, same_subject
from bridge.receipts.text import LIMIT_CHARS, read_statement
from tests.bound import bound
from tests.costs.measure import assert_linear, computed_s
from tests.selected import some

SAID = 'il messaggio "Prova" inviato da "a@b.it" ed indirizzato a c@d.it '
OPENINGS = (
    *("", "non", "(", "messaggio", "messaggio con oggetto", "del messaggio indirizzato a"),
    *("a causa di", "c@d.it (", "c@d.it ( posta", "rilevato un", "non \u00e8 stato", "prime", "\n"),
    *('messaggio "a', 'messaggio "a" proveniente da', 'messaggio "a" inviato da "b" ed'),
)
PUMPS = (" ", "\n", " \n", "\t", "\u00a0", "x", '"', "\u00bb", "a@", "%", "%C3", "+", "\u00e0", ".")


@pytest.mark.parametrize("opening", some(OPENINGS, 8))
@pytest.mark.parametrize("said", ["", SAID], ids=["alone", "behind a statement"])
def test_a_text_costs_its_length(said: str, opening: str) -> None:
    for pump in PUMPS:
        assert_linear(
            read_statement, bound(lambda size, pump: said + opening + pump * size, pump), 8_000
        )


@pytest.mark.parametrize(
    "pump", ['messaggio "', 'messaggio "a" inviato da ', "messaggio « » inviato da « "]
)
def test_statements_begun_without_end(pump: str) -> None:
    text = pump * (LIMIT_CHARS // len(pump))
    assert computed_s(lambda: read_statement(text)) < 2


@pytest.mark.parametrize("end", ["%C3", "%C3%", "%C3%A", "%E2%82%", "%C3" * 1000])
def test_an_encoded_text_is_cut_between_letters(end: str) -> None:
    text = "Citt%C3%A0+" + "a" * (LIMIT_CHARS - 11 - len(end)) + end + "%A0" * 100
    assert read_statement(text) is None
    said = quote_plus(SAID) + text
    statement = read_statement(said[: LIMIT_CHARS * 2])
    assert statement is not None
    assert statement.subject == "Prova"


@pytest.mark.parametrize("pump", ["\u00e0", "a ", "\u00e0 ", "?", " ", "\u4e2d"])
def test_subjects_of_any_length_are_compared(pump: str) -> None:
    text = pump * (20_000 // len(pump))
    shown = classify(f"CONSEGNA: {text}", "posta-certificata@pec.example").subject
    assert computed_s(lambda: same_subject(text, shown + "x"), 1) < 2
    assert computed_s(lambda: is_cut(shown, text + "x"), 1) < 2


@pytest.mark.parametrize("letter", ["1", "\u00e0", "\u4e2d", "\ufdfa", "a "])
@pytest.mark.parametrize("shown", ["?", "1", "\u00e0", "\ufffd ", "a "])
def test_long_subjects_are_compared_in_linear_time(letter: str, shown: str) -> None:
    """What the API lost counts letter by letter; so did each letter with all of them."""
    assert_linear(
        lambda size: (
            same_subject(letter * size, shown * size),
            is_cut(shown * size, letter * size),
        ),
        lambda size: size,
        16_000,
    )


def test_what_is_too_long_to_have_lost_letters_may_be_as_it_was_sent() -> None:
    sent = "Citt\u00e0 " * SUBJECT_COMPARED_CHARS
    assert same_subject(sent, sent.upper())
    assert not same_subject(sent, sent.replace("\u00e0", "?"))
    short = sent[: SUBJECT_COMPARED_CHARS - 1]
    assert same_subject(short, short.replace("\u00e0", "?"))
    assert is_cut(short.replace("\u00e0", "?"), sent)
