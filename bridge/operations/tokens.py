"""``token`` and ``wallet``: tokens made with the least rights, and what is left to spend.

No result holds a token: they are told apart by name and by their last characters, and a new one
goes straight into its file.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge.api.errors import ApiError, NotSent, OutcomeUnknown
from bridge.api.token_schema import NewToken, Token
from bridge.api.tokens import TokenClient
from bridge.clock import Clock, rfc3339
from bridge.config import Prices
from bridge.language import say
from bridge.operations.accounts import Methods
from bridge.operations.control import OperationFailed, Progress
from bridge.operations.cost import pecs_for
from bridge.operations.secretfile import SecretFile

DAY_S = 86_400
DAYS_LIMIT = 365


class TokenOperations:
    """See the module.

    Args:
        client: the token host.
        clock: for what is left of a token's life.
        prices: what a PEC costs.
        in_use: the tokens that the configuration points to, as far as they can be had.
    """

    def __init__(
        self, client: TokenClient, clock: Clock, prices: Prices, in_use: frozenset[str]
    ) -> None:
        self._client = client
        self._clock = clock
        self._prices = prices
        self._in_use = in_use

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {
            "token create": self._create,
            "token list": self._list,
            "token show": self._show,
            "token renew": self._renew,
            "token revoke": self._revoke,
            "wallet": self._wallet,
        }

    async def _create(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        """Make a token with ``scopes`` and put it into the file ``to``."""
        path, name = Path(str(arguments["to"])), str(arguments["name"])
        new = NewToken(name, tuple(arguments["scopes"]), _days(arguments) * DAY_S)
        try:
            place = SecretFile(path)
        except OSError as error:
            raise OperationFailed(
                say(
                    "{path}: {strerror}. Nothing was asked for.",
                    path=path,
                    strerror=error.strerror or error,
                )
            ) from None
        with place:
            token = await self._made(new)
            await self._keep(place, path, token)
        facts = {name: value for name, value in self._facts(token).items() if name != "in_use"}
        return {**facts, "written_to": str(path)}

    async def _made(self, new: NewToken) -> Token:
        try:
            return await self._client.create(new)
        except OutcomeUnknown as error:
            raise OperationFailed(
                say(
                    "{reason} Whether the token was made is not known. `pec-bridge token "
                    "list` shows it if it was: revoke it then ({name}), and create another.",
                    reason=error.reason,
                    name=new.name,
                )
            ) from None
        except NotSent as error:
            raise OperationFailed(say("{reason} Nothing was done.", reason=error.reason)) from None

    async def _keep(self, place: SecretFile, path: Path, token: Token) -> None:
        """Write the token; one that cannot be written is of no use, and is revoked."""
        try:
            place.write(token.secret)
            return
        except OSError as error:
            reason = say("{path}: {strerror}.", path=path, strerror=error.strerror or error)
        try:
            await self._client.revoke(token.secret)
        except ApiError:
            raise OperationFailed(
                say(
                    "{reason} The token was made all the same: `pec-bridge token revoke "
                    "{ending}` ends it.",
                    reason=reason,
                    ending=token.ending or token.name,
                )
            ) from None
        raise OperationFailed(
            say("{reason} The new token was revoked again.", reason=reason)
        ) from None

    async def _list(self, _arguments: Mapping[str, Any], _progress: Progress) -> Any:
        return [self._facts(token) for token in await self._client.tokens()]

    async def _show(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        token = await self._client.token((await self._found(arguments)).secret)
        return {**self._facts(token), "limits": dict(token.limits), "used": dict(token.used)}

    async def _renew(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        days = _days(arguments)
        before = await self._found(arguments)
        try:
            token = await self._client.extend(before.secret, days * DAY_S)
        except OutcomeUnknown as error:
            raise OperationFailed(
                say(
                    "{reason} `pec-bridge token show` tells when it expires now.",
                    reason=error.reason,
                )
            ) from None
        if token.secret != before.secret:
            raise OperationFailed(
                say(
                    "The service put another token in its place, which is not written "
                    "anywhere: make a new one with `pec-bridge token create`."
                )
            )
        return {**self._facts(token), "expired_at_before": rfc3339(before.expires_at)}

    async def _revoke(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        token = await self._found(arguments)
        try:
            await self._client.revoke(token.secret)
        except OutcomeUnknown as error:
            raise OperationFailed(
                say(
                    "{reason} `pec-bridge token list` does not show it any more if it was done.",
                    reason=error.reason,
                )
            ) from None
        return {**self._facts(token), "revoked": True}

    async def _found(self, arguments: Mapping[str, Any]) -> Token:
        """Return the token that ``which`` names or ends; without it, the configured one."""
        which = str(arguments.get("which") or "").strip()
        tokens = await self._client.tokens()
        if which:
            found = [one for one in tokens if which in (one.name, one.ending)]
        else:
            found = [one for one in tokens if one.secret in self._in_use]
        if not found:
            missing = (
                say("No token is called {which} or ends so.", which=which)
                if which
                else say("The configured token is not among those of this account.")
            )
            raise OperationFailed(
                say("{missing} `pec-bridge token list` shows those there are.", missing=missing)
            )
        if len(found) > 1:
            endings = ", ".join(one.ending for one in found)
            raise OperationFailed(
                say("Several tokens fit; name one by its end: {endings}.", endings=endings)
            )
        return found[0]

    def _facts(self, token: Token) -> dict[str, Any]:
        return {
            "name": token.name,
            "ending": token.ending,
            "scopes": list(token.scopes),
            "created_at": rfc3339(token.created_at),
            "expires_at": rfc3339(token.expires_at),
            "days_left": self._days_left(token.expires_at),
            "in_use": token.secret in self._in_use,
        }

    def _days_left(self, at: datetime | None) -> int | None:
        return None if at is None else (at - self._clock.now()).days

    async def _wallet(self, arguments: Mapping[str, Any], _progress: Progress) -> Any:
        wallet = await self._client.wallet()
        movements = await self._client.transactions(int(arguments.get("last") or 10))
        return {
            "credit_eur": wallet.credit_eur,
            "updated_at": rfc3339(wallet.updated_at),
            "pecs": pecs_for(self._prices, wallet.credit_eur),
            "transactions": [
                {
                    "at": rfc3339(one.at),
                    "amount_eur": one.amount_eur,
                    "text": one.text,
                    "id": one.id,
                }
                for one in movements
            ],
        }


def _days(arguments: Mapping[str, Any]) -> int:
    days = int(arguments.get("days") or DAYS_LIMIT)
    if not 1 <= days <= DAYS_LIMIT:
        raise OperationFailed(say("A token lives 1 to {most} days.", most=DAYS_LIMIT))
    return days
