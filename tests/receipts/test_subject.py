"""Subjects as a listing shows them: whole, with letters lost, cut, or another message's."""

from __future__ import annotations

import pytest

from bridge.receipts.subject import is_cut, is_legible, same_subject

LONG = "Richiesta di integrazione della pratica edilizia"


@pytest.mark.parametrize(
    "shown", ["Perché no", "perche no", "Perch\ufffd no", "Perch?? no", "PerchÃ© no", "Perch no"]
)
def test_letters_that_were_lost_make_no_other_subject(shown: str) -> None:
    assert same_subject("Perché no", shown)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Diffida", "I: Diffida"),
        ("Diffida", "Diffida 2"),
        ("Diffida", "Diffid"),
        ("Nota n. 1", "Nota n. 2"),
        ("Perché", "Perch???????????"),
    ],
)
def test_whatever_else_differs_is_another_message(sent: str, shown: str) -> None:
    assert not same_subject(sent, shown)


@pytest.mark.parametrize(
    ("shown", "is_so"),
    [(LONG[:30], True), (LONG, True), (LONG[:15], False), (f"I: {LONG[:30]}", False)],
)
def test_a_subject_cut_short_is_long_enough_to_be_known(shown: str, is_so: bool) -> None:
    assert is_cut(shown, LONG) is is_so


@pytest.mark.parametrize(
    ("shown", "is_so"), [("???", False), ("\ufffd \ufffd", False), ("a?", True)]
)
def test_nothing_but_marks_is_not_legible(shown: str, is_so: bool) -> None:
    assert is_legible(shown) is is_so
