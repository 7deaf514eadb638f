"""One value at a time: what a person typed, to what is sent, or an error with a remedy.

The error's text is what to say after the field's name. Blanks around a value are not part of it.

Raises:
    ValueError: the value cannot be sent; the text says what to change.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from urllib.parse import urlsplit

from bridge.language import say

WIRE_DATE = "%d/%m/%Y"
TEXT_LIMIT_CHARS = 200
ADDRESS_LIMIT_CHARS = 254

_DATES = (
    (re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII), (3, 2, 1)),
    (re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII), (1, 2, 3)),
)
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}",
    re.ASCII,
)
_BOX = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?@.*", re.ASCII)
_PHONE_NOISE = re.compile(r"[ ./()-]")
_PHONE = re.compile(r"(?:\+|00)?\d{6,15}", re.ASCII)
_POSTCODE = re.compile(r"[A-Z0-9](?:[A-Z0-9 -]{1,8}[A-Z0-9])?", re.ASCII)
_TRUE = frozenset({"true", "yes", "y", "si", "sì", "s", "1"})
_FALSE = frozenset({"false", "no", "n", "0", ""})


def text(value: str) -> str:
    """Read free text: one line, not endless."""
    line = " ".join(value.split())
    if any(not char.isprintable() for char in line):
        raise ValueError(say("has a control character in it"))
    if len(line) > TEXT_LIMIT_CHARS:
        raise ValueError(say("is longer than {most} characters", most=TEXT_LIMIT_CHARS))
    return line


def name(value: str) -> str:
    """Read a person's name or surname, or a place's."""
    line = text(value)
    if not any(char.isalpha() for char in line) or any(char.isdigit() for char in line):
        raise ValueError(say("must be a name, in letters"))
    return line


def day(value: str) -> str:
    """Read a date, written dd/mm/yyyy or yyyy-mm-dd; return it as dd/mm/yyyy."""
    for form, order in _DATES:
        if match := form.fullmatch(value.strip()):
            year, month, number = (int(match[index]) for index in order)
            try:
                return date(year, month, number).strftime("%d/%m/") + f"{year:04d}"
            except ValueError:
                raise ValueError(say("is not a day of the calendar")) from None
    raise ValueError(say('must be a date written dd/mm/yyyy, such as "31/01/1980"'))


def date_of(wire: str) -> date:
    """Return the date that ``day`` wrote."""
    return datetime.strptime(wire, WIRE_DATE).date()  # noqa: DTZ007 - a day, in no zone


def address(value: str) -> str:
    """Read a mail address."""
    line = value.strip()
    if not _ADDRESS.fullmatch(line) or len(line) > ADDRESS_LIMIT_CHARS:
        raise ValueError(say('must be a mail address, such as "mario.rossi@example.it"'))
    return line


def box(value: str) -> str:
    """Read the address of a certified mailbox to be: small letters, digits, dot, dash."""
    line = address(value).lower()
    if not _BOX.fullmatch(line):
        raise ValueError(
            say("may have letters, digits, dots, dashes and underscores before its @, nothing else")
        )
    return line


def phone(value: str) -> str:
    """Read a telephone number; return its digits, behind a + if it was given."""
    digits = _PHONE_NOISE.sub("", value.strip())
    if not _PHONE.fullmatch(digits):
        raise ValueError(
            say('must be a telephone number, such as "0612345678" or "+39 06 12345678"')
        )
    return digits


def postcode(value: str) -> str:
    """Read a postal code of any country; Italy's five digits are ``whole``'s to demand."""
    code = value.strip().upper()
    if not _POSTCODE.fullmatch(code):
        raise ValueError(say('must be a postal code, such as "00187"'))
    return code


def document_number(value: str) -> str:
    """Read the number of an identity document."""
    number = "".join(value.split()).upper()
    if not number.isascii() or not number.isalnum() or not 5 <= len(number) <= 20:
        raise ValueError(say("must be 5 to 20 letters and digits"))
    return number


def url(value: str) -> str:
    """Read the URL that the service is to call: it goes over the open network, so https."""
    line = value.strip()
    try:
        parts = urlsplit(line)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme != "https" or any(char.isspace() for char in line):
        raise ValueError(say('must be a URL that begins with "https://"'))
    if parts.username is not None:
        raise ValueError(say("must not hold a user name or a password"))
    return line


def flag(value: str) -> bool:
    """Read yes or no, in English or Italian."""
    word = value.strip().casefold()
    if word not in _TRUE | _FALSE:
        raise ValueError(say("must be true or false"))
    return word in _TRUE


def data(value: str) -> dict[str, object]:
    """Read a JSON object."""
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError(say('must be a JSON object, such as {"order": "42"}'))
    return found
