"""Addresses compared: one form for each, however it is written."""

from __future__ import annotations

import pytest

from bridge.receipts.address import names_only, plain_address


@pytest.mark.parametrize(
    "spelled",
    [
        "anna@città.example",
        "ANNA@Città.EXAMPLE.",
        "anna@xn--citt-3na.example",
        "anna@citta\u0300.example",
    ],
)
def test_one_address_has_one_form(spelled: str) -> None:
    assert plain_address(spelled) == "anna@xn--citt-3na.example"


def test_a_domain_that_cannot_be_encoded_stays_as_it_is() -> None:
    assert plain_address("è@" + "à" * 80) == "è@" + "à" * 80


@pytest.mark.parametrize(
    ("named", "is_ours"),
    [((), True), (("ANNA@pec.example",), True), (("anna@pec.example", "x@pec.example"), False)],
)
def test_who_names_somebody_else_names_not_only_recipients(
    named: tuple[str, ...], is_ours: bool
) -> None:
    assert names_only(named, ("anna@pec.example", "bruno@pec.example")) is is_ours
