"""The AUTH exchange: from what the client sends to a name and a password.

PLAIN (RFC 4616) and LOGIN (which no RFC describes; Outlook and many applications know nothing
else), each with or without an initial response (RFC 4954 §4). Nothing here is logged.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Protocol

from bridge.model import AccountId

Ask = Callable[[str], Awaitable[bytes]]
"""Sends ``334`` with a challenge in base64 and returns the client's line."""


class Authenticator(Protocol):
    """Whoever knows the passwords."""

    async def check(self, login: str, password: str) -> AccountId | None:
        """Return the account that the login opens, or None."""


class AuthenticationFault(Exception):
    """The exchange failed before a password could be checked; the text is the reply's."""

    def __init__(self, code: int, status: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.status = status


async def login(argument: str, ask: Ask) -> tuple[str, str]:
    """Carry out ``AUTH argument`` and return login name and password.

    Raises:
        AuthenticationFault: unknown mechanism, malformed or cancelled.
    """
    words = argument.split()
    if not 1 <= len(words) <= 2:
        raise AuthenticationFault(501, "5.5.4", "Syntax: AUTH mechanism [initial-response]")
    initial = words[1].encode() if len(words) == 2 else None
    match words[0].upper():
        case "PLAIN":
            return _plain(_decoded(await ask("") if initial is None else initial))
        case "LOGIN":
            name = _decoded(await ask(_challenge("Username:")) if initial is None else initial)
            password = _decoded(await ask(_challenge("Password:")))
            return _text(name), _text(password)
    raise AuthenticationFault(504, "5.5.4", "This server knows AUTH PLAIN and AUTH LOGIN")


def _plain(message: bytes) -> tuple[str, str]:
    pieces = message.split(b"\0")
    if len(pieces) != 3:
        raise AuthenticationFault(501, "5.5.2", "PLAIN wants identity, name and password")
    identity, name, password = map(_text, pieces)
    if identity and identity.casefold() != name.casefold():
        raise AuthenticationFault(535, "5.7.8", "Nobody may act for somebody else here")
    return name, password


def _challenge(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(line: bytes) -> bytes:
    text = line.strip()
    if text == b"*":
        raise AuthenticationFault(501, "5.7.0", "Authentication was cancelled")
    if text == b"=":
        return b""  # an empty initial response (RFC 4954 §4)
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise AuthenticationFault(501, "5.5.2", "That is not base64") from None


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
