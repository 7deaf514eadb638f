"""An account's end: all that the store holds of it, counted and forgotten.

For ``account purge``, which nobody but a person begins. What an account held is gone then: mail,
what was sent, what became of it, the archive, figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bridge.model import AccountId


@dataclass(frozen=True, slots=True)
class Holding:
    """What an account holds: messages in its mailboxes, sends, rows of the API, bytes of texts."""

    messages: int
    sends: int
    rows: int
    size_bytes: int


class PurgingReads(Protocol):
    """What can be asked."""

    async def holding(self, account: AccountId) -> Holding:
        """Return what an account holds."""


class PurgingWrites(Protocol):
    """What can be forgotten. Each does a part, in this order, and may be repeated."""

    async def purge_rows(self, account: AccountId) -> None:
        """Forget everything of an account but its texts and its address."""

    async def purge_contents(self, account: AccountId, limit: int) -> int:
        """Forget so many of its texts at the most; return how many there were."""

    async def forget_account(self, account: AccountId) -> None:
        """Forget its address; nothing of it is left then."""
