"""``sync``: each inbox brought up to date while the caller waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.api.errors import ApiError
from bridge.operations.control import Progress
from bridge.operations.subject import Methods, Subject, Subjects
from bridge.sync.service import Sync


class Syncing:
    """See the module.

    Args:
        sync: reads the inboxes; it need not be running.
        subjects: the accounts.
    """

    def __init__(self, sync: Sync, subjects: Subjects) -> None:
        self._sync = sync
        self._subjects = subjects

    def methods(self) -> Methods:
        """Return the operations by name."""
        return {"sync": self._sync_now}

    async def _sync_now(self, arguments: Mapping[str, Any], progress: Progress) -> Any:
        return [await self._one(one, progress) for one in self._subjects.chosen(arguments)]

    async def _one(self, subject: Subject, progress: Progress) -> dict[str, Any]:
        new, error = 0, None
        try:
            new = await self._sync.sync_now(subject.id, progress)
        except ApiError as failure:
            error = failure.reason
        return {
            "account": subject.address,
            "messages": self._sync.standing(subject.id).fetched,
            "new": new,
            "error": error,
        }
