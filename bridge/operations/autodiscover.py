"""What Outlook asks Autodiscover, in XML that a stranger wrote. Pure.

Read by expat with every declaration refused: nothing in it can name an entity or another document,
so it costs what its bytes do.
"""

from __future__ import annotations

from xml.parsers import expat

from bridge.language import say
from bridge.operations.autoconfig import RESPONSE_SCHEMA, address_in

_WANTED = frozenset({"EMailAddress", "AcceptableResponseSchema"})
_SEPARATOR = " "


class AutodiscoverFault(Exception):
    """The request cannot be answered; ``code`` is Autodiscover's: 600 unreadable, 601 unknown."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def asked_address(body: bytes) -> str:
    """Return the mail address that a request is about.

    Raises:
        AutodiscoverFault: it is none, names no address, or wants another answer than we have.
    """
    said = _read(body)
    address = address_in(said.get("EMailAddress", "").strip())
    if address is None:
        raise AutodiscoverFault(600, say("The request names no mail address."))
    schema = said.get("AcceptableResponseSchema", RESPONSE_SCHEMA).strip()
    if schema.casefold() != RESPONSE_SCHEMA:
        raise AutodiscoverFault(601, say("That schema is not here."))
    return address


def _read(body: bytes) -> dict[str, str]:
    """Return the texts of the elements that count, each name's first."""
    found: dict[str, str] = {}
    path: list[str] = []

    def begin(name: str, _attributes: dict[str, str]) -> None:
        path.append(name.rpartition(_SEPARATOR)[2])
        if path[-1] in _WANTED:
            found.setdefault(path[-1], "")

    def end(_name: str) -> None:
        path.pop()

    def text(data: str) -> None:
        if path and path[-1] in _WANTED:
            found[path[-1]] += data

    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise AutodiscoverFault(600, say("The request is no XML that is read here.")) from None
    return found


def _refuse(*_declared: object) -> None:
    raise ValueError("a declaration")
