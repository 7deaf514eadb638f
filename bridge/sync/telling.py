"""What a person is told of one account's reading: alarms raised once, which end by themselves.

Refused or unpaid, out of reach for long, very much missing at once, messages that cannot be read,
the day's requests used up. Which of them is due follows from the values passed in; nothing here
asks the API.

Failure: errors of the store are logged; the alarm is due again at the next look.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import structlog

from bridge.alarms import AlarmKind, Notice
from bridge.api.budget import Use
from bridge.api.forecast import Volume, forecast
from bridge.clock import Clock
from bridge.store.base import StoreFailed
from bridge.sync import notice
from bridge.sync.alarm import AccountAlarms
from bridge.sync.loss import TOLD_AFTER, WAIT, Loss

log = structlog.get_logger()

INBOX_KEY = "inbox"
LOSS_KEY = "missing"
UNREAD_KEY = "unread"

OUT_OF_REACH = timedelta(hours=1)
"""How long the inbox may not be readable before a person is told."""

QUIET = timedelta(days=1)
"""What is told of clearing ends when nothing went for so long, and is written anew as seldom."""

NOT_ALLOWED = "not allowed"

REFUSALS = {"credentials": AlarmKind.CREDENTIALS, "payment": AlarmKind.PAYMENT}


class Teller:
    """One account's alarms about reading."""

    def __init__(self, alarms: AccountAlarms, clock: Clock, address: str) -> None:
        self._alarms = alarms
        self._clock = clock
        self._address = address
        self._failing_since: datetime | None = None

    async def worked(self, loss: Loss | None, unread: int) -> None:
        """The API showed the inbox.

        Args:
            loss: what is missing there in great number.
            unread: messages whose text it has not shown for an hour.
        """
        self._failing_since = None
        raised = await self._alarms.raised(*REFUSALS.values(), AlarmKind.READING)
        for kind in REFUSALS.values():
            await self._set(raised, kind, INBOX_KEY, None)
        await self._set(raised, AlarmKind.READING, INBOX_KEY, None)
        await self._set(raised, AlarmKind.READING, LOSS_KEY, self._loss(loss))
        words = notice.unread(self._address, unread) if unread else None
        await self._set(raised, AlarmKind.READING, UNREAD_KEY, words)

    def _loss(self, loss: Loss | None) -> Notice | None:
        now = self._clock.now()
        if loss is None or loss.is_believed(now) or now - loss.since < TOLD_AFTER:
            return None
        until = loss.since + WAIT if loss.is_credible else None
        return notice.missing(self._address, loss.missing, loss.since, until)

    async def refused(self, kind: str, reason: str) -> None:
        """Tell what only a person can mend, unless the outbox has done so."""
        words = notice.refused if kind == "credentials" else notice.unpaid
        alarm = REFUSALS[kind]
        try:
            if not await self._alarms.raised(alarm):
                await self._alarms.begin(alarm, INBOX_KEY, words(self._address, reason))
        except StoreFailed as error:
            log.error("alarm_store_failed", account=self._alarms.account, reason=str(error))

    async def failed(self, reason: str) -> None:
        """The inbox could not be read: tell of it if that has lasted."""
        now = self._clock.now()
        self._failing_since = self._failing_since or now
        if now - self._failing_since < OUT_OF_REACH:
            return
        words = notice.out_of_reach(self._address, self._failing_since, reason)
        try:
            await self._alarms.begin(AlarmKind.READING, INBOX_KEY, words)
        except StoreFailed as error:
            log.error("alarm_store_failed", account=self._alarms.account, reason=str(error))

    async def may_not_delete(self, reason: str) -> None:
        """Tell that the API does not allow deletions."""
        words = notice.may_not_delete(self._address, reason)
        if await self._alarms.begin(AlarmKind.DELETION, NOT_ALLOWED, words):
            log.error("deletions_forbidden", account=self._alarms.account, reason=reason)

    async def may_delete(self) -> None:
        """It did allow one."""
        await self._alarms.end(AlarmKind.DELETION, NOT_ALLOWED)

    async def clears(self, rows: int, month: datetime, *, is_lately: bool) -> None:
        """Tell of what goes by the settings: once, then with figures from day to day.

        Args:
            rows: how many went this month.
            month: its begin.
            is_lately: whether any went within ``QUIET``; else it is over.
        """
        is_raised = bool(await self._alarms.raised(AlarmKind.CLEARING))
        words = notice.cleared(self._address, rows, month)
        if is_lately and is_raised:
            await self._alarms.update(AlarmKind.CLEARING, "", words, QUIET)
        elif is_lately:
            await self._alarms.begin(AlarmKind.CLEARING, "", words)
        elif is_raised:
            await self._alarms.end(AlarmKind.CLEARING, "")

    async def used(self, use: Use, mail: Volume | None) -> None:
        """Tell of the day's requests if they are used up; what was told of another day ends.

        Args:
            use: what became of them.
            mail: what a day brings; None if they are not used up.
        """
        today = use.day.isoformat()
        try:
            raised = await self._alarms.raised(AlarmKind.REQUESTS)
            for kind, key in raised:
                if key != today:
                    await self._alarms.end(kind, key)
            if mail is not None:
                words = notice.used_up(self._address, use, forecast(mail, use.per_day))
                await self._set(raised, AlarmKind.REQUESTS, today, words)
        except StoreFailed as error:
            log.error("alarm_store_failed", account=self._alarms.account, reason=str(error))

    async def _set(
        self,
        raised: Collection[tuple[AlarmKind, str]],
        kind: AlarmKind,
        key: str,
        words: Notice | None,
    ) -> None:
        is_raised = (kind, key) in raised
        if words is not None and not is_raised:
            await self._alarms.begin(kind, key, words)
        elif words is not None:
            await self._alarms.update(kind, key, words)
        elif is_raised:
            await self._alarms.end(kind, key)
