"""How many reads of the API an account has had today, kept in the store."""

from __future__ import annotations

from datetime import date

import structlog

from bridge.model import AccountId
from bridge.store.base import ReadTransaction, Store, StoreFailed, Transaction

log = structlog.get_logger()


class StoredCount:
    """An account's count of requests in the store (``api.ratelimit.RequestLedger``).

    A store that fails costs the count, not the mail: it is logged, and counting goes on in memory.
    """

    def __init__(self, store: Store, account: AccountId) -> None:
        self._store = store
        self._account = account

    async def load(self, day: date) -> int:
        """Return the count written down for ``day``."""

        async def work(tx: ReadTransaction) -> int:
            return await tx.requests_made(self._account, day)

        try:
            return await self._store.read(work)
        except StoreFailed as error:
            log.warning("request count not read", account=self._account, reason=str(error))
            return 0

    async def save(self, day: date, count: int) -> None:
        """Write down ``count`` for ``day``."""

        async def work(tx: Transaction) -> None:
            await tx.record_requests_made(self._account, day, count)

        try:
            await self._store.write(work)
        except StoreFailed as error:
            log.warning("request count not kept", account=self._account, reason=str(error))
