"""Alarms: what a person has to look at, told once.

An alarm is a row (so that it is told once, and ``status`` can show it), a notice in the same commit
with what caused it (see ``notices``: a message in INBOX, or a line in the day's collected one), and
a line in the log once that is done. Texts are the caller's; the log names no subject, for that is
confidential.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import structlog

from bridge.alarms.kind import AlarmKind
from bridge.alarms.notices import (
    BETWEEN,
    alarm_message,
    in_inbox,
    may_be_told,
    show,
    tell,
    tell_again,
)
from bridge.mailbox import MailboxTransaction
from bridge.mime.row.address import one_line
from bridge.model import AccountId

log = structlog.get_logger()

WRITTEN_ANEW = timedelta(hours=3)
"""How long the message of an alarm stands before newer figures take its place."""


async def raise_alarm(
    mtx: MailboxTransaction,
    account: AccountId,
    kind: AlarmKind,
    key: str,
    subject: str,
    italian: str,
    english: str,
    now: datetime,
    *,
    answers: str = "",
    detail: str = "",
) -> bool:
    """Raise an alarm unless that kind and key is raised already; tells whether it was new.

    Args:
        mtx: the commit to join.
        account: whose INBOX.
        kind: what it is about.
        key: tells alarms of one kind apart.
        subject: one line; what might end it early is taken out.
        italian: the text, and again in ``english``.
        english: see ``italian``.
        now: when.
        answers: the Message-ID of the sent message it is about, to be shown under that.
        detail: the line for it where many are told together; the end of the subject unless given.
    """
    subject = one_line(subject)
    if not await mtx.tx.add_alarm(account, kind.value, key, subject, now):
        return False
    mtx.told.append(partial(log.warning, "alarm", account=account, kind=kind.value, key=key))
    message = alarm_message(
        account, kind, key, subject, BETWEEN.join((italian, english)), now, answers
    )
    line = one_line(detail or subject.partition(": ")[2] or subject)
    content = await tell(mtx, account, kind.value, key, line, message, now)
    if content is not None:
        await mtx.tx.keep_alarm_notice(account, kind.value, key, content, now)
    return True


async def update_alarm(
    mtx: MailboxTransaction,
    account: AccountId,
    kind: AlarmKind,
    key: str,
    subject: str,
    italian: str,
    english: str,
    now: datetime,
) -> None:
    """Let an alarm that is raised say what is so now.

    The row says it at once. The message in INBOX gives way to a new one now and then, if it still
    stands there and the day's notices allow for it.

    Args:
        mtx: the commit to join.
        account: whose INBOX.
        kind: what it is about.
        key: tells alarms of one kind apart.
        subject: one line.
        italian: the text, and again in ``english``.
        english: see ``italian``.
        now: when.
    """
    subject = one_line(subject)
    alarm = await mtx.tx.alarm(account, kind.value, key)
    if alarm is None or alarm.cleared_at is not None or alarm.text == subject:
        return
    await mtx.tx.renew_alarm(account, kind.value, key, subject)
    content, told_at = alarm.notice, alarm.told_at
    if content is None or told_at is None or now - told_at < WRITTEN_ANEW:
        return
    if not await in_inbox(mtx, account, content) or not await may_be_told(mtx, account, now):
        return
    message = alarm_message(account, kind, key, subject, BETWEEN.join((italian, english)), now, "")
    new = await show(mtx, account, message, now, instead_of=content)
    if new is not None:
        await mtx.tx.keep_alarm_notice(account, kind.value, key, new, now)


async def clear_alarm(
    mtx: MailboxTransaction, account: AccountId, kind: AlarmKind, key: str, now: datetime
) -> bool:
    """End an alarm; False if there was none.

    Args:
        mtx: the commit that this joins.
        account: whose it is.
        kind: what it is about.
        key: tells alarms of one kind apart.
        now: the time, aware.
    """
    if not await mtx.tx.clear_alarm(account, kind.value, key, now):
        return False
    await tell_again(mtx, account, kind.value, key, now)
    return True
