"""Holds of accounts in SQL; see ``store.outbox``."""

from __future__ import annotations

from datetime import datetime

from bridge.language import packed, unpacked
from bridge.model import AccountId
from bridge.store.outbox import (
    HoldCause,
    HoldRow,
)
from bridge.store.sql.engine import Area
from bridge.store.sql.times import aware, micros

_HOLD = "SELECT account, cause, reason, since, probe_at, probes FROM account_hold "


class SqlHolds(Area):
    """Of ``store.outbox``, what is about holds."""

    async def hold(self, account: AccountId) -> HoldRow | None:
        """See ``OutboxReads``."""
        holds = self._holds("WHERE account = ?", account)
        return holds[0] if holds else None

    async def holds(self) -> tuple[HoldRow, ...]:
        """See ``OutboxReads``."""
        return self._holds("ORDER BY account")

    async def hold_queue(self, hold: HoldRow) -> None:
        """See ``OutboxWrites``."""
        self._change(
            "INSERT INTO account_hold (account, cause, reason, since, probe_at, probes) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (account) DO UPDATE SET cause = excluded.cause, "
            "reason = excluded.reason, since = excluded.since, probe_at = excluded.probe_at, "
            "probes = excluded.probes",
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
        return self._change("DELETE FROM account_hold WHERE account = ?", (account,)) > 0

    async def paused_since(self, account: AccountId) -> datetime | None:
        """See ``OutboxReads``."""
        row = self._row("SELECT since FROM paused WHERE account = ?", (account,))
        return None if row is None else aware(row[0])

    async def pause_queue(self, account: AccountId, since: datetime) -> bool:
        """See ``OutboxWrites``."""
        new = self._change(
            "INSERT INTO paused (account, since) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (account, micros(since)),
        )
        return new > 0

    async def resume_queue(self, account: AccountId) -> bool:
        """See ``OutboxWrites``."""
        return self._change("DELETE FROM paused WHERE account = ?", (account,)) > 0

    def _holds(self, where: str, *values: object) -> tuple[HoldRow, ...]:
        rows = self._rows(_HOLD + where, values)
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
