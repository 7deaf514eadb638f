"""Every row stays the message it once became, to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import HERE, composed

ROWS = sorted(HERE.glob("*.json"))


@pytest.mark.parametrize("row", ROWS, ids=[row.stem for row in ROWS])
def test_a_row_composes_to_the_bytes_it_always_had(row: Path) -> None:
    assert composed(row) == row.with_suffix(".eml").read_bytes()


def test_there_are_rows_of_every_kind() -> None:
    fields = {
        line
        for row in ROWS
        for line in row.with_suffix(".eml").read_text().splitlines()
        if line.startswith(("X-Ricevuta:", "X-Trasporto:", "X-VerificaSicurezza:"))
    }
    assert fields == {
        "X-Ricevuta: accettazione",
        "X-Ricevuta: non-accettazione",
        "X-Ricevuta: avvenuta-consegna",
        "X-Ricevuta: errore-consegna",
        "X-Ricevuta: preavviso-errore-consegna",
        "X-Ricevuta: presa-in-carico",
        "X-Ricevuta: rilevazione-virus",
        "X-VerificaSicurezza: errore",
        "X-Trasporto: posta-certificata",
        "X-Trasporto: errore",
    }


@pytest.mark.parametrize("row", ROWS, ids=[row.stem for row in ROWS])
def test_nothing_signed_is_made_up(row: Path) -> None:
    """A certificate or a signature is there only if the API gave one."""
    message, given = row.with_suffix(".eml").read_text(), row.read_text()
    for name in ('daticert.xml"', "postacert.eml", "smime.p7s", "pkcs7-signature"):
        if name.rstrip('"') not in given:
            assert name not in message
