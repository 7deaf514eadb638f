"""Notices in SQL: statements and nothing else (see ``store.notices``).

Days are ``YYYY-MM-DD``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from datetime import date, datetime
from typing import Any

from bridge.model import AccountId, ContentId
from bridge.store.notices import NoticeDay, NoticeRow
from bridge.store.sql.engine import Area
from bridge.store.sql.times import aware, micros

_DAY = "account, day, singly, of_messages, writes, written_at, due_at, content"


class SqlNotices(Area):
    """Satisfies ``NoticeReads`` and ``NoticeWrites``."""

    async def notice_day(self, account: AccountId, day: date) -> NoticeDay | None:
        row = self._row(
            f"SELECT {_DAY} FROM notice_day WHERE account = ? AND day = ?",  # noqa: S608
            (account, day.isoformat()),
        )
        return None if row is None else _day(row)

    async def notice_days_due(self, now: datetime, latest: datetime) -> list[NoticeDay]:
        where = "due_at <= ? OR due_at > ?"
        rows = self._rows(
            f"SELECT {_DAY} FROM notice_day WHERE {where} ORDER BY day",  # noqa: S608
            (micros(now), micros(latest)),
        )
        return [_day(row) for row in rows]

    async def has_notice(self, account: AccountId, day: date, kind: str, key: str) -> bool:
        row = self._row(
            "SELECT 1 FROM notice WHERE account = ? AND kind = ? AND key = ? AND day = ?",
            (account, kind, key, day.isoformat()),
        )
        return row is not None

    async def notices(self, account: AccountId, day: date) -> list[NoticeRow]:
        rows = self._rows(
            "SELECT notice.account, day, notice.kind, notice.key, line, at,"
            " cleared_at IS NOT NULL FROM notice LEFT JOIN alarm"
            " ON alarm.account = notice.account AND alarm.kind = notice.kind"
            " AND alarm.key = notice.key"
            " WHERE notice.account = ? AND day = ? ORDER BY at, notice.kind, notice.key",
            (account, day.isoformat()),
        )
        return [
            NoticeRow(
                AccountId(row[0]),
                date.fromisoformat(row[1]),
                row[2],
                row[3],
                row[4],
                aware(row[5]),
                bool(row[6]),
            )
            for row in rows
        ]

    async def keep_notice_day(self, day: NoticeDay) -> None:
        values = list(astuple(day))
        values[1] = day.day.isoformat()
        values[5], values[6] = (
            None if at is None else micros(at) for at in (day.written_at, day.due_at)
        )
        self._row(
            "INSERT INTO notice_day VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (account, day) DO UPDATE SET singly = excluded.singly,"
            " of_messages = excluded.of_messages, writes = excluded.writes,"
            " written_at = excluded.written_at, due_at = excluded.due_at,"
            " content = excluded.content",
            values,
        )

    async def add_notice(self, notice: NoticeRow) -> None:
        self._row(
            "INSERT INTO notice (account, kind, key, day, line, at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (account, kind, key, day)"
            " DO UPDATE SET line = excluded.line, at = excluded.at",
            (
                notice.account,
                notice.kind,
                notice.key,
                notice.day.isoformat(),
                notice.line,
                micros(notice.at),
            ),
        )

    async def drop_notices(self, account: AccountId, before: date) -> None:
        for table in ("notice", "notice_day"):
            self._row(
                f"DELETE FROM {table} WHERE account = ?1 AND day < ?2 AND day NOT IN"  # noqa: S608
                " (SELECT day FROM notice_day WHERE account = ?1 AND due_at IS NOT NULL)",
                (account, before.isoformat()),
            )


def _day(row: Sequence[Any]) -> NoticeDay:
    return NoticeDay(
        AccountId(row[0]),
        date.fromisoformat(row[1]),
        row[2],
        row[3],
        row[4],
        None if row[5] is None else aware(row[5]),
        None if row[6] is None else aware(row[6]),
        None if row[7] is None else ContentId(row[7]),
    )
