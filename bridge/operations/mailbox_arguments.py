"""What the ``mailbox`` operations are given, read and checked before anything is asked for.

Failure: ``OperationFailed`` with a sentence that names the argument.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bridge.api.mailbox_schema import NewUser, Space
from bridge.language import say
from bridge.operations.control import OperationFailed
from bridge.operations.pdf import PdfFault, inspect, join
from bridge.registration import choices, values

YEARS_LIMIT = 10
_SPACE = re.compile(r"\+?\d{1,9}", re.ASCII)
_SPACE_UNITS = {"disk": 1024, "history": 1024, "archive": 512}


def read_argument(name: str, read: Any, text: object) -> Any:
    """Read an argument by a field's rule; ``name`` is what a person calls it.

    Raises:
        OperationFailed: it breaks the rule.
    """
    try:
        return read(str(text))
    except ValueError as fault:
        raise OperationFailed(
            say("{text}: {name} {fault}.", text=text, name=name, fault=fault)
        ) from None


def one_pdf(pdfs: list[bytes], names: list[str]) -> tuple[bytes, int]:
    """Check each PDF and make one of them; returns it and its pages. Blocking.

    Raises:
        OperationFailed: one cannot be used.
    """
    for name, pdf in zip(names, pdfs, strict=True):
        try:
            inspect(pdf)
        except PdfFault as fault:
            raise OperationFailed(
                say("{name} {fault}. Nothing was sent.", name=name, fault=fault)
            ) from None
    try:
        whole = pdfs[0] if len(pdfs) == 1 else join(pdfs)
        return whole, inspect(whole).pages
    except PdfFault as fault:
        raise OperationFailed(
            say("{names}: {fault}. Nothing was sent.", names=", ".join(names), fault=fault)
        ) from None


def years_of(arguments: Mapping[str, Any]) -> int:
    """Return for how many years.

    Raises:
        OperationFailed: it cannot be for so many.
    """
    years = int(arguments.get("years") or 1)
    if not 1 <= years <= YEARS_LIMIT:
        raise OperationFailed(say("A mailbox is renewed for 1 to {most} years.", most=YEARS_LIMIT))
    return years


def kind_of(arguments: Mapping[str, Any]) -> str:
    """Return the kind of mailbox that is wanted.

    Raises:
        OperationFailed: there is no such kind.
    """
    kind = str(arguments["kind"]).strip().upper()
    if kind not in choices.CONVERTIBLE:
        raise OperationFailed(
            say("The kind must be one of {kinds}.", kinds=", ".join(choices.CONVERTIBLE))
        )
    return kind


def space_of(arguments: Mapping[str, Any]) -> Space:
    """Return the space that is wanted.

    Raises:
        OperationFailed: it is no space that can be had.
    """
    wanted: dict[str, str | None] = {}
    for name, unit in _SPACE_UNITS.items():
        given = arguments.get(name)
        wanted[name] = None if given is None else str(given).strip()
        text = wanted[name]
        if text is None:
            continue
        number = int(text.lstrip("+")) if _SPACE.fullmatch(text) else 0
        if not number or number % unit:
            raise OperationFailed(
                say(
                    "Space ({name}) is given in multiples of {unit}: {several} to set it, "
                    "+{unit} to add to it.",
                    name=name,
                    unit=unit,
                    several=unit * 3,
                )
            )
    if not any(wanted.values()):
        raise OperationFailed(say("Say which space is wanted."))
    return Space(**wanted)


def space_in_words(space: Space) -> str:
    """Return the same in words."""
    wanted = (("disk", space.disk), ("history", space.history), ("archive", space.archive))
    return ", ".join(f"{name} {value}" for name, value in wanted if value is not None)


def user_of(arguments: Mapping[str, Any]) -> NewUser:
    """Return the further user that is wanted.

    Raises:
        OperationFailed: a field is missing.
    """
    fields = {
        name: str(arguments.get(name) or "").strip()
        for name in ("name", "surname", "description", "email")
    }
    missing = [name for name, value in fields.items() if not value]
    if missing:
        raise OperationFailed(say("A further user needs {missing}.", missing=", ".join(missing)))
    fields["email"] = read_argument("the address", values.address, fields["email"])
    return NewUser(**fields)
