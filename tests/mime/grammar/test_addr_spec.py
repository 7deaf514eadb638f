from __future__ import annotations

import pytest

from bridge.mime.grammar.addr_spec import comparable, tidied


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("info@città.example", "info@xn--citt-3na.example"),
        ("info@citta\u0300.example", "info@CITTÀ.example"),
        ("Info@Pec.Example", "info@pec.example."),
        ('"info"@pec.example', "info@pec.example"),
        ('"in\\fo"@pec.example', "info@pec.example"),
        ("è@straße.example", "È@xn--strae-oqa.example"),
        ("a@b。example", "a@b.example"),
    ],
)
def test_spellings_of_one_mailbox(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("info@citta.example", "info@città.example"),
        ('"in fo"@pec.example', "info@pec.example"),
        ('"a.b."@pec.example', "a.b@pec.example"),
        ("a@b.example..", "a@b.example"),
        ("a@\u2064\u00ad.example", "a@.example"),
        ("a@[192.0.2.1]", "a@[192.0.2.2]"),
    ],
)
def test_different_mailboxes(one: str, other: str) -> None:
    assert comparable(one) != comparable(other)


@pytest.mark.parametrize(
    ("given", "tidy"),
    [
        ("A@B.example.", "A@B.example"),
        ('"a"@b', "a@b"),
        ('"a b"@b', '"a b"@b'),
        ("info@città.example", "info@città.example"),
    ],
)
def test_tidied(given: str, tidy: str) -> None:
    assert tidied(given) == tidy
