"""Keys of programs, as the store keeps them: of the secret only its SHA-256.

A key's secret has 256 random bits, so nobody finds it by trying whatever the hash costs; a key is
checked with each request, so the hash is a quick one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.model import AccountId


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """One key: what a program that shows its secret may see and do of one account.

    ``id`` stands in the key itself and finds it. ``may_write`` is whether it decides as well as
    looks. Times are aware; ``used_at`` is None before the first use, and a minute old at the most.
    """

    id: str
    account: AccountId
    name: str
    secret_hash: bytes
    may_write: bool
    created_at: datetime
    used_at: datetime | None = None


class ApiKeyReads(Protocol):
    """What can be asked."""

    async def api_key(self, id: str) -> ApiKeyRow | None:
        """Return a key, None if there is none."""

    async def api_keys(self) -> Sequence[ApiKeyRow]:
        """Return all keys, oldest first."""


class ApiKeyWrites(Protocol):
    """What can be changed."""

    async def add_api_key(self, key: ApiKeyRow) -> None:
        """Keep a new key."""

    async def use_api_key(self, id: str, at: datetime) -> None:
        """Note that a key was used; nothing if it is gone."""

    async def revoke_api_key(self, id: str) -> bool:
        """Forget a key; tell whether there was one."""
