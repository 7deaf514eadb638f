from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.receipts.kind import FIELDS, PREFIXES, RECEIPTS, Issuer, Kind, classify

SERVICE = "posta-certificata@legalmail.example"
BEHALF = '"Per conto di: anna@pec.example" '
CODE = "2026011510003592"

LITERALS = [
    ("ACCETTAZIONE: ", SERVICE, Kind.ACCEPTANCE),
    ("AVVISO DI NON ACCETTAZIONE: ", SERVICE, Kind.NON_ACCEPTANCE),
    ("AVVISO DI NON ACCETTAZIONE PER VIRUS: ", SERVICE, Kind.NON_ACCEPTANCE_VIRUS),
    ("POSTA CERTIFICATA: ", BEHALF, Kind.ENVELOPE),
    ("PRESA IN CARICO: ", SERVICE, Kind.TAKEN_IN_CHARGE),
    ("CONSEGNA: ", SERVICE, Kind.DELIVERY),
    ("AVVISO DI MANCATA CONSEGNA: ", SERVICE, Kind.FAILURE),
    ("AVVISO DI MANCATA CONSEGNA PER VIRUS: ", SERVICE, Kind.FAILURE_VIRUS),
    ("AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO: ", SERVICE, Kind.TIMEOUT),
    ("AVVISO DI MANCATA CONSEGNA PER SUP TEMPO MASSIMO: ", SERVICE, Kind.TIMEOUT),
    ("PROBLEMA DI SICUREZZA: ", SERVICE, Kind.SECURITY),
    ("ANOMALIA MESSAGGIO: ", BEHALF, Kind.ANOMALY),
    ("PREAVVISO DI MANCATA CONSEGNA: ", SERVICE, Kind.TIMEOUT),
    ("AVVENUTA CONSEGNA: ", SERVICE, Kind.DELIVERY),
    ("MANCATA CONSEGNA: ", SERVICE, Kind.FAILURE),
    ("ERRORE CONSEGNA: ", SERVICE, Kind.FAILURE),
]


@pytest.mark.parametrize(("prefix", "sender", "kind"), LITERALS)
@pytest.mark.parametrize(
    "spelled",
    [
        lambda prefix: prefix,
        lambda prefix: prefix.lower(),
        lambda prefix: "  " + prefix.replace(" ", "  "),
        lambda prefix: prefix.rstrip(),
        lambda prefix: prefix.replace(": ", "\u00a0:\u00a0"),
        lambda prefix: prefix.replace("A", "\uff21"),  # full-width
    ],
    ids=["as printed", "small", "wide blanks", "no blank behind", "fixed blanks", "full width"],
)
def test_every_literal_is_known(prefix: str, sender: str, kind: Kind, spelled) -> None:  # type: ignore[no-untyped-def]
    assert classify(f"{spelled(prefix)}Diffida", sender).kind is kind


@pytest.mark.parametrize(("prefix", "sender", "kind"), LITERALS)
def test_what_a_prefix_and_a_sender_contradict_is_unknown(
    prefix: str, sender: str, kind: Kind
) -> None:
    other = SERVICE if sender == BEHALF else BEHALF
    classified = classify(f"{prefix}Diffida {CODE}", other)
    assert (classified.kind, classified.code) == (Kind.UNKNOWN, None)


