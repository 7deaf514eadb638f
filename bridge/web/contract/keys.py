"""Who may ask: a key in ``Authorization: Bearer`` (RFC 6750 §2.1), and nothing else.

Keys are looked up by their id and compared in constant time. Who shows wrong ones waits as at every
other login, and all protocols count together. Cookies say nothing here, so no browser's page can
ask for its user.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from starlette.requests import Request

from bridge.credentials.apikey import ApiKey, read_api_key
from bridge.language import say
from bridge.limits import API_KEY_USE_NOTED_S
from bridge.store.base import StoreFailed
from bridge.store.keys import ApiKeyRow
from bridge.web.problem import ProblemFound, ProblemKind
from bridge.web.services import WebServices
from bridge.web.session import door_of, is_private, peer_of

log = structlog.get_logger()

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="pec-bridge"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """Which key asks; ``account`` is the address whose messages it may see."""

    key: str
    account: str
    may_write: bool


class ApiKeys:
    """See the module.

    Args:
        services: where keys are kept, whose they may be, who is slowed.
    """

    def __init__(self, services: WebServices) -> None:
        self._services = services
        self._noted_s: dict[str, float] = {}

    async def caller(self, request: Request) -> Caller:
        """Return whose key a request shows.

        Raises:
            ProblemFound: none that counts.
        """
        if not is_private(request):
            raise ProblemFound(
                ProblemKind.CLEAR,
                say("Over the network keys are taken by https alone. If one was sent: revoke it."),
            )
        given = _given(request)
        if given is None:
            raise unauthorized()
        row = await self._row(given.id)
        address = None if row is None else self._services.people.address(row.account)
        peer, guard = peer_of(request), self._services.logins.guard
        async with guard.turn(peer, address or ""):
            if row is None or address is None or not given.fits(row.secret_hash):
                guard.failed(peer, address or "")
                if (door := door_of(request)) is not None:
                    door.guesses += 1
                shown = guard.shown(address or "")
                log.warning("login_failed", protocol="api", login=shown, peer=peer)
                raise unauthorized()
            guard.succeeded(peer, address)
        if (door := door_of(request)) is not None:
            door.know(row.account)
        await self._note(row, peer)
        return Caller(row.id, address, row.may_write)

    async def check(self, caller: Caller) -> None:
        """See to it that a key still opens what it opened.

        Raises:
            ProblemFound: it was revoked meanwhile, or its account has left the settings.
        """
        row = await self._row(caller.key)
        if row is None or self._services.people.address(row.account) != caller.account:
            raise unauthorized()

    async def _row(self, id: str) -> ApiKeyRow | None:
        return await self._services.store.read(lambda tx: tx.api_key(id))

    async def _note(self, row: ApiKeyRow, peer: str) -> None:
        """Keep that it was used, once in a while: a program that polls is no reason to write."""
        now_s, noted_s = self._services.clock.monotonic(), self._noted_s.get(row.id)
        if noted_s is not None and now_s - noted_s < API_KEY_USE_NOTED_S:
            return
        self._noted_s[row.id] = now_s
        if noted_s is None:
            log.info("login", protocol="api", key=row.id, account=row.account, peer=peer)
        now = self._services.clock.now()
        try:
            await self._services.store.write(lambda tx: tx.use_api_key(row.id, now))
        except StoreFailed as error:
            log.warning("api_key_use_not_noted", key=row.id, reason=str(error))


def unauthorized() -> ProblemFound:
    """Return the refusal of whoever shows no key that counts."""
    words = say("Show a key: `Authorization: Bearer pec_…` (`pec-bridge apikey create` makes one).")
    return ProblemFound(ProblemKind.UNAUTHORIZED, words, headers=CHALLENGE)


def _given(request: Request) -> ApiKey | None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return read_api_key(given.strip()) if scheme.casefold() == "bearer" else None
