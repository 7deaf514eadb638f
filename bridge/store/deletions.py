"""Deletions at the API, as the store keeps them: what a final expunge asks for, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from bridge.model import AccountId, ContentId
from bridge.store.remote import RemoteId, RemoteRow


class DeletionState(Enum):
    """Where a deletion at the API stands."""

    WANTED = "wanted"
    DONE = "done"
    DOUBTED = "doubted"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class DeletionRow:
    """A final expunge that is to delete at the API.

    ``asked_after`` is the last row that was known when the API was asked for it, None if it was not
    or that had no effect; ``alike`` is how many rows with its text were listed then, itself too.
    """

    remote: RemoteRow
    requested_at: datetime
    state: DeletionState
    reason: str
    asked_after: RemoteId | None = None
    alike: int = 0


class DeletionReads(Protocol):
    """What can be asked."""

    async def deletions(self, account: AccountId, state: DeletionState) -> list[DeletionRow]:
        """Return deletions in that state, oldest first."""


class DeletionWrites(Protocol):
    """What can be changed."""

    async def record_deletion_intent(
        self, account: AccountId, content: ContentId, at: datetime
    ) -> bool:
        """Write down that the row behind a content is to be deleted; False if there is none.

        One that was kept or doubted before is wanted again.
        """

    async def ask_deletion(self, remote: RemoteId, alike: int) -> RemoteId:
        """Write down that the API is about to be asked for a deletion; see ``DeletionRow``.

        Returns:
            The last row that is known.
        """

    async def unask_deletion(self, remote: RemoteId) -> None:
        """Write down that this had no effect."""

    async def settle_deletion(
        self, remote: RemoteId, state: DeletionState, reason: str, at: datetime
    ) -> None:
        """Write down how a deletion ended.

        Args:
            remote: the row that was to be deleted.
            state: how that ended.
            reason: why it was left alone, for people; "" where it was deleted.
            at: the time, aware.
        """
