"""Alarms: what a person has to look at, told once.

An alarm is a row (so that it is told once, and ``status`` can show it), a message in INBOX in the
same commit with what caused it, and a line in the log once that is done. Texts are the caller's;
the log names no subject, for that is confidential.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from email.utils import format_datetime
from enum import Enum
from functools import partial

import structlog

from bridge.clock import ROME
from bridge.mailbox import MailboxTransaction
from bridge.mime.ingest import ingest
from bridge.mime.row.address import Person, one_line
from bridge.mime.row.body import Body, Form
from bridge.mime.write.compose import DOMAIN
from bridge.mime.write.header import address_field, text_field, thread_fields, token_field
from bridge.mime.write.note import RULE
from bridge.mime.write.part import text_part
from bridge.model import INBOX, AccountId

log = structlog.get_logger()

SENDER = Person("pec-bridge", f"pec-bridge@{DOMAIN}")


class AlarmKind(Enum):
    """What an alarm is about; sending, then receipts, then reading, then what runs out."""

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
    FAILURE = "failure"
    ANOMALY = "anomaly"
    QUOTA = "quota"
    READING = "reading"
    REQUESTS = "requests"
    DELETION = "deletion"
    TOKEN_EXPIRY = "token-expiry"  # noqa: S105 - a name
    MAILBOX_EXPIRY = "mailbox-expiry"
    CREDIT = "credit"
    NOT_CERTIFIED = "not-certified"


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
    """
    subject = one_line(subject)
    if not await mtx.tx.add_alarm(account, kind.value, key, subject, now):
        return False
    mtx.told.append(partial(log.warning, "alarm", account=account, kind=kind.value, key=key))
    message = ingest(_message(account, kind, key, subject, (italian, english), now, answers))
    for mailbox in await mtx.tx.mailboxes(account):
        if mailbox.name == INBOX:
            await mtx.append(mailbox.id, message, frozenset(), now)
    return True


def _message(
    account: AccountId,
    kind: AlarmKind,
    key: str,
    subject: str,
    texts: tuple[str, str],
    now: datetime,
    answers: str,
) -> bytes:
    name = hashlib.sha256(f"{account} {key} {now.isoformat()}".encode()).hexdigest()
    body = text_part(Body(Form.TEXT, f"\n\n{RULE}\n\n".join(texts), b""), "")
    fields = [
        token_field("Date", format_datetime(now.astimezone(ROME))),
        address_field("From", [SENDER]),
        text_field("Subject", subject),
        token_field("Message-ID", f"<alarm.{kind.value}.{name[:24]}@{DOMAIN}>"),
        *thread_fields(answers),
        token_field("Auto-Submitted", "auto-generated"),
        token_field("MIME-Version", "1.0"),
    ]
    return b"".join([*fields, body.header, b"\r\n", body.content])


async def clear_alarm(
    mtx: MailboxTransaction, account: AccountId, kind: AlarmKind, key: str, now: datetime
) -> bool:
    """End an alarm; False if there was none."""
    return await mtx.tx.clear_alarm(account, kind.value, key, now)
