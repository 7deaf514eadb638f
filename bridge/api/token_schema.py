"""The JSON of the token host (oauth.openapi.com) as values, and values as its JSON.

A token is its own identifier, so every value here that holds one keeps it out of its repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bridge.api.admin_schema import amount, as_list, as_object, dump, instant, text, whole
from bridge.api.lenient import UnreadableAnswer
from bridge.language import say

ENDING_CHARS = 6
SHORTEST_CHARS = 3 * ENDING_CHARS
"""A token shorter than this is not told by its end: too much of it would be said."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, with what may be said of it.

    ``limits`` are the ceilings set for it by name, ``used`` what was counted against them.
    """

    secret: str = field(repr=False)
    name: str
    scopes: tuple[str, ...]
    created_at: datetime | None
    expires_at: datetime | None
    limits: Mapping[str, float]
    used: Mapping[str, float]

    @property
    def ending(self) -> str:
        """The last characters, enough to tell tokens apart and too few to be one."""
        return self.secret[-ENDING_CHARS:] if len(self.secret) >= SHORTEST_CHARS else ""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to be made; ``ttl_s`` is its life in seconds, a year at the most."""

    name: str
    scopes: tuple[str, ...]
    ttl_s: int


@dataclass(frozen=True, slots=True)
class Wallet:
    """What is left to spend, in EUR."""

    credit_eur: float
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class WalletMovement:
    """One movement of the wallet, in EUR; what was spent is negative."""

    id: str
    amount_eur: float
    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """Requests as the service counted them; ``amount_eur`` came from the wallet."""

    total: int
    from_wallet: int
    from_subscription: int
    failed: int
    amount_eur: float


@dataclass(frozen=True, slots=True)
class HostUsage:
    """What one host was asked in a day, month or year: in all, and by scope."""

    whole: RequestCounts
    scopes: Mapping[str, RequestCounts]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Requests bought for a time: ``available`` are left of ``scope``, "METHOD:host/path"."""

    scope: str
    available: int
    expires_at: datetime | None


def read_subscriptions(data: object) -> tuple[Subscription, ...]:
    """Read the subscriptions in force; what names no scope or no number is left out."""
    found = []
    for item in as_list(data):
        scope, available = text(item.get("scope")), whole(item.get("availableRequests"))
        if item.get("active") is not False and scope and available is not None:
            expires_at = instant(item.get("expiresAt"))
            found.append(Subscription(scope, max(available, 0), expires_at))
    return tuple(found)


def read_token(data: object) -> Token:
    """Read one token.

    Raises:
        UnreadableAnswer: there is none.
    """
    found = as_object(data, "token")
    secret = text(found.get("token"))
    if not secret:
        raise UnreadableAnswer(say("the answer holds no token"))
    scopes = found.get("scopes")
    return Token(
        secret=secret,
        name=text(found.get("name")),
        scopes=tuple(map(text, scopes)) if isinstance(scopes, list) else (),
        created_at=instant(found.get("createdAt")),
        expires_at=instant(found.get("expireAt")),
        limits=_figures(found.get("limits")),
        used=_figures(found.get("stats")),
    )


def _figures(value: object) -> dict[str, float]:
    if not isinstance(value, dict):
        return {}
    found = {str(name): amount(figure) for name, figure in value.items()}
    return {name: figure for name, figure in found.items() if figure is not None}


def read_tokens(data: object) -> tuple[Token, ...]:
    """Read a list of tokens; what cannot be read as one is left out."""
    read = []
    for item in as_list(data):
        try:
            read.append(read_token(item))
        except UnreadableAnswer:
            continue
    return tuple(read)


def read_wallet(data: object) -> Wallet:
    """Read what is left.

    Raises:
        UnreadableAnswer: the answer names no credit.
    """
    found = as_object(data, "wallet")
    credit = amount(found.get("credit"))
    if credit is None:
        raise UnreadableAnswer(say("the answer names no credit"))
    return Wallet(credit, instant(found.get("updatedAt")))


def read_transactions(data: object) -> tuple[WalletMovement, ...]:
    """Read the wallet's movements, in the service's order."""
    return tuple(
        WalletMovement(
            text(item.get("id")),
            amount(item.get("amount")) or 0.0,
            instant(item.get("createdAt")),
            text(item.get("description")),
        )
        for item in as_list(data)
    )


def read_usage(data: object) -> HostUsage:
    """Read what the service counted for one host."""
    found = as_object(data, "figures")
    scopes = found.get("scopes")
    return HostUsage(
        _counts(found),
        {
            str(name): _counts(item)
            for name, item in (scopes.items() if isinstance(scopes, dict) else ())
            if isinstance(item, dict)
        },
    )


def _counts(found: Mapping[str, Any]) -> RequestCounts:
    return RequestCounts(
        total=whole(found.get("totalRequests")) or 0,
        from_wallet=whole(found.get("walletRequests")) or 0,
        from_subscription=whole(found.get("subscriptionRequests")) or 0,
        failed=whole(found.get("errorRequests")) or 0,
        amount_eur=amount(found.get("walletAmount")) or 0.0,
    )


def new_token_body(token: NewToken) -> bytes:
    """Write a token to be made."""
    return dump({"scopes": list(token.scopes), "name": token.name, "ttl": token.ttl_s})


def longer_body(ttl_s: int) -> bytes:
    """Write a token's new life, in seconds from now."""
    return dump({"ttl": ttl_s})
