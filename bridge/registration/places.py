"""Provinces of Italy, of today and of the past, and countries.

The service wants the two letters of a car's plate for provinces, and of ISO 3166-1 for countries
(``iso3166``). A place of birth may lie in a province that is no more; a holder's seat may not.
"""

from __future__ import annotations

from bridge.language import say

ITALY = "IT"

PROVINCES = frozenset(
    """
    AG AL AN AO AP AQ AR AT AV BA BG BI BL BN BO BR BS BT BZ CA CB CE CH CL CN CO CR CS CT CZ
    EN FC FE FG FI FM FR GE GO GR IM IS KR LC LE LI LO LT LU MB MC ME MI MN MO MS MT NA NO NU
    OR PA PC PD PE PG PI PN PO PR PT PU PV PZ RA RC RE RG RI RM RN RO SA SI SO SP SR SS SU SV
    TA TE TN TO TP TR TS TV UD VA VB VC VE VI VR VT VV
    """.split()  # noqa: SIM905 - read as the list it is
)
"""The 107 of the years since 2016; Rome as RM, Forlì-Cesena as FC, Pesaro e Urbino as PU."""

SARDINIAN = frozenset({"CI", "VS", "OG", "OT"})
"""Provinces from 2005 to 2016; three of them, and Gallura, are being set up again since 2021."""

PAST_PROVINCES = SARDINIAN | {"FO", "PS", "FU", "PL", "ZA"}
"""Forlì and Pesaro under their old letters; Fiume, Pola and Zara, Italian until 1947."""

ABROAD = "EE"
"""What Italian forms write for the province of a place abroad."""

_CUSTOMARY = {"ROMA": "RM"}


def province(text: str, *, birth: bool = False) -> str:
    """Return a province's two letters.

    Raises:
        ValueError: there is none such; the text is what to say after the field's name.
    """
    letters = text.strip().upper()
    letters = _CUSTOMARY.get(letters, letters)
    known = PROVINCES | SARDINIAN
    if birth:
        known |= PAST_PROVINCES | {ABROAD}
    if letters not in known:
        raise ValueError(say('must be the two letters of a province, such as "MI"'))
    return letters


def country(text: str) -> str:
    """Return a country's two letters.

    Raises:
        ValueError: there is none such.
    """
    from iso3166 import countries_by_alpha2  # not before a country is to be known

    letters = text.strip().upper()
    if letters not in countries_by_alpha2:
        raise ValueError(say('must be the two letters of a country (ISO 3166-1), such as "IT"'))
    return letters
