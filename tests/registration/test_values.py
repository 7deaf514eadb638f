"""Values as people type them, and the sentence where one cannot be sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.registration import values


@pytest.mark.parametrize(
    ("read", "typed", "sent"),
    [
        (values.text, "  a \t b ", "a b"),
        (values.day, "1/2/1980", "01/02/1980"),
        (values.day, "1980-02-01", "01/02/1980"),
        (values.box, "Azienda@PEC.example", "azienda@pec.example"),
        (values.phone, "+39 06 123.45-67", "+39061234567"),
        (values.postcode, " 00187 ", "00187"),
        (values.document_number, "ca 12345 aa", "CA12345AA"),
        (values.url, " https://a.example/x ", "https://a.example/x"),
        (values.flag, "Sì", True),
        (values.flag, "no", False),
    ],
)
def test_what_is_sent(read: Callable[[str], object], typed: str, sent: object) -> None:
    assert read(typed) == sent


@pytest.mark.parametrize(
    ("read", "typed", "said"),
    [
        (values.text, "a\x00b", "control character"),
        (values.text, "x" * 201, "longer than 200"),
        (values.name, "R2D2", "in letters"),
        (values.day, "31/02/1980", "calendar"),
        (values.day, "80", "dd/mm/yyyy"),
        (values.address, "mario", "mail address"),
        (values.box, "a+b@pec.example", "before its @"),
        (values.phone, "12", "telephone"),
        (values.document_number, "12", "5 to 20"),
        (values.url, "http://a.example", "https://"),
        (values.url, "https://u:p@a.example", "password"),
        (values.flag, "maybe", "true or false"),
    ],
)
def test_what_cannot_be_sent(read: Callable[[str], object], typed: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(typed)
