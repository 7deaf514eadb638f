"""How far reading got, in SQLite: SQL and nothing else (see ``store.progress``)."""

from __future__ import annotations

from datetime import date, timedelta

from bridge.model import AccountId
from bridge.store.sqlite.area import Area

REQUESTS_KEPT = timedelta(days=400)
"""Days whose counts of requests are kept."""


class SqliteProgress(Area):
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
        self._row("INSERT OR REPLACE INTO sync_state VALUES (?, ?)", (account, state))

    async def record_requests_made(
        self, account: AccountId, day: date, purpose: str, count: int
    ) -> None:
        self._row(
            "DELETE FROM request_use WHERE account = ? AND day < ?",
            (account, (day - REQUESTS_KEPT).isoformat()),
        )
        self._row(
            "INSERT OR REPLACE INTO request_use VALUES (?, ?, ?, ?)",
            (account, day.isoformat(), purpose, count),
        )
