"""What alarms and notices are about."""

from __future__ import annotations

from enum import Enum

REFUSED = "refused"
"""The kind of a notice that is no alarm: the bounce of a message that was not sent."""


class AlarmKind(Enum):
    """What an alarm is about; sending, receipts, reading, what runs out, then the machine."""

    UNCERTAIN = "uncertain"
    RESTORED = "restored"
    WAITING = "waiting"
    CREDENTIALS = "credentials"
    PAYMENT = "payment"
    PLAN = "plan"
    REVOKED = "revoked"
    CODE_TWICE = "code-twice"
    CONTRADICTED = "contradicted"
    NOT_ACCEPTED = "not-accepted"
    OPEN_12H = "open-12h"
    OPEN_26H = "open-26h"
    UNSEEN = "unseen"
    FAILURE = "failure"
    ANOMALY = "anomaly"
    QUOTA = "quota"
    READING = "reading"
    REQUESTS = "requests"
    DELETION = "deletion"
    CLEARING = "clearing"
    TOKEN_EXPIRY = "token-expiry"  # noqa: S105 - a name
    MAILBOX_EXPIRY = "mailbox-expiry"
    CREDIT = "credit"
    SUBSCRIPTION = "subscription"
    NOT_CERTIFIED = "not-certified"
    DISK = "disk"
    CLOCK = "clock"


OF_MESSAGES: frozenset[str] = frozenset(
    {
        REFUSED,
        AlarmKind.UNCERTAIN.value,
        AlarmKind.REVOKED.value,
        AlarmKind.CODE_TWICE.value,
        AlarmKind.CONTRADICTED.value,
        AlarmKind.NOT_ACCEPTED.value,
        AlarmKind.OPEN_12H.value,
        AlarmKind.OPEN_26H.value,
        AlarmKind.FAILURE.value,
        AlarmKind.ANOMALY.value,
        AlarmKind.DELETION.value,
        AlarmKind.NOT_CERTIFIED.value,
    }
)
"""Kinds of which there is one for each message: of these there may be thousands on a day."""
