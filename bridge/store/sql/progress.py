"""How far reading got, in SQL: statements and nothing else (see ``store.progress``)."""

from __future__ import annotations

from datetime import date, timedelta

from bridge.model import AccountId
from bridge.store.sql.engine import Area

REQUESTS_KEPT = timedelta(days=400)
"""Days whose counts of requests are kept."""


class SqlProgress(Area):
    """Satisfies ``ProgressReads`` and ``ProgressWrites``."""

    async def sync_state(self, account: AccountId) -> str:
        row = self._row("SELECT state FROM sync_state WHERE account = ?", (account,))
        return row[0] if row else ""

    async def requests_made(self, account: AccountId, day: date) -> dict[str, int]:
        return dict(
            self._rows(
                "SELECT purpose, made FROM request_use WHERE account = ? AND day = ?",
                (account, day.isoformat()),
            )
        )

    async def set_sync_state(self, account: AccountId, state: str) -> None:
        self._row(
            "INSERT INTO sync_state VALUES (?, ?)"
            " ON CONFLICT (account) DO UPDATE SET state = excluded.state",
            (account, state),
        )

    async def record_requests_made(
        self, account: AccountId, day: date, purpose: str, count: int
    ) -> None:
        self._row(
            "DELETE FROM request_use WHERE account = ? AND day < ?",
            (account, (day - REQUESTS_KEPT).isoformat()),
        )
        self._row(
            "INSERT INTO request_use VALUES (?, ?, ?, ?)"
            " ON CONFLICT (account, day, purpose) DO UPDATE SET made = excluded.made",
            (account, day.isoformat(), purpose, count),
        )
