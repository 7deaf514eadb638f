"""Keys of programs in SQL: statements and nothing else (see ``store.keys``)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bridge.model import AccountId
from bridge.store.keys import ApiKeyRow
from bridge.store.sql.engine import Area
from bridge.store.sql.times import aware, micros, optional_time

_KEY = "SELECT id, account, name, secret_hash, may_write, created_at, used_at FROM api_key "


class SqlApiKeys(Area):
    """Satisfies ``ApiKeyReads`` and ``ApiKeyWrites``."""

    async def api_key(self, id: str) -> ApiKeyRow | None:
        row = self._row(f"{_KEY}WHERE id = ?", (id,))
        return None if row is None else _key(row)

    async def api_keys(self) -> tuple[ApiKeyRow, ...]:
        return tuple(map(_key, self._rows(f"{_KEY}ORDER BY created_at, id")))

    async def add_api_key(self, key: ApiKeyRow) -> None:
        self._row(
            "INSERT INTO api_key (id, account, name, secret_hash, may_write, created_at, used_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                key.id,
                key.account,
                key.name,
                key.secret_hash,
                key.may_write,
                micros(key.created_at),
                micros(key.used_at),
            ),
        )

    async def use_api_key(self, id: str, at: datetime) -> None:
        self._row("UPDATE api_key SET used_at = ? WHERE id = ?", (micros(at), id))

    async def revoke_api_key(self, id: str) -> bool:
        return self._row("DELETE FROM api_key WHERE id = ? RETURNING id", (id,)) is not None


def _key(row: tuple[Any, ...]) -> ApiKeyRow:
    id, account, name, secret_hash, may_write, created_at, used_at = row
    return ApiKeyRow(
        id,
        AccountId(account),
        name,
        secret_hash,
        bool(may_write),
        aware(created_at),
        optional_time(used_at),
    )
