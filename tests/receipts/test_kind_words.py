"""Receipts whose subjects came as encoded words that break rules."""

from __future__ import annotations

import pytest

from bridge.receipts.kind import Kind, classify

SERVICE = "posta-certificata@pec.example"


@pytest.mark.parametrize(
    ("subject", "rest"),
    [
        ("=?iso-8859-1?Q?CONSEGNA=3A_Perch=E9_no??=", "Perché no?"),
        ("CONSEGNA: =?utf-8?B?RGlmZmlkYSBwZXJjaM?= =?utf-8?B?Opg==?=", "Diffida perché"),
        ("=?utf-8?Q?CONSEGNA=3A?==?utf-8?Q?_citt=C3=A0?=", "città"),
        ("CONSEGNA: =?windows1252?Q?10_=80?=", "10 €"),
    ],
)
def test_words_in_a_receipts_subject(subject: str, rest: str) -> None:
    classified = classify(subject, SERVICE)
    assert (classified.kind, classified.subject) == (Kind.DELIVERY, rest)
