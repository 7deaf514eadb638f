"""Who may log in to the page: each account with its password, and the administrator with his."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol

from bridge.login import ADMINISTRATOR_NAME, GuessGuard, LoginChecker, LoginGate
from bridge.model import AccountId
from bridge.web.password import AdministratorPassword

ADMINISTRATOR: Final = AccountId(0)
"""What the gate calls the administrator; no account has this id."""


class AccountPasswords(LoginChecker, Protocol):
    """Whoever knows the accounts' passwords."""

    def seal(self, account: AccountId, token: str) -> bytes:
        """Return ``SEAL_BYTES`` for each password of the account, others for another token."""


class PagePeople:
    """See the module; satisfies ``login.LoginChecker`` and ``session.People``.

    Args:
        accounts: knows the accounts' passwords.
        addresses: theirs.
        administrator: the administrator's password.
    """

    def __init__(
        self,
        accounts: AccountPasswords,
        addresses: Mapping[AccountId, str],
        administrator: AdministratorPassword,
    ) -> None:
        self._accounts = accounts
        self._addresses = addresses
        self._administrator = administrator

    def take_over(self, accounts: AccountPasswords, addresses: Mapping[AccountId, str]) -> None:
        """Go by other accounts from here on.

        Args:
            accounts: knows their passwords.
            addresses: theirs.
        """
        self._accounts, self._addresses = accounts, addresses

    async def check(self, login: str, password: str) -> AccountId | None:
        """Return who a name and its password open, None if one of them is wrong."""
        if login.casefold() == ADMINISTRATOR_NAME:
            return ADMINISTRATOR if await self._administrator.fits(password) else None
        while True:
            asked = self._accounts
            account = await asked.check(login, password)
            if asked is self._accounts:
                return account

    def address(self, account: AccountId) -> str | None:
        """Return an account's address, None if it has left the settings."""
        return self._addresses.get(account)

    def seal(self, account: AccountId, token: str) -> bytes:
        """See ``AccountPasswords``."""
        return self._accounts.seal(account, token)

    async def administrator_since(self) -> datetime | None:
        """Return when the administrator's password was set, None if there is none."""
        return await self._administrator.since()

    def gate(self, guard: GuessGuard) -> LoginGate:
        """Return where they are checked; ``guard`` counts guesses of all protocols together."""
        return LoginGate(self, guard)
