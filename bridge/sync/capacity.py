"""How full the mailbox is at the API: read now and then, told before mail is turned away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import structlog

from bridge.alarms import AlarmKind
from bridge.api.errors import ApiError
from bridge.clock import Clock
from bridge.model import Quota
from bridge.sync.alarm import AccountAlarms
from bridge.sync.memory import AccountMemory
from bridge.sync.notice import filling
from bridge.sync.pages import InboxClient

log = structlog.get_logger()

EVERY = timedelta(hours=1)
MARKS = (80, 90)
"""Percentages at which a person is told, once each until it is less again."""

AGAIN = timedelta(minutes=15)
"""How soon the API is asked once more after it did not tell."""


class Capacity:
    """One account's quota.

    Args:
        client: asks the API.
        memory: what it told last, and when.
        alarms: the account's.
        clock: time.
        address: the account's, for what people are told.
    """

    def __init__(
        self,
        client: InboxClient,
        memory: AccountMemory,
        alarms: AccountAlarms,
        clock: Clock,
        address: str,
    ) -> None:
        self._client = client
        self._memory = memory
        self._alarms = alarms
        self._clock = clock
        self._address = address

    async def read_if_due(self) -> None:
        """Ask the API if that was long ago; mail does not wait for what it fails to tell."""
        at = self._memory.state.quota_at
        now = self._clock.now()
        if at is not None and now - at < EVERY:
            return
        # It may not tell, and must not be asked again at every look then.
        self._memory.remember(replace(self._memory.state, quota_at=now - EVERY + AGAIN))
        try:
            quota = await self._client.quota()
        except ApiError as error:
            log.warning("quota_failed", account=self._memory.account, reason=error.reason)
            return
        self._memory.remember(replace(self._memory.state, quota=quota, quota_at=now))
        await self._tell(quota)

    async def _tell(self, quota: Quota) -> None:
        percent = quota.percent or 0.0
        raised = await self._alarms.raised(AlarmKind.QUOTA)
        for mark in MARKS:
            is_raised = (AlarmKind.QUOTA, str(mark)) in raised
            if percent >= mark and not is_raised:
                await self._alarms.begin(
                    AlarmKind.QUOTA, str(mark), filling(self._address, percent)
                )
            elif percent < mark and is_raised:
                await self._alarms.end(AlarmKind.QUOTA, str(mark))
