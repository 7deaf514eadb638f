"""Where names and passwords are checked, on any protocol: one wait, one check, one log line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

import structlog

from bridge.login.guessing import GuessGuard
from bridge.model import AccountId

log = structlog.get_logger()


class LoginChecker(Protocol):
    """Whoever knows the passwords."""

    async def check(self, login: str, password: str) -> AccountId | None:
        """Return the account that a name and its password open, None if one of them is wrong."""


class LoginGate:
    """Checks logins; one serves all listeners, so that guesses count together.

    Attributes:
        guard: slows who guesses.
    """

    def __init__(self, authenticator: LoginChecker, guard: GuessGuard) -> None:
        self._authenticator = authenticator
        self.guard = guard

    def take_over(self, authenticator: LoginChecker, names: Iterable[str]) -> None:
        """Check by this from here on; ``names`` are the accounts' addresses."""
        self._authenticator = authenticator
        self.guard.know(names)

    async def enter(
        self, protocol: Literal["imap", "smtp", "web"], peer: str, name: str, password: str
    ) -> AccountId | None:
        """Return the account that is entered, None if name or password are wrong.

        Args:
            protocol: for the log.
            peer: the client's address, by which guesses are counted.
            name: the account's, in any case. Not logged unless it is an account's: people type
                passwords where the name goes.
            password: as the client gave it. Not logged.
        """
        async with self.guard.turn(peer, name):
            account = await self._check(name, password)
            if account is None:
                self.guard.failed(peer, name)
                shown = self.guard.shown(name)
                log.warning("login_failed", protocol=protocol, login=shown, peer=peer)
                return None
            self.guard.succeeded(peer, name)
        log.info("login", protocol=protocol, login=name, peer=peer)
        return account

    async def _check(self, name: str, password: str) -> AccountId | None:
        """Return what those say who know the passwords when they have said it."""
        while True:
            asked = self._authenticator
            account = await asked.check(name, password)
            if asked is self._authenticator:
                return account
