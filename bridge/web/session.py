"""Who has logged in: sessions in the store, a cookie in the browser, a token in every form.

A cookie holds 256 random bits; the store has their SHA-256. Each login begins a new session, so
that a cookie planted before is worth nothing after (session fixation), and each lasts
``SESSION_H`` hours. A form carries a token made of the cookie, which no other site's page can read
or make (CSRF). Before login there is a cookie too, of which nothing is kept: the login form's token
is made of it.

Sessions end when the password is changed that they were begun by: the administrator's go by when
his was set, an account's by a seal of its passwords, made with what the cookie holds. So they
outlive a start, and of several bridges each lets in whom any of them did.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from starlette.requests import HTTPConnection
from starlette.responses import Response

from bridge.clock import Clock
from bridge.limits import WEB_SESSIONS
from bridge.model import AccountId
from bridge.net.address import is_loopback
from bridge.store.base import Store
from bridge.store.web import WebSession
from bridge.web.listener import DOOR, Door

SESSION_H = 12
SEAL_BYTES = 32
_TOKEN_BYTES = 32
_TOKEN_CHARS = 43


@dataclass(frozen=True, slots=True)
class PageVisitor:
    """Who asks; ``account`` is whose messages he sees, None for the administrator, who sees all.

    ``csrf`` is what his forms have to carry; ``address`` is the account's.
    """

    account: AccountId | None
    address: str | None
    csrf: str

    @property
    def is_administrator(self) -> bool:
        """Whether all accounts are his."""
        return self.account is None

    def may_see(self, address: str | None) -> bool:
        """Tell whether what belongs to an account's address is for his eyes."""
        if self.account is None:
            return True
        mine = self.address or ""
        return address is not None and address.casefold() == mine.casefold()


class People(Protocol):
    """Whose sessions hold."""

    def address(self, account: AccountId) -> str | None:
        """Return an account's address, None if it has left the settings."""

    def seal(self, account: AccountId, token: str) -> bytes:
        """Return ``SEAL_BYTES`` for each password of the account, others for another token."""

    async def administrator_since(self) -> datetime | None:
        """Return when the administrator's password was set, None if there is none."""


class Sessions:
    """See the module.

    Args:
        store: keeps them.
        clock: for their end.
        people: whose they may be.
    """

    def __init__(self, store: Store, clock: Clock, people: People) -> None:
        self._store = store
        self._clock = clock
        self._people = people

    async def visitor(self, request: HTTPConnection) -> PageVisitor | None:
        """Return who asks, None for somebody who has not logged in."""
        token = request.cookies.get(cookie_name(request), "")
        if len(token) != _TOKEN_CHARS:
            return None
        now = self._clock.now()
        session = await self._store.read(lambda tx: tx.web_session(_hash(token), now))
        if session is None:
            return None
        if session.account is None:
            since = await self._people.administrator_since()
            if since is None or since > session.created_at:
                return None
            address = None
        else:
            address = self._people.address(session.account)
            now_sealed = self._people.seal(session.account, token)
            if address is None or not _holds(session.seal, now_sealed):
                return None
        if (door := door_of(request)) is not None:
            door.know(session.account)
        return PageVisitor(session.account, address, csrf_of(token))

    async def begin(
        self, request: HTTPConnection, response: Response, account: AccountId | None
    ) -> None:
        """Log somebody in, and out of what he was logged in to before.

        Args:
            request: his.
            response: gets the cookie.
            account: who he is, None for the administrator.
        """
        token, now = secrets.token_urlsafe(_TOKEN_BYTES), self._clock.now()
        seal = b"" if account is None else self._people.seal(account, token)
        until = now + timedelta(hours=SESSION_H)
        session = WebSession(_hash(token), account, now, until, seal)
        old = _hash(request.cookies.get(cookie_name(request), ""))
        await self._store.write(lambda tx: tx.end_web_session(old))
        await self._store.write(lambda tx: tx.add_web_session(session, WEB_SESSIONS))
        _set_cookie(request, response, cookie_name(request), token, SESSION_H * 3600)

    async def end(self, request: HTTPConnection, response: Response) -> None:
        """Log out."""
        token = request.cookies.get(cookie_name(request), "")
        await self._store.write(lambda tx: tx.end_web_session(_hash(token)))
        response.delete_cookie(cookie_name(request), path="/")


def _holds(seal: bytes, now: bytes) -> bool:
    """Tell whether every password there was when a session began still opens its account."""
    return bool(seal) and _seals(seal) <= _seals(now)


def _seals(joined: bytes) -> frozenset[bytes]:
    return frozenset(joined[at : at + SEAL_BYTES] for at in range(0, len(joined), SEAL_BYTES))


def stranger_csrf(request: HTTPConnection, response: Response) -> str:
    """Return the token of the login form; ``response`` gets the cookie that belongs to it.

    It is not the session's: a link in somebody's webmail brings no cookie (SameSite), and whoever
    follows it must not be logged out by the form he sees.
    """
    token = request.cookies.get(_form_cookie(request), "")
    if len(token) != _TOKEN_CHARS:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        _set_cookie(request, response, _form_cookie(request), token, None)
    return csrf_of(token)


def is_from_our_form(request: HTTPConnection, given: str) -> bool:
    """Tell whether a login form carried the token that belongs to its cookie."""
    token = request.cookies.get(_form_cookie(request), "")
    expected = csrf_of(token).encode()
    return len(token) == _TOKEN_CHARS and hmac.compare_digest(expected, given.encode())


def cookie_name(request: HTTPConnection) -> str:
    """Return the cookie's name; over TLS no other host and no page without TLS can set it."""
    return "__Host-pec-bridge" if request.url.scheme == "https" else "pec-bridge"


def _form_cookie(request: HTTPConnection) -> str:
    return f"{cookie_name(request)}-form"


def door_of(request: HTTPConnection) -> Door | None:
    """Return the connection that a request came by, None in tests without one."""
    door = request.scope.get("extensions", {}).get(DOOR)
    return door if isinstance(door, Door) else None


def peer_of(request: HTTPConnection) -> str:
    """Return the address that a request came from, "" where there is none."""
    return request.client.host if request.client else ""


def is_private(request: HTTPConnection) -> bool:
    """Tell whether a secret may be sent: over TLS, or without leaving this machine."""
    return request.url.scheme == "https" or is_loopback(peer_of(request))


def csrf_of(token: str) -> str:
    """Return what the forms of a cookie's browser carry."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _set_cookie(
    request: HTTPConnection, response: Response, name: str, token: str, lasts_s: int | None
) -> None:
    response.set_cookie(
        name,
        token,
        max_age=lasts_s,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
