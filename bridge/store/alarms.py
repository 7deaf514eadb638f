"""Alarms, as the store keeps them: what was raised, is over, was told of and was seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.model import AccountId, ContentId


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm that was raised; ``key`` tells those of one kind apart.

    ``notice`` is the message of its own that told of it, at ``told_at``; None if it has none.
    ``acknowledged_at`` is when a person said that it was seen.
    """

    account: AccountId
    kind: str
    key: str
    text: str
    raised_at: datetime
    cleared_at: datetime | None
    notice: ContentId | None = None
    told_at: datetime | None = None
    acknowledged_at: datetime | None = None


class AlarmReads(Protocol):
    """What can be asked."""

    async def alarms(self, account: AccountId | None = None) -> list[AlarmRow]:
        """Return the alarms that are not cleared."""

    async def alarm(self, account: AccountId, kind: str, key: str) -> AlarmRow | None:
        """Return an alarm that is or was raised, None if there never was one."""

    async def alarm_keys(self, account: AccountId, kind: str, begin: str) -> list[str]:
        """Return the keys that begin so of the alarms of a kind that are not cleared."""


class AlarmWrites(Protocol):
    """What can be changed."""

    async def add_alarm(
        self, account: AccountId, kind: str, key: str, text: str, at: datetime
    ) -> bool:
        """Keep an alarm; False if that kind and key was raised before and is not cleared.

        Args:
            account: whose it is.
            kind: one of the kinds of alarms, as the store writes it.
            key: tells alarms of one kind apart.
            text: what is said.
            at: the time, aware.
        """

    async def clear_alarm(self, account: AccountId, kind: str, key: str, at: datetime) -> bool:
        """End an alarm; False if there was none.

        Args:
            account: whose it is.
            kind: one of the kinds of alarms, as the store writes it.
            key: tells alarms of one kind apart.
            at: the time, aware.
        """

    async def acknowledge_alarm(
        self, account: AccountId, kind: str, key: str, at: datetime
    ) -> bool:
        """Write down that a raised alarm was seen; False if it is not raised or was seen before.

        Args:
            account: whose it is.
            kind: one of the kinds of alarms, as the store writes it.
            key: tells alarms of one kind apart.
            at: when, aware.
        """

    async def renew_alarm(self, account: AccountId, kind: str, key: str, text: str) -> None:
        """Let an alarm say something else.

        Args:
            account: whose it is.
            kind: one of the kinds of alarms, as the store writes it.
            key: tells alarms of one kind apart.
            text: what is said from now on.
        """

    async def keep_alarm_notice(
        self, account: AccountId, kind: str, key: str, content: ContentId, at: datetime
    ) -> None:
        """Write down which message told of an alarm, and when.

        Args:
            account: whose it is.
            kind: one of the kinds of alarms, as the store writes it.
            key: tells alarms of one kind apart.
            content: the message that told of it.
            at: when that was, aware.
        """
