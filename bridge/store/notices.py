"""Notices in the store: what a person was told on a day, singly and together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bridge.model import AccountId, ContentId


@dataclass(frozen=True, slots=True)
class NoticeDay:
    """What an account's INBOX was told on a day in Rome.

    ``singly`` counts notices in a message of their own, ``of_messages`` those of them about one
    message each. ``content`` is the collected message, written ``writes`` times, last at
    ``written_at``, and to be written again at ``due_at``; None if not.
    """

    account: AccountId
    day: date
    singly: int = 0
    of_messages: int = 0
    writes: int = 0
    written_at: datetime | None = None
    due_at: datetime | None = None
    content: ContentId | None = None


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice that the collected message of ``day`` lists as ``line``.

    ``is_over`` if it is an alarm that has ended.
    """

    account: AccountId
    day: date
    kind: str
    key: str
    line: str
    at: datetime
    is_over: bool = False


class NoticeReads(Protocol):
    """What can be asked."""

    async def notice_day(self, account: AccountId, day: date) -> NoticeDay | None:
        """Return what was told on a day, None if nothing was."""

    async def notice_days_due(self, now: datetime, latest: datetime) -> Sequence[NoticeDay]:
        """Return the days whose collected message is to be written by now.

        So is one that is due after ``latest``: its time was set by a clock that ran ahead.
        """

    async def has_notice(self, account: AccountId, day: date, kind: str, key: str) -> bool:
        """Tell whether the collected message of a day lists a notice.

        Args:
            account: whose it is.
            day: in Europe/Rome.
            kind: one of the kinds of alarms, as the store writes it.
            key: tells alarms of one kind apart.
        """

    async def notices(self, account: AccountId, day: date) -> Sequence[NoticeRow]:
        """Return what the collected message of a day lists, oldest first."""


class NoticeWrites(Protocol):
    """What can be changed."""

    async def keep_notice_day(self, day: NoticeDay) -> None:
        """Write down what was told on a day, in place of what was."""

    async def add_notice(self, notice: NoticeRow) -> None:
        """Add a notice to a day's, in place of the same one told before on that day."""

    async def drop_notices(self, account: AccountId, before: date) -> None:
        """Forget what was told before a day; what is yet to be told stays."""
