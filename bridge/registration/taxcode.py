"""Codice fiscale and partita IVA: form, check digit, and what a person's code says of them.

python-stdnum knows form and check characters, the letters that stand for digits where two people
would have the same code (omocodia), and the eleven digits of whoever is no person. Added here is
what it lacks: days that no code has, sex read through omocodia, and the comparison with a name.

Rules: D.M. 23 December 1976 (codice fiscale), D.P.R. 605/1973; D.P.R. 633/1972 art. 35 (IVA).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError
from stdnum.it import codicefiscale, iva

from bridge.charset.normalise import normalised
from bridge.language import say

PERSON_CHARS = 16
COMPANY_DIGITS = 11

_OMOCODIA = str.maketrans("LMNPQRSTUV", "0123456789")
_WOMEN_FROM = 40
_LAST_DAY = 31
_VOWELS = "AEIOU"
_APART = str.maketrans({"ß": "SS", "Æ": "AE", "Œ": "OE", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D"})
"""Letters that no decomposition takes apart."""


class NoTaxCode(ValueError):
    """It is not such a code; the text is what to say after the field's name."""


@dataclass(frozen=True, slots=True)
class PersonCode:
    """A person's codice fiscale, taken apart.

    ``year`` has no century; ``surname`` and ``name`` are the three letters each.
    """

    text: str
    surname: str
    name: str
    year: int
    month: int
    day: int
    sex: Literal["M", "F"]
    place: str

    @property
    def born_abroad(self) -> bool:
        """Whether the place of birth is a foreign country (Z and its number)."""
        return self.place.startswith("Z")

    def is_born(self, on: date) -> bool:
        """Tell whether the code is of somebody born on that day."""
        return (self.year, self.month, self.day) == (on.year % 100, on.month, on.day)


def person(text: str) -> PersonCode:
    """Read a person's codice fiscale, in any case, with blanks.

    Raises:
        NoTaxCode: it is none.
    """
    code = codicefiscale.compact(text)
    if len(code) != PERSON_CHARS:
        raise NoTaxCode(
            say(
                "must be the {count} characters of a person's codice fiscale",
                count=PERSON_CHARS,
            )
        )
    try:
        code = codicefiscale.validate(code)
    except InvalidChecksum:
        raise NoTaxCode(say("is mistyped: its check letter does not fit the rest")) from None
    except ValidationError:
        raise NoTaxCode(say("does not have the form of a codice fiscale")) from None
    digits = code[6:8] + code[9:11] + code[12:15]
    year, day = (int(part.translate(_OMOCODIA)) for part in (digits[:2], digits[2:4]))
    sex: Literal["M", "F"] = "F" if day > _WOMEN_FROM else "M"
    day -= _WOMEN_FROM if sex == "F" else 0
    if day > _LAST_DAY:  # stdnum takes it modulo 40
        raise NoTaxCode(say("does not have the form of a codice fiscale: no day is written so"))
    month = codicefiscale.get_birth_date(code).month
    place = code[11] + digits[4:].translate(_OMOCODIA)
    return PersonCode(code, code[:3], code[3:6], year, month, day, sex, place)


def company(text: str) -> str:
    """Read a partita IVA, or the codice fiscale of who is no person: eleven digits.

    Raises:
        NoTaxCode: it is none.
    """
    try:
        digits = iva.validate(text)
    except InvalidChecksum:
        raise NoTaxCode(say("is mistyped: its check digit does not fit the rest")) from None
    except InvalidLength:
        raise NoTaxCode(say("must be {count} digits", count=COMPANY_DIGITS)) from None
    except ValidationError:
        raise NoTaxCode(
            say("is not the {count} digits of a partita IVA", count=COMPANY_DIGITS)
        ) from None
    return str(digits)


def either(text: str) -> str:
    """Read a partita IVA or a codice fiscale, whichever it looks like.

    Raises:
        NoTaxCode: it is neither.
    """
    compact = codicefiscale.compact(text)
    if compact[:1].isalpha() and not compact.startswith("IT"):
        return person(text).text
    if len(compact) == PERSON_CHARS:
        return person(text).text
    return company(text)


def surname_letters(surname: str) -> str:
    """Return the three letters for a surname: consonants, then vowels, then X."""
    consonants, vowels = _letters(surname)
    return (consonants + vowels + "XXX")[:3]


def name_letters(name: str) -> str:
    """Return the three letters for a first name: of four or more consonants the 1st, 3rd, 4th."""
    consonants, vowels = _letters(name)
    if len(consonants) > 3:
        consonants = consonants[0] + consonants[2:4]
    return (consonants + vowels + "XXX")[:3]


def _letters(text: str) -> tuple[str, str]:
    plain = normalised("NFD", text.upper().translate(_APART))
    letters = [char for char in plain if "A" <= char <= "Z"]
    consonants = "".join(char for char in letters if char not in _VOWELS)
    return consonants, "".join(char for char in letters if char in _VOWELS)
