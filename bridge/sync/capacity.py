"""How full the mailbox is at the API: read now and then, told before mail is turned away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bridge.alarms import AlarmKind
from bridge.clock import Clock
from bridge.sync.ledger import Ledger
from bridge.sync.listing import Listing
from bridge.sync.notice import filling
from bridge.sync.pages import InboxClient
from bridge.sync.state import QuotaFigures

EVERY = timedelta(hours=1)
MARKS = (80, 90)
"""Percentages at which a person is told, once each until it is less again."""


class Capacity:
    """One account's quota."""

    def __init__(
        self, client: InboxClient, ledger: Ledger, listing: Listing, clock: Clock, address: str
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._listing = listing
        self._clock = clock
        self._address = address

    async def read_if_due(self) -> None:
        """Ask the API if that was long ago.

        Raises:
            ApiError: it does not tell.
        """
        at = self._listing.state.quota_at
        now = self._clock.now()
        if at is not None and now - at < EVERY:
            return
        # Whatever comes of it, it is not asked for again soon.
        self._listing.state = replace(self._listing.state, quota_at=now)
        quota = await self._client.quota()
        figures = QuotaFigures(quota.usage * quota.unit_bytes, quota.limit * quota.unit_bytes)
        self._listing.state = replace(self._listing.state, quota=figures)
        await self._tell(figures)

    async def _tell(self, figures: QuotaFigures) -> None:
        percent = figures.percent or 0.0
        raised = await self._ledger.alarms()
        for mark in MARKS:
            is_raised = (AlarmKind.QUOTA.value, str(mark)) in raised
            if percent >= mark and not is_raised:
                await self._ledger.alarm(
                    AlarmKind.QUOTA, str(mark), filling(self._address, percent)
                )
            elif percent < mark and is_raised:
                await self._ledger.clear(AlarmKind.QUOTA, str(mark))
