"""How far the reading of an inbox got, and what it cost, as the store keeps it."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from bridge.model import AccountId


class ProgressReads(Protocol):
    """What can be asked."""

    async def sync_state(self, account: AccountId) -> str:
        """Return what sync remembers of an account, "" at first."""

    async def requests_made(self, account: AccountId, day: date) -> dict[str, int]:
        """Return how many requests of each purpose a day has had (Europe/Rome)."""


class ProgressWrites(Protocol):
    """What can be changed."""

    async def set_sync_state(self, account: AccountId, state: str) -> None:
        """Replace what sync remembers of an account."""

    async def record_requests_made(
        self, account: AccountId, day: date, purpose: str, count: int
    ) -> None:
        """Set a day's count of requests of a purpose; days long past are forgotten.

        Args:
            account: whose requests.
            day: in Europe/Rome.
            purpose: what they were for.
            count: how many the day has had of that purpose.
        """
