"""The tokens of the token host: made, listed, prolonged, ended; each with its scopes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.simulator.admin_call import NotDone

DEFAULT_TTL_S = 31_536_000
ID_FORM = re.compile(r"[0-9a-f]{24}")
SCOPE_FORM = re.compile(r"[A-Z]+:[\w.-]+(?::\d+)?/[\w-]+")
DATE_FORM = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")
PAGE = 100


@dataclass(slots=True)
class Issued:
    """One token that is in force or has expired."""

    token: str = field(repr=False)
    refresh: str = field(repr=False)
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    updated_at: datetime


class TokenEndpoints:
    """See the module; ``now`` and ``name`` give the time and a new id of 24 digits.

    Raises:
        NotDone: the service says no to an operation.
    """

    def __init__(self, now: Callable[[], datetime], name: Callable[[], str]) -> None:
        self.issued: dict[str, Issued] = {}
        self.forbidden: set[str] = set()
        """Scopes of APIs that this account has not enabled."""
        self._now = now
        self._name = name

    def allows(self, token: str, scope: str) -> bool | None:
        """Tell whether a token has a permission (without host); None: there is no such token."""
        known = self.issued.get(token)
        if known is None or known.expires_at <= self._now():
            return None
        return any(_without_host(one) == scope for one in known.scopes)

    def create(self, body: dict[str, object]) -> Issued:
        """``POST /tokens``."""
        scopes = self._scopes(body.get("scopes"), (70, 80, 90))
        now = self._now()
        ttl = timedelta(seconds=_ttl(body.get("ttl")))
        name = str(body.get("name") or "")
        made = Issued(self._name(), self._name(), name, scopes, now, now + ttl, now)
        self.issued[made.token] = made
        return made

    def _scopes(self, given: object, numbers: tuple[int, int, int]) -> list[str]:
        if not given:
            raise NotDone(422, "missing scopes array", numbers[0])
        if not isinstance(given, list) or not all(SCOPE_FORM.fullmatch(str(one)) for one in given):
            raise NotDone(422, "invalid scopes format", numbers[1])
        if self.forbidden & set(given):
            raise NotDone(422, "Invalid scopes specified or API not enabled", numbers[2])
        return [str(one) for one in given]

    def page(self, limit: str, skip: str) -> list[Issued]:
        """``GET /tokens``."""
        first = int(skip) if skip.isdigit() else 0
        count = min(int(limit), PAGE) if limit.isdigit() else PAGE
        return list(self.issued.values())[first : first + count]

    def find(self, token: str, missing: int) -> Issued:
        """Return a token, or say no."""
        if not ID_FORM.fullmatch(token):
            raise NotDone(422, "Invalid Token Format", 60)
        if token not in self.issued:
            raise NotDone(404, "Not Found", missing)
        return self.issued[token]

    def update(self, token: str, body: dict[str, object], refresh: str | None) -> Issued:
        """``PATCH /tokens/{token}``; with a refresh token a new one takes its place."""
        known = self.issued.get(token)
        if known is None:
            raise NotDone(404, "Not Found", 160)
        if refresh is not None and refresh != known.refresh:
            raise NotDone(401, "Unauthorized", 130)
        if "scopes" in body:
            known.scopes = self._scopes(body["scopes"], (100, 100, 110))
        known.name = str(body.get("name") or known.name)
        known.expires_at = self._now() + timedelta(seconds=_ttl(body.get("ttl")))
        known.updated_at = self._now()
        if refresh is not None:
            del self.issued[token]
            known.token, known.refresh = self._name(), self._name()
            self.issued[known.token] = known
        return known

    def delete(self, token: str) -> None:
        """``DELETE /tokens/{token}``."""
        if token not in self.issued:
            raise NotDone(404, "Not Found", 180)
        del self.issued[token]


def check_period(date: str | None) -> None:
    """Refuse a period of statistics that is none.

    Raises:
        NotDone: it is none.
    """
    if date is not None and not DATE_FORM.fullmatch(date):
        words = "Invalid date format, must be YYYY or YYYY-MM or YYYY-MM-DD"
        raise NotDone(422, words, 240)


def _ttl(given: object) -> int:
    seconds = given if isinstance(given, int) else 0
    return min(seconds, DEFAULT_TTL_S) if seconds > 0 else DEFAULT_TTL_S


def _without_host(scope: str) -> str:
    method, _, rest = scope.partition(":")
    return f"{method}:{rest.rpartition('/')[2]}"
