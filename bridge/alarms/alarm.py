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
    alarm_message,
    day_in_rome,
    in_inbox,
    mark_of,
    may_be_told,
    show,
    tell,
    tell_again,
)
from bridge.alarms.words import Alarm, entry_of
from bridge.language import said_by
from bridge.mailbox import MailboxTransaction
from bridge.mime.row.address import one_line
from bridge.model import AccountId, QueueId
from bridge.store.events import EventKind, NewEvent
from bridge.store.notices import NoticeRow

log = structlog.get_logger()

WRITTEN_ANEW = timedelta(hours=3)
"""How long the message of an alarm stands before newer figures take its place."""


async def raise_alarm(mtx: MailboxTransaction, alarm: Alarm, now: datetime) -> bool:
    """Raise an alarm unless that kind and key is raised already; tells whether it was new.

    What might end the subject early is taken out of it.
    """
    subject = one_line(alarm.notice.subject)
    account, kind, key = alarm.account, alarm.kind.value, alarm.key
    if not await mtx.tx.add_alarm(account, kind, key, subject, now):
        return False
    submission = _concerned(key)
    about = {} if submission is None else {"id": submission}
    mtx.told.append(partial(log.warning, "alarm", account=account, kind=kind, key=key, **about))
    await mtx.tx.add_event(
        NewEvent(now, account, EventKind.ALARM, submission, detail=kind, alarm_key=key)
    )
    if alarm.is_quiet:
        return True
    detail = said_by(alarm.notice.detail, mtx.voice.language)
    line = one_line(detail or subject.partition(": ")[2] or subject)
    row = NoticeRow(account, day_in_rome(now), kind, key, line, now)
    content = await tell(mtx, row, alarm_message(alarm, now, mtx.voice))
    if content is not None:
        await mtx.tx.keep_alarm_notice(account, kind, key, content, now)
    return True


async def update_alarm(
    mtx: MailboxTransaction, alarm: Alarm, now: datetime, apart: timedelta = WRITTEN_ANEW
) -> None:
    """Let an alarm that is raised say what is so now.

    The row says it at once. The message in INBOX gives way to a new one now and then, if it still
    stands there and the day's notices allow for it.

    Args:
        mtx: the commit to join.
        alarm: what is so now.
        now: the time, aware.
        apart: how long the message stands at least.
    """
    subject = one_line(alarm.notice.subject)
    account, kind, key = alarm.account, alarm.kind.value, alarm.key
    row = await mtx.tx.alarm(account, kind, key)
    if row is None or row.cleared_at is not None or row.text == subject:
        return
    await mtx.tx.renew_alarm(account, kind, key, subject)
    content, told_at = row.notice, row.told_at
    if content is None or told_at is None or now - told_at < apart:
        return
    if not await in_inbox(mtx, account, content) or not await may_be_told(mtx, account, now):
        return
    raw, flags = alarm_message(alarm, now, mtx.voice), mark_of(mtx.voice)
    new = await show(mtx, account, raw, now, instead_of=content, flags=flags)
    if new is not None:
        await mtx.tx.keep_alarm_notice(account, kind, key, new, now)


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
    await mtx.tx.add_event(
        NewEvent(
            now,
            account,
            EventKind.ALARM_ENDED,
            _concerned(key),
            detail=kind.value,
            alarm_key=key,
        )
    )
    await tell_again(mtx, account, kind.value, key, now)
    return True


def _concerned(key: str) -> QueueId | None:
    """Return the message that an alarm is about, None if it is about no single one."""
    entry = entry_of(key)
    return None if entry is None else QueueId(entry)
