"""Which bridges are on the database, which of them leads, and letting another do so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bridge.language import say
from bridge.operations.accounts import ApiAccounts, Methods
from bridge.operations.control import OperationFailed, Progress
from bridge.store.base import ReadTransaction

Release = Callable[[Progress], Awaitable[None]]
"""Lets another bridge lead once nothing is under way; fails if this one does not lead."""


class LeadOperations:
    """See the module.

    Args:
        accounts: the accounts, for all of which one bridge leads.
        release: lets another lead.
    """

    def __init__(self, accounts: ApiAccounts, release: Release) -> None:
        self._accounts = accounts
        self._release = release

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {"leader release": self._let_go}

    async def _let_go(self, arguments: Mapping[str, Any], progress: Progress) -> Any:
        if not self._accounts.chosen(arguments):
            raise OperationFailed(say("There are no accounts."))
        await self._release(progress)
        return {"accounts": [one.address for one in self._accounts.all]}


async def bridge_facts(tx: ReadTransaction) -> list[dict[str, Any]]:
    """Return each bridge on the database, by name; none where the data are in a file."""
    connected, lead = await tx.bridges(), await tx.lead()
    whole = {lead.bridge if lead.bridge.endswith(one) else one for one in connected}
    names = sorted(whole | ({lead.bridge} if connected and lead.bridge else set()))
    return [
        {"bridge": name, "leads": name == lead.bridge, "connected": name in whole} for name in names
    ]