@pytest.mark.parametrize(
    "sender",
    [
        "mario@pec.example",
        "",
        "Posta certificata",
        "posta-certificata-x@pec.example",
        f'"{SERVICE}" <mario@pec.example>',
        f"{SERVICE}, mario@pec.example",
        f"Mario Rossi <{SERVICE}>",
        f"{SERVICE}\u200b",
        "posta-certificat\u0430@pec.example",
        "posta-certificata@pec",
    ],
)
def test_a_receipt_from_nobodys_service_is_unknown(sender: str) -> None:
    assert classify(f"CONSEGNA: Diffida {CODE}", sender).kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("subject", "sender", "kind", "rest"),
    [
        ("POSTA CERTIFICATA: CONSEGNA: x", BEHALF, Kind.ENVELOPE, "CONSEGNA: x"),
        ("ANOMALIA MESSAGGIO: CONSEGNA: x", BEHALF, Kind.ANOMALY, "CONSEGNA: x"),
        ("Re: CONSEGNA: x", SERVICE, Kind.ORDINARY, "Re: CONSEGNA: x"),
        ("CONSEGNA merce: x", SERVICE, Kind.ORDINARY, "CONSEGNA merce: x"),
        ("ACCETTAZIONE x", SERVICE, Kind.ORDINARY, "ACCETTAZIONE x"),
        ("", SERVICE, Kind.ORDINARY, ""),
        ("CONSEGNA: ACCETTAZIONE: x", SERVICE, Kind.DELIVERY, "ACCETTAZIONE: x"),
        ("CONSEGNA:", SERVICE, Kind.DELIVERY, ""),
        ("=?utf-8?Q?CONSEGNA=3A_citt=C3=A0?=", SERVICE, Kind.DELIVERY, "città"),
    ],
)
def test_one_prefix_is_taken_off_at_the_start_only(
    subject: str, sender: str, kind: Kind, rest: str
) -> None:
    classified = classify(subject, sender)
    assert (classified.kind, classified.subject) == (kind, rest)


@pytest.mark.parametrize(
    ("subject", "code", "rest"),
    [
        (f"Diffida {CODE}", CODE, "Diffida"),
        (f"Diffida {CODE}  ", CODE, "Diffida"),
        ("Diffida 202009211526363", "202009211526363", "Diffida"),  # 15 digits, Q2
        ("Diffida 20200921152636123456", "20200921152636123456", "Diffida"),  # 20
        ("Diffida 202009211526361234567", None, "Diffida 202009211526361234567"),
        ("Diffida 20200921152636", None, "Diffida 20200921152636"),  # no tail
        (CODE, CODE, ""),
        (f"Diffida{CODE}", None, f"Diffida{CODE}"),
        (f"Prot. {CODE} urgente", None, f"Prot. {CODE} urgente"),
        ("Diffida 2026131510003592", None, "Diffida 2026131510003592"),  # month 13
        ("Diffida 2026013215003592", None, "Diffida 2026013215003592"),  # day 32
        ("Diffida 2026011524003592", None, "Diffida 2026011524003592"),  # hour 24
        (f"Re: S {CODE} {CODE[:-1]}1", f"{CODE[:-1]}1", f"Re: S {CODE}"),
        ("Diffida ٢٠٢٦٠١١٥١٠٠٠٣٥٩٢", None, "Diffida ٢٠٢٦٠١١٥١٠٠٠٣٥٩٢"),
        ("Citt\ufffd " + CODE, CODE, "Citt\ufffd"),
    ],
)
def test_the_code_at_the_end(subject: str, code: str | None, rest: str) -> None:
    classified = classify(f"ACCETTAZIONE: {subject}", SERVICE)
    assert (classified.code, classified.subject) == (code, rest)


@pytest.mark.parametrize(
    ("prefix", "kind"), [("POSTA CERTIFICATA", Kind.ENVELOPE), ("Ciao", Kind.ORDINARY)]
)
def test_a_reply_that_quotes_a_code_has_none(prefix: str, kind: Kind) -> None:
    """Q13: it is no receipt, whatever its subject ends in."""
    classified = classify(f"{prefix}: Re: Diffida {CODE}", BEHALF)
    assert (classified.kind, classified.code) == (kind, None)


def test_longer_prefixes_come_first() -> None:
    seen: list[str] = []
    for prefix, _, _ in PREFIXES:
        assert not any(prefix.startswith(earlier) for earlier in seen), prefix
        seen.append(prefix)


def test_every_receipt_comes_from_a_service_and_names_itself() -> None:
    for _, kind, issuer in PREFIXES:
        assert kind in FIELDS
        if kind in RECEIPTS:
            assert issuer is Issuer.SERVICE


@given(st.text(), st.text())
def test_anything_can_be_classified(subject: str, sender: str) -> None:
    classify(subject, sender)


def test_an_absurd_subject_is_classified_in_no_time() -> None:
    began_s = time.process_time()
    for piece in ("ACCETTAZIONE: ", " 2026", "=?utf-8?B?", "\n", "\ud800"):
        classify(piece * 1_000_000, SERVICE)
    assert time.process_time() - began_s < 1
