"""Figures in SQL: what counts on which day, and what receipts say; see ``store.figures``."""

from __future__ import annotations

from datetime import date

from bridge.model import AccountId, QueueId
from bridge.store.figures import DayFigures, ReceiptSummary
from bridge.store.sql.engine import Area


class SqlFigures(Area):
    """``store.figures``."""

    async def counted(self, account: AccountId, first: date, last: date) -> int:
        """See ``FigureReads``."""
        (total,) = self._row(
            "SELECT coalesce(sum(counted), 0) FROM plan_day "
            "WHERE account = ? AND day BETWEEN ? AND ?",
            (account, first.isoformat(), last.isoformat()),
        )
        return int(total)

    async def day_figures(self, first: date, last: date) -> tuple[DayFigures, ...]:
        """See ``FigureReads``."""
        rows = self._rows(
            "SELECT account, day, messages, recipients, counted, accepted, delivered, failed, "
            "ordinary, uncertain, size_bytes FROM usage_day "
            "WHERE day BETWEEN ? AND ? AND messages > 0 ORDER BY day, account",
            (first.isoformat(), last.isoformat()),
        )
        return tuple(
            DayFigures(AccountId(account), date.fromisoformat(day), *figures)
            for account, day, *figures in rows
        )

    async def submissions_counted(
        self, first: date, last: date, account: AccountId | None = None
    ) -> tuple[QueueId, ...]:
        """See ``FigureReads``."""
        rows = self._rows(
            "SELECT id FROM submission WHERE counted_on BETWEEN ? AND ? "
            "AND account = coalesce(?, account) ORDER BY sequence",
            (first.isoformat(), last.isoformat(), account),
        )
        return tuple(QueueId(id) for (id,) in rows)

    async def queued_recipients(self, account: AccountId) -> int:
        """See ``FigureReads``."""
        (total,) = self._row(
            "SELECT coalesce(sum(recipient_count), 0) FROM submission "
            "WHERE state IN ('queued', 'held') AND account = ?",
            (account,),
        )
        return int(total)

    async def count_submission(self, id: QueueId, day: date | None, counted: int) -> None:
        """See ``FigureWrites``."""
        account, old_day, old_counted = self._row(
            "SELECT account, counted_on, counted FROM submission WHERE id = ?", (id,)
        )
        new_day = day.isoformat() if day else None
        for on, change in ((old_day, -old_counted), (new_day, counted)):
            if on is not None:
                self._change(
                    "INSERT INTO plan_day (account, day, counted) VALUES (?, ?, ?) "
                    "ON CONFLICT (account, day) DO UPDATE SET "
                    "counted = plan_day.counted + excluded.counted",
                    (account, on, change),
                )
        self._change(
            "UPDATE submission SET counted_on = ?, counted = ? WHERE id = ?", (new_day, counted, id)
        )

    async def keep_outcome(self, id: QueueId, outcome: ReceiptSummary) -> None:
        """See ``FigureWrites``."""
        self._change("DELETE FROM unweighed WHERE submission = ?", (id,))
        self._change(
            "UPDATE submission SET accepted = ?1, delivered = ?2, failed = ?3, ordinary = ?4 "
            "WHERE id = ?5 AND (accepted, delivered, failed, ordinary) <> (?1, ?2, ?3, ?4)",
            (outcome.accepted, outcome.delivered, outcome.failed, outcome.ordinary, id),
        )
