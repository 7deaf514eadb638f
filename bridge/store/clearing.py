"""What is cleared at the API by the settings: which rows are to go, and what became of each.

A row that was ever to be cleared keeps its message here whatever becomes of it there. What went is
written down for good: it outlives the row, its text and the archive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.model import AccountId, QueueId
from bridge.store.deletions import DeletionRow, DeletionState
from bridge.store.remote import RemoteId, RemoteRow


@dataclass(frozen=True, slots=True)
class ClearedRow:
    """One row that was to be cleared, as it was then; ``code`` is its send's.

    ``settled_at`` and ``reason`` say how that ended: when it went, or why it stayed.
    """

    account: AccountId
    remote: RemoteId
    subject: str
    date_text: str
    kind: str
    code: str | None
    submission: QueueId
    state: DeletionState
    wanted_at: datetime
    settled_at: datetime | None
    reason: str


class ClearingReads(Protocol):
    """What can be asked."""

    async def clearable(
        self, account: AccountId, before: datetime, after: RemoteId, limit: int
    ) -> list[RemoteRow]:
        """Return live receipts that were tied to a send by their texts, in order of their ids.

        Those that are to be cleared already, or were left in doubt, are not among them.

        Args:
            account: whose.
            before: the latest moment at which they were first listed.
            after: the row to begin behind.
            limit: the most rows.
        """

    async def clearings(self, account: AccountId, state: DeletionState) -> list[DeletionRow]:
        """Return what is to be cleared and stands so, the first wanted first."""

    async def cleared(
        self, account: AccountId | None, since: datetime, limit: int
    ) -> list[ClearedRow]:
        """Return what was to be cleared and ended since then or has not ended, the last first."""

    async def cleared_count(self, account: AccountId, since: datetime) -> int:
        """Count the rows that went since then."""

    async def deletions_asked(self, account: AccountId, since: datetime) -> tuple[int, int]:
        """Return how many rows were expunged since then, and how many were to be cleared."""


class ClearingWrites(Protocol):
    """What can be changed."""

    async def want_clearing(self, remotes: Sequence[RemoteId], at: datetime) -> None:
        """Write down that rows are to be cleared."""

    async def settle_clearing(
        self, remote: RemoteId, state: DeletionState, reason: str, at: datetime
    ) -> None:
        """Write down how a clearing ended, or that it is wanted again.

        Args:
            remote: the row.
            state: how it stands now.
            reason: why it was left alone; "" where it went.
            at: the time, aware.
        """

    async def ask_clearing(self, remote: RemoteId, alike: int) -> RemoteId:
        """Write down that the API is about to be asked for it; see ``store.deletions.DeletionRow``.

        Returns:
            The last row that is known.
        """

    async def unask_clearing(self, remote: RemoteId) -> None:
        """Write down that this had no effect."""

    async def end_clearing(self, remote: RemoteId, at: datetime) -> bool:
        """Write down that a row is gone from the API; False if it never was to be cleared."""
