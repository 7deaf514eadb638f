"""How many requests an account has made today, and what for, kept in the store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import structlog

from bridge.model import AccountId
from bridge.store.base import ReadTransaction, Store, StoreFailed, Transaction

log = structlog.get_logger()


class StoredCount:
    """An account's counts in the store (``api.budget.RequestLedger``).

    A store that fails costs the count, not the mail: it is logged, and counting goes on in memory.
    """

    def __init__(self, store: Store, account: AccountId) -> None:
        self._store = store
        self._account = account

    async def load(self, day: date) -> Mapping[str, int]:
        """Return the counts written down for ``day``, by purpose."""

        async def work(tx: ReadTransaction) -> Mapping[str, int]:
            return await tx.requests_made(self._account, day)

        try:
            return await self._store.read(work)
        except StoreFailed as error:
            log.warning("request_count_unread", account=self._account, reason=str(error))
            return {}

    async def save(self, day: date, purpose: str, count: int) -> None:
        """Write down the count of a purpose for ``day``."""

        async def work(tx: Transaction) -> None:
            await tx.record_requests_made(self._account, day, purpose, count)

        try:
            await self._store.write(work)
        except StoreFailed as error:
            log.warning("request_count_unkept", account=self._account, reason=str(error))
