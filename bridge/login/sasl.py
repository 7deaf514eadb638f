"""The SASL exchange: from what a client says to a name and a password. Nothing here is logged.

PLAIN (RFC 4616), and LOGIN, which no RFC describes (Outlook and many applications know nothing
else), each with or without an initial response (RFC 4954 §4, RFC 4959). Challenges and answers are
base64 on either protocol; how they are framed is the protocol's.

Failure: ``SaslFault``, before any password was checked; its kind becomes the protocol's own code.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import NamedTuple

Ask = Callable[[str], Awaitable[bytes]]
"""Sends a challenge, in base64 already, and returns the client's line as it stands."""

EMPTY = b"="
"""An initial response without a character (RFC 4954 §4)."""

CANCEL = b"*"


class SaslFaultKind(Enum):
    """Why an exchange failed, in words for the client."""

    MECHANISM = "only PLAIN and LOGIN are offered"
    BASE64 = "the response is not base64"
    FORM = "PLAIN wants identity, name and password"
    CANCELLED = "authentication was cancelled"
    IDENTITY = "nobody can act for another account here"


class SaslFault(Exception):
    """The exchange failed."""

    def __init__(self, kind: SaslFaultKind) -> None:
        super().__init__(kind.value)
        self.kind = kind


class NameAndPassword(NamedTuple):
    """What a client logs in with."""

    name: str
    password: str

    def __repr__(self) -> str:
        return f"NameAndPassword({self.name!r})"


async def exchange(mechanism: str, initial: bytes | None, ask: Ask) -> NameAndPassword:
    """Carry an exchange out.

    Args:
        mechanism: its name, in any case.
        initial: the initial response as it stands, in base64; None if there was none.
        ask: see ``Ask``.

    Raises:
        SaslFault: the mechanism is not known, or the exchange was malformed or cancelled.
    """
    match mechanism.upper():
        case "PLAIN":
            return _plain(_decoded(await ask("") if initial is None else initial))
        case "LOGIN":
            name = await ask(_challenge("Username:")) if initial is None else initial
            user = _text(_decoded(name))
            return NameAndPassword(user, _text(_decoded(await ask(_challenge("Password:")))))
    raise SaslFault(SaslFaultKind.MECHANISM)


def _plain(message: bytes) -> NameAndPassword:
    pieces = message.split(b"\0")
    if len(pieces) != 3:
        raise SaslFault(SaslFaultKind.FORM)
    identity, name, password = map(_text, pieces)
    if identity and identity.casefold() != name.casefold():
        raise SaslFault(SaslFaultKind.IDENTITY)
    return NameAndPassword(name, password)


def _challenge(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(line: bytes) -> bytes:
    text = line.strip()
    if text == CANCEL:
        raise SaslFault(SaslFaultKind.CANCELLED)
    if text == EMPTY:
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise SaslFault(SaslFaultKind.BASE64) from None


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
