"""Alarms in SQL: statements and nothing else (see ``store.alarms``)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bridge.model import AccountId, ContentId
from bridge.store.alarms import AlarmRow
from bridge.store.sql.engine import Area
from bridge.store.sql.times import aware, micros, optional_time

_ALARM = "account, kind, key, text, raised_at, cleared_at, notice, told_at, acknowledged_at"


def _alarm(row: Sequence[Any]) -> AlarmRow:
    return AlarmRow(
        AccountId(row[0]),
        row[1],
        row[2],
        row[3],
        aware(row[4]),
        optional_time(row[5]),
        None if row[6] is None else ContentId(row[6]),
        optional_time(row[7]),
        optional_time(row[8]),
    )


class SqlAlarms(Area):
    """Satisfies ``AlarmReads`` and ``AlarmWrites``."""

    async def alarms(self, account: AccountId | None = None) -> list[AlarmRow]:
        rows = self._rows(
            f"SELECT {_ALARM} FROM alarm"  # noqa: S608
            " WHERE cleared_at IS NULL AND account = coalesce(?, account) ORDER BY raised_at",
            (account,),
        )
        return [_alarm(row) for row in rows]

    async def alarm(self, account: AccountId, kind: str, key: str) -> AlarmRow | None:
        row = self._row(
            f"SELECT {_ALARM} FROM alarm WHERE account = ? AND kind = ? AND key = ?",  # noqa: S608
            (account, kind, key),
        )
        return None if row is None else _alarm(row)

    async def alarm_keys(self, account: AccountId, kind: str, begin: str) -> list[str]:
        rows = self._rows(
            "SELECT key FROM alarm WHERE account = ? AND kind = ? AND key >= ? AND key < ?"
            " AND cleared_at IS NULL",
            (account, kind, begin, begin + chr(sys.maxunicode)),
        )
        return [key for (key,) in rows]

    async def add_alarm(
        self, account: AccountId, kind: str, key: str, text: str, at: datetime
    ) -> bool:
        rows = self._rows(
            "INSERT INTO alarm (account, kind, key, text, raised_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (account, kind, key) DO UPDATE SET text = excluded.text,"
            " raised_at = excluded.raised_at,"
            " cleared_at = NULL, notice = NULL, told_at = NULL, acknowledged_at = NULL"
            " WHERE alarm.cleared_at IS NOT NULL RETURNING kind",
            (account, kind, key, text, micros(at)),
        )
        return bool(rows)

    async def clear_alarm(self, account: AccountId, kind: str, key: str, at: datetime) -> bool:
        rows = self._rows(
            "UPDATE alarm SET cleared_at = ? WHERE account = ? AND kind = ? AND key = ?"
            " AND cleared_at IS NULL RETURNING kind",
            (micros(at), account, kind, key),
        )
        return bool(rows)

    async def acknowledge_alarm(
        self, account: AccountId, kind: str, key: str, at: datetime
    ) -> bool:
        rows = self._rows(
            "UPDATE alarm SET acknowledged_at = ? WHERE account = ? AND kind = ? AND key = ?"
            " AND cleared_at IS NULL AND acknowledged_at IS NULL RETURNING kind",
            (micros(at), account, kind, key),
        )
        return bool(rows)

    async def renew_alarm(self, account: AccountId, kind: str, key: str, text: str) -> None:
        self._row(
            "UPDATE alarm SET text = ? WHERE account = ? AND kind = ? AND key = ?",
            (text, account, kind, key),
        )

    async def keep_alarm_notice(
        self, account: AccountId, kind: str, key: str, content: ContentId, at: datetime
    ) -> None:
        self._row(
            "UPDATE alarm SET notice = ?, told_at = ? WHERE account = ? AND kind = ? AND key = ?",
            (content, micros(at), account, kind, key),
        )
