"""How much mail an account has in a day, as it was listed here: what the forecast goes by."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.api.forecast import Volume
from bridge.model import AccountId
from bridge.store.base import ReadTransaction

A_DAY = timedelta(days=1)


async def volume(tx: ReadTransaction, account: AccountId, now: datetime) -> Volume:
    """Return the mail of the 24 hours before a moment, deletions that were wished for too."""
    seen = await tx.rows_seen(account, now - A_DAY)
    return Volume(seen.rows, seen.good, *await tx.deletions_asked(account, now - A_DAY))
