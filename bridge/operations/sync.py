"""``sync``: each inbox brought up to date while the caller waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.api.errors import ApiError
from bridge.operations.accounts import ApiAccount, ApiAccounts, Methods
from bridge.operations.control import Progress
from bridge.sync.service import Sync


class SyncOperations:
    """See the module.

    Args:
        sync: reads the inboxes; it need not be running.
        accounts: the accounts.
    """

    def __init__(self, sync: Sync, accounts: ApiAccounts) -> None:
        self._sync = sync
        self._accounts = accounts

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {"sync": self._sync_now}

    async def _sync_now(self, arguments: Mapping[str, Any], progress: Progress) -> Any:
        return [await self._one(one, progress) for one in self._accounts.chosen(arguments)]

    async def _one(self, account: ApiAccount, progress: Progress) -> dict[str, Any]:
        new, error = 0, None
        try:
            new = await self._sync.sync_now(account.id, progress)
        except ApiError as failure:
            error = failure.reason
        return {
            "account": account.address,
            "messages": self._sync.standing(account.id).fetched,
            "new": new,
            "error": error,
        }
