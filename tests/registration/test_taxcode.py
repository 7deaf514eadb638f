"""Tax codes against the published rules; the check characters are computed here once more."""

from __future__ import annotations

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.registration import taxcode
from bridge.registration.taxcode import NoTaxCode

_OF_DIGITS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_OF_LATER_LETTERS = (2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (*_OF_DIGITS, *_OF_DIGITS, *_OF_LATER_LETTERS),
        strict=True,
    )
)
EVEN = {char: at for at, char in enumerate("0123456789")} | {
    char: at for at, char in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}
MONTHS = "ABCDEHLMPRST"
OMOCODIA = "LMNPQRSTUV"
REPLACEABLE = (14, 13, 12, 10, 9, 7, 6)


def with_check(first_15: str) -> str:
    total = sum((ODD if at % 2 == 0 else EVEN)[char] for at, char in enumerate(first_15))
    return first_15 + chr(ord("A") + total % 26)


def code_for(born: date, sex: str, place: str = "H501", letters: str = "RSSMRA") -> str:
    day = born.day + (40 if sex == "F" else 0)
    return with_check(f"{letters}{born.year % 100:02d}{MONTHS[born.month - 1]}{day:02d}{place}")


def twin_of(code: str, positions: set[int]) -> str:
    """Return the code that is given to the next one of the same data (omocodia)."""
    letters = [
        OMOCODIA[int(char)] if at in positions and char.isdigit() else char
        for at, char in enumerate(code[:15])
    ]
    return with_check("".join(letters))


def company_number(first_10: str) -> str:
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(first_10)]
    total = sum(number - 9 if number > 9 else number for number in doubled)
    return first_10 + str(-total % 10)


born_days = st.dates(date(1921, 1, 1), date(2019, 12, 31))
places = st.from_regex(r"[A-MZ][0-9]{3}", fullmatch=True)


@given(
    born_days, st.sampled_from("MF"), places, st.sets(st.sampled_from(REPLACEABLE)), st.booleans()
)
def test_every_code_of_a_person_is_taken_apart(
    born: date, sex: str, place: str, twins: set[int], small: bool
) -> None:
    code = twin_of(code_for(born, sex, place), twins)
    read = taxcode.person(f" {code.lower() if small else code} ")
    assert (read.text, read.sex, read.place) == (code, sex, place)
    assert read.is_born(born)
    assert read.born_abroad == place.startswith("Z")
    assert taxcode.either(code) == code


@given(born_days, st.sampled_from("MF"), st.integers(0, 15), st.sampled_from(sorted(ODD)))
def test_one_wrong_character_is_found_or_makes_another_valid_form(
    born: date, sex: str, at: int, char: str
) -> None:
    code = code_for(born, sex)
    wrong = code[:at] + char + code[at + 1 :]
    if wrong == code or with_check(wrong[:15]) == wrong:
        return
    with pytest.raises(NoTaxCode):
        taxcode.person(wrong)


@pytest.mark.parametrize(
    ("code", "sex", "place"),
    [
        ("RSSMRA80A01H501U", "M", "H501"),
        ("RCCMNL83S18D969H", "M", "D969"),
        ("CNTCHR83T41D969D", "F", "D969"),
    ],
)
def test_codes_that_were_published(code: str, sex: str, place: str) -> None:
    read = taxcode.person(code)
    assert (read.sex, read.place) == (sex, place)


@pytest.mark.parametrize("day", ["00", "32", "40", "72", "80", "81", "99"])
def test_days_that_no_code_has(day: str) -> None:
    with pytest.raises(NoTaxCode):
        taxcode.person(with_check(f"RSSMRA80A{day}H501"))


@pytest.mark.parametrize(
    "text", ["", "X", "RSSMRA80A01H501", "RSSMRA80A01H501UU", "00743110157", "RSSMRA80F01H501Z"]
)
def test_what_is_no_persons_code(text: str) -> None:
    with pytest.raises(NoTaxCode):
        taxcode.person(text)


@given(
    st.integers(1, 9_999_999),
    st.sampled_from(["001", "015", "058", "100", "120", "121", "888", "999"]),
    st.sampled_from(["", "IT", "it ", " "]),
)
def test_every_partita_iva_is_read(serial: int, office: str, before: str) -> None:
    number = company_number(f"{serial:07d}{office}")
    assert taxcode.company(before + number) == number
    assert taxcode.either(before + number) == number


@given(st.integers(1, 9_999_999), st.integers(0, 10), st.sampled_from("123456789"))
def test_one_wrong_digit_of_a_partita_iva_is_found(serial: int, at: int, more: str) -> None:
    number = company_number(f"{serial:07d}015")
    digit = str((int(number[at]) + int(more)) % 10)
    with pytest.raises(NoTaxCode):
        taxcode.company(number[:at] + digit + number[at + 1 :])


@pytest.mark.parametrize(
    "text", ["", "0074311015", "007431101570", "00000000000", "0074311015A", "RSSMRA80A01H501U"]
)
def test_what_is_no_partita_iva(text: str) -> None:
    with pytest.raises(NoTaxCode):
        taxcode.company(text)


@pytest.mark.parametrize("digits", ["००७४३११०१५७", "0\u0000743110157"])
def test_only_plain_digits_come_out(digits: str) -> None:
    try:
        read = taxcode.company(digits)
    except NoTaxCode:
        return
    assert read == "00743110157"


@given(st.text())
def test_nothing_but_the_fault_escapes(text: str) -> None:
    for read in (taxcode.person, taxcode.company, taxcode.either):
        with contextlib.suppress(NoTaxCode):
            assert read(text)


@pytest.mark.parametrize(
    ("surname", "letters"),
    [
        ("Rossi", "RSS"),
        ("Fo", "FOX"),
        ("De Luca", "DLC"),
        ("D'Aria", "DRA"),
        ("Nicolò", "NCL"),
        ("Aiello", "LLA"),
        ("Strauß", "STR"),
        ("Łukasz", "LKS"),
    ],
)
def test_letters_of_a_surname(surname: str, letters: str) -> None:
    assert taxcode.surname_letters(surname) == letters


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Mario", "MRA"), ("Gianfranco", "GFR"), ("Al", "LAX"), ("Maria Luisa", "MLS"), ("Bo", "BOX")],
)
def test_letters_of_a_first_name(name: str, letters: str) -> None:
    assert taxcode.name_letters(name) == letters
