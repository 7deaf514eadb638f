"""The token host (oauth.openapi.com): tokens, the wallet, what was counted.

It takes the account's e-mail and API key, which can do everything there; so they are asked for
when they are needed. A token is its own name in paths: such paths are not logged.
"""

from __future__ import annotations

from bridge.api import token_schema as schema
from bridge.api.admin_errors import TOKEN_STEPS
from bridge.api.admin_host import AdminHost, nothing, segment
from bridge.api.connection import ApiConnection
from bridge.api.token_schema import HostUsage, NewToken, Subscription, Token, Wallet, WalletMovement
from bridge.clock import Clock
from bridge.language import say

CREDENTIALS = say("The e-mail or the API key is wrong; the service's console shows the key.")
NO_TOKEN = 120
NO_SUBSCRIPTION = 220
PAGE = 100
PAGES_LIMIT = 100


class TokenClient:
    """The token host with one account's e-mail and key."""

    def __init__(self, connection: ApiConnection, clock: Clock) -> None:
        self._host = AdminHost(connection, clock, steps=TOKEN_STEPS, credentials=CREDENTIALS)

    async def create(self, token: NewToken) -> Token:
        """``POST /tokens``: make a token."""
        return await self._host.change(
            "POST", "/tokens", schema.read_token, body=schema.new_token_body(token)
        )

    async def tokens(self) -> tuple[Token, ...]:
        """``GET /tokens``: every token, page by page."""
        found: dict[str, Token] = {}
        none: tuple[Token, ...] = ()
        for page in range(PAGES_LIMIT):
            params = {"limit": str(PAGE), "skip": str(page * PAGE)}
            tokens = await self._host.get(
                "/tokens", schema.read_tokens, params=params, empty=none, none_number=NO_TOKEN
            )
            new = {one.secret: one for one in tokens if one.secret not in found}
            found |= new
            if len(tokens) < PAGE or not new:
                break
        return tuple(found.values())

    async def token(self, secret: str) -> Token:
        """``GET /tokens/{token}``: one token."""
        path = f"/tokens/{segment(secret)}"
        return await self._host.get(path, schema.read_token, hidden=secret)

    async def extend(self, secret: str, ttl_s: int) -> Token:
        """``PATCH /tokens/{token}``: let it live for so many seconds from now."""
        return await self._host.change(
            "PATCH",
            f"/tokens/{segment(secret)}",
            schema.read_token,
            body=schema.longer_body(ttl_s),
            hidden=secret,
        )

    async def revoke(self, secret: str) -> None:
        """``DELETE /tokens/{token}``: end a token."""
        path = f"/tokens/{segment(secret)}"
        await self._host.change("DELETE", path, nothing, hidden=secret)

    async def wallet(self) -> Wallet:
        """``GET /wallet``: what is left to spend."""
        return await self._host.get("/wallet", schema.read_wallet)

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """``GET /subscriptions``: what was bought and is in force, page by page."""
        found: list[Subscription] = []
        none: tuple[Subscription, ...] = ()
        for page in range(PAGES_LIMIT):
            params = {"limit": str(PAGE), "skip": str(page * PAGE)}
            listed = await self._host.get(
                "/subscriptions",
                schema.read_subscriptions,
                params=params,
                empty=none,
                none_number=NO_SUBSCRIPTION,
            )
            if not listed or listed[0] in found:
                break
            found += listed
        return tuple(found)

    async def transactions(self, limit: int) -> tuple[WalletMovement, ...]:
        """``GET /wallet/transactions``: the last movements, at most a page of 100."""
        params = {"limit": str(min(max(limit, 1), PAGE)), "skip": "0"}
        return await self._host.get("/wallet/transactions", schema.read_transactions, params=params)

    async def usage(self, domain: str, period: str | None = None) -> HostUsage:
        """``GET /stats/apis/{domain}``: what was counted for one host.

        ``period`` is a year, a month or a day: YYYY, YYYY-MM, YYYY-MM-DD; None for all time.
        """
        return await self._host.get(
            f"/stats/apis/{segment(domain)}",
            schema.read_usage,
            params={} if period is None else {"date": period},
        )
