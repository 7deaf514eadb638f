"""Holds of accounts in SQLite; see ``store.outbox``."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bridge.language import packed, unpacked
from bridge.model import AccountId
from bridge.store.outbox import (
    HoldCause,
    HoldRow,
)
from bridge.store.sqlite.times import aware, micros

_HOLD = "SELECT account, cause, reason, since, probe_at, probes FROM account_hold "


class SqliteHolds:
    """Of ``store.outbox``, what is about holds."""

    _connection: sqlite3.Connection

    async def hold(self, account: AccountId) -> HoldRow | None:
        """See ``OutboxReads``."""
        holds = self._holds("WHERE account = ?", account)
        return holds[0] if holds else None

    async def holds(self) -> tuple[HoldRow, ...]:
        """See ``OutboxReads``."""
        return self._holds("ORDER BY account")

    async def hold_queue(self, hold: HoldRow) -> None:
        """See ``OutboxWrites``."""
        self._connection.execute(
            "INSERT OR REPLACE INTO account_hold (account, cause, reason, since, probe_at, probes) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                hold.account,
                hold.cause.value,
                packed(hold.reason),
                micros(hold.since),
                micros(hold.probe_at),
                hold.probes,
            ),
        )

    async def release_queue(self, account: AccountId) -> bool:
        """See ``OutboxWrites``."""
        gone = self._connection.execute("DELETE FROM account_hold WHERE account = ?", (account,))
        return gone.rowcount > 0

    async def paused_since(self, account: AccountId) -> datetime | None:
        """See ``OutboxReads``."""
        row = self._connection.execute(
            "SELECT since FROM paused WHERE account = ?", (account,)
        ).fetchone()
        return None if row is None else aware(row[0])

    async def pause_queue(self, account: AccountId, since: datetime) -> bool:
        """See ``OutboxWrites``."""
        new = self._connection.execute(
            "INSERT OR IGNORE INTO paused (account, since) VALUES (?, ?)", (account, micros(since))
        )
        return new.rowcount > 0

    async def resume_queue(self, account: AccountId) -> bool:
        """See ``OutboxWrites``."""
        gone = self._connection.execute("DELETE FROM paused WHERE account = ?", (account,))
        return gone.rowcount > 0

    def _holds(self, where: str, *values: object) -> tuple[HoldRow, ...]:
        rows = self._connection.execute(_HOLD + where, values)
        return tuple(
            HoldRow(
                AccountId(account),
                HoldCause(cause),
                unpacked(reason),
                aware(since),
                aware(probe),
                probes,
            )
            for account, cause, reason, since, probe, probes in rows
        )
