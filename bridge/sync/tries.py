"""Which rows' texts could not be had, when they are tried again, and when one is given up.

A row that keeps failing while others succeed is given up after so many tries spread over hours.
While all of them fail, none is before ``LAST_PATIENCE_S``: it may be the API's trouble.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from bridge.clock import Clock
from bridge.store.remote import RemoteId, RemoteRow

log = structlog.get_logger()

PATIENCE = (60.0, 300.0, 1_800.0, 7_200.0, 21_600.0, 43_200.0)
"""Seconds between the tries for a row that fails while others do not; then it is given up."""

LAST_PATIENCE_S = 2 * 86_400.0
"""After so long a row is given up even if no other body came that would show the API to work."""

ANSWERED_PATIENCE = 2
"""Tries for a row whose answer came and made no sense."""


@dataclass(slots=True)
class _Try:
    """Where a failing row stands; ``worked`` is the count of successes at its last failure.

    ``api_id`` is where it was asked for; under another id it is tried at once.
    """

    first_s: float
    last_s: float
    count: int
    again_at_s: float
    worked: int
    api_id: str


class Tries:
    """One account's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tries: dict[RemoteId, _Try] = {}
        self._worked = 0

    def __len__(self) -> int:
        return len(self._tries)

    def __contains__(self, remote: RemoteId) -> bool:
        return remote in self._tries

    def since(self, at_s: float) -> int:
        """Count the rows that failed first before then and fail still, as a further try showed.

        One that was not tried again, for want of requests, has perhaps only moved.
        """
        tries = self._tries.values()
        return sum(tried.first_s <= at_s and tried.last_s > tried.first_s for tried in tries)

    def is_due(self, row: RemoteRow) -> bool:
        """Tell whether a row may be tried now; under another id than before it is at once."""
        tried = self._tries.get(row.id)
        now_s = self._clock.monotonic()
        return tried is None or tried.again_at_s <= now_s or tried.api_id != row.api_id

    def worked(self) -> None:
        """The API answered, for one row or another."""
        self._worked += 1

    def end(self, remote: RemoteId) -> None:
        """Forget a row whose text came."""
        self._tries.pop(remote, None)

    def is_given_up(self, row: RemoteRow, reason: str, patience: int) -> bool:
        """Note that a row failed; tell whether that was its last try.

        Args:
            row: which, and where it was asked for.
            reason: why, for the log.
            patience: how many tries it has.
        """
        now_s = self._clock.monotonic()
        tried = self._tries.setdefault(row.id, _Try(now_s, now_s, 0, 0.0, -1, row.api_id))
        tried.last_s, tried.api_id = now_s, row.api_id
        tried.count += tried.worked != self._worked  # only if something else worked meanwhile
        tried.worked = self._worked
        log.warning(
            "message_unreadable",
            account=row.account,
            remote=row.id,
            reason=reason,
            tries=tried.count,
        )
        if tried.count > patience or now_s - tried.first_s >= LAST_PATIENCE_S:
            self._tries.pop(row.id)
            return True
        tried.again_at_s = now_s + PATIENCE[min(max(tried.count, 1), len(PATIENCE)) - 1]
        return False
