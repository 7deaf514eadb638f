"""What operations work on, and the small pieces that their results share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.api.client import PecClient
from bridge.language import say
from bridge.model import AccountId
from bridge.operations.control import OperationFailed, Progress
from bridge.store.outbox import ClaimBasis, SubmissionRow

Method = Callable[[Mapping[str, Any], Progress], Awaitable[Any]]
Methods = Mapping[str, Method]


@dataclass(frozen=True, slots=True)
class ApiAccount:
    """One account; ``client`` is None where the secrets are not at hand."""

    id: AccountId
    address: str
    client: PecClient | None

    def api(self) -> PecClient:
        """Return the client.

        Raises:
            OperationFailed: there is none.
        """
        if self.client is None:
            raise OperationFailed(
                say("The secrets of {address} are not at hand.", address=self.address)
            )
        return self.client


class ApiAccounts:
    """The accounts, in the order of the settings."""

    def __init__(self, accounts: tuple[ApiAccount, ...]) -> None:
        self.all = accounts
        self._addresses = {account.id: account.address for account in accounts}

    def chosen(self, arguments: Mapping[str, Any]) -> tuple[ApiAccount, ...]:
        """Return the account that the arguments name, or all if they name none.

        Raises:
            OperationFailed: there is no such account.
        """
        address = arguments.get("account")
        if address is None:
            return self.all
        found = tuple(
            account for account in self.all if account.address.casefold() == address.casefold()
        )
        if not found:
            raise OperationFailed(say("There is no account {address}.", address=address))
        return found

    def address(self, account: AccountId) -> str | None:
        """Return an account's address, None if it has left the settings."""
        return self._addresses.get(account)


def on_word(row: SubmissionRow) -> dict[str, bool]:
    """Return the mark of an entry whose code is a person's word that nothing confirms."""
    return {"on_word": True} if row.claim is ClaimBasis.WORD else {}
