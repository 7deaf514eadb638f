"""Senders and recipients as the API writes them, read into names and addresses. Pure.

The API shows what a mail program would have shown: ``"Per conto di: a@b" `` with quotes, a blank
behind and no angle address, or the same with ``<posta-certificata@…>``, or a bare address, or
words. The person on whose behalf a provider writes is the author; the provider's own address is
the agent (RFC 5322 §3.6.2: From and Sender).

Nothing is refused: what holds no address becomes a name.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bridge.charset.normalise import normalised

LIMIT_CHARS = 20_000
"""Of a field that is longer the rest is not looked at."""

SERVICE_MAILBOX = "posta-certificata"
"""The local part that providers write receipts and envelopes from (RFC 6109 §3)."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_TOKEN = re.compile(r"[^\s\\\"<>()\[\],;:]+")
_ON_BEHALF = re.compile(r"(?i)per\s+conto\s+di\s*:\s*")
_NAMES_WHO_FOLLOWS = re.compile(r"[\"')]* ?<[^\s<>@]+@")
"""Behind an address that is but the name of the next: ``mario@x.it <m@y.it>``."""
_MARKS = " \t\\\"'<>()[],;:"


@dataclass(frozen=True, slots=True)
class Person:
    """A name and an address, either "" if it is not known."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote a message, and the provider's address that carried it, "" if none is shown.

    ``on_behalf`` tells that the provider wrote for the author (``Per conto di:``).
    """

    author: Person
    agent: str
    on_behalf: bool

    @property
    def is_service(self) -> bool:
        """Tell whether a provider's own service wrote it, on nobody's behalf."""
        local = self.author.address.partition("@")[0]
        return not self.on_behalf and local.casefold() == SERVICE_MAILBOX


def read_sender(text: str) -> Sender:
    """Return who a row's ``sender`` names.

    >>> read_sender('"Per conto di: anna@pec.example" ').author.address
    'anna@pec.example'
    """
    line = one_line(text[:LIMIT_CHARS])
    match = _ON_BEHALF.search(normalised("NFKC", line))
    if match is None:
        return Sender(_person(line), "", on_behalf=False)
    rest = match.string[match.end() :]
    found = _addresses(rest)
    agent = found.pop() if found and _is_service(found[-1]) and rest.endswith(">") else None
    author = Person(
        _name(rest[: found[0].start] if found else rest.partition("<")[0]),
        found[0].address if found else "",
    )
    return Sender(author, agent.address if agent else "", on_behalf=True)


def read_recipients(text: str) -> tuple[Person, ...]:
    """Return whom a row's ``recipient`` names, one or several; () if it names none."""
    line = one_line(text[:LIMIT_CHARS])
    people: dict[str, Person] = {}
    end = 0
    for one in _addresses(line):
        if _NAMES_WHO_FOLLOWS.match(line, one.end):
            continue
        name = _name(line[end : one.start]) if line[one.start - 1 : one.start] == "<" else ""
        end = one.end
        person = Person("" if name.casefold() == one.address.casefold() else name, one.address)
        people.setdefault(one.address.casefold(), person)
    return tuple(people.values())


def one_line(text: str) -> str:
    """Return ``text`` in one line: control characters and blanks in a row become one blank."""
    kept = "".join(_plain(char) for char in text) if not text.isprintable() else text
    return " ".join(kept.split())


def _plain(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cs":
        return "\ufffd"
    return " " if category in ("Cc", "Zl", "Zp") else char


@dataclass(frozen=True, slots=True)
class _Found:
    """An address in a line, and where it stands."""

    address: str
    start: int
    end: int


def _addresses(line: str) -> list[_Found]:
    found = []
    for token in _TOKEN.finditer(line):
        address = token.group().strip("'.")
        if "@" in address and _ADDRESS.fullmatch(address):
            start = token.start() + token.group().index(address)
            found.append(_Found(address, start, start + len(address)))
    return found


def _is_service(found: _Found) -> bool:
    return found.address.partition("@")[0].casefold() == SERVICE_MAILBOX


def _name(text: str) -> str:
    return text.strip(_MARKS)


def _person(line: str) -> Person:
    found = _addresses(line)
    if not found:
        return Person(_name(line), "")
    angled = [one for one in found if line[one.start - 1 : one.start] == "<"]
    one = angled[0] if angled else found[0]
    name = _name(line[: one.start])
    return Person("" if name.casefold() == one.address.casefold() else name, one.address)
