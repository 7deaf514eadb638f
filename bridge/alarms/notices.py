"""What is told in a message of its own, and what in the day's collected one.

A person reads twenty notices a day at the most. So on each day (in Rome) an account's first ones
are told by a message each; from then on what comes is written down, and ``collector`` puts all of
the day into one message, which it writes anew as there is more to say: less and less often, ten
times a day at the most. Nothing is left out of it. Notices of the account as a whole have some of
the room kept for them, however many messages there is something to say about.

What is told, and that it is to be told, is in the commit of what caused it.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, datetime, timedelta
from email.utils import format_datetime

from bridge.alarms.kind import OF_MESSAGES
from bridge.alarms.words import Alarm
from bridge.clock import ROME, Backoff
from bridge.language import Title, Voice, rendered
from bridge.mailbox import MailboxTransaction
from bridge.mime.ingest import Ingested, ingest
from bridge.mime.row.address import Person, one_line
from bridge.mime.row.body import Body, Form
from bridge.mime.write.compose import DOMAIN
from bridge.mime.write.header import address_field, text_field, thread_fields, token_field
from bridge.mime.write.note import RULE
from bridge.mime.write.part import text_part
from bridge.model import FLAGGED, INBOX, AccountId, ContentId, Flags, MailboxId, Uid
from bridge.store.notices import NoticeDay, NoticeRow

SENDER = Person("pec-bridge", f"pec-bridge@{DOMAIN}")
BETWEEN = f"\n\n{RULE}\n\n"
"""Between the Italian text and the English."""

MOST_SINGLY = 9
"""Messages of their own that a day's notices get; the collected one is written ten times more, and
yesterday's once after midnight."""

MOST_OF_MESSAGES = 6
"""How many of these may be about one sent or received message each."""

FIRST_AFTER = timedelta(minutes=5)
LAST_APART = timedelta(hours=4)
KEPT = timedelta(days=30)
"""How long it is known what was told."""


def day_in_rome(at: datetime) -> date:
    """Return the day whose notices something that happens then is one of."""
    return at.astimezone(ROME).date()


def due_at(day: NoticeDay, now: datetime) -> datetime:
    """Return when the collected message is to be written (again): later each time.

    In a day of 25 hours that is ten times at the most.
    """
    if day.written_at is None:
        return now + FIRST_AFTER
    backoff = Backoff(FIRST_AFTER.total_seconds(), LAST_APART.total_seconds())
    return max(day.written_at + timedelta(seconds=backoff.wait_s(day.writes)), now)


async def tell(mtx: MailboxTransaction, notice: NoticeRow, message: bytes) -> ContentId | None:
    """Tell something by a message in INBOX, or write down that it is to be told with the rest.

    Args:
        mtx: the commit to join.
        notice: what the collected message says of it, and when it happened; its kind is one of
            ``AlarmKind`` or ``REFUSED``.
        message: the message of its own.

    Returns:
        The message of its own; None if it has none.
    """
    account, now = notice.account, notice.at
    day = await _day(mtx, account, now)
    is_of_message = notice.kind in OF_MESSAGES
    has_room = day.singly < MOST_SINGLY
    if is_of_message:
        has_room = has_room and day.of_messages < MOST_OF_MESSAGES
    marks = mark_of(mtx.voice)
    content = await show(mtx, account, message, now, flags=marks) if has_room else None
    if has_room:
        day = replace(day, singly=day.singly + 1, of_messages=day.of_messages + int(is_of_message))
    elif day.due_at is None:
        day = replace(day, due_at=due_at(day, now))
    await mtx.tx.keep_notice_day(day)
    if is_of_message or not has_room:
        await mtx.tx.add_notice(notice)
    return content


async def may_be_told(mtx: MailboxTransaction, account: AccountId, now: datetime) -> bool:
    """Take the room of a message of its own from today's, if there is any."""
    day = await _day(mtx, account, now)
    if day.singly >= MOST_SINGLY:
        return False
    await mtx.tx.keep_notice_day(replace(day, singly=day.singly + 1))
    return True


async def tell_again(
    mtx: MailboxTransaction, account: AccountId, kind: str, key: str, now: datetime
) -> None:
    """Let today's collected message be written anew if it names a notice: that is over.

    Args:
        mtx: the commit that this joins.
        account: whose it is.
        kind: one of the kinds of alarms, as the store writes it.
        key: tells notices of one kind apart.
        now: the time, aware.
    """
    day = await mtx.tx.notice_day(account, day_in_rome(now))
    if day is None or day.written_at is None or day.due_at is not None:
        return
    if await mtx.tx.has_notice(account, day.day, kind, key):
        await mtx.tx.keep_notice_day(replace(day, due_at=due_at(day, now)))


async def _day(mtx: MailboxTransaction, account: AccountId, now: datetime) -> NoticeDay:
    today = day_in_rome(now)
    day = await mtx.tx.notice_day(account, today)
    if day is None:
        await mtx.tx.drop_notices(account, today - KEPT)
        day = NoticeDay(account, today)
    return day


# -- messages in INBOX -----------------------------------------------------------------------


async def show(
    mtx: MailboxTransaction,
    account: AccountId,
    message: bytes | Ingested,
    now: datetime,
    *,
    instead_of: ContentId | None = None,
    flags: Flags = frozenset(),
) -> ContentId | None:
    """Put a message of the bridge's own into INBOX, unseen; None if there is no INBOX.

    Args:
        mtx: the commit to join.
        account: whose INBOX.
        message: the message; taken apart already if it may be large.
        now: when.
        instead_of: one of the bridge's own that leaves INBOX for it; copies elsewhere stay.
        flags: what it is marked with from the first.
    """
    inbox = await _inbox(mtx, account)
    if inbox is None:
        return None
    if instead_of is not None:
        await mtx.expunge(inbox, await _uids(mtx, inbox, instead_of))
    made = ingest(message) if isinstance(message, bytes) else message
    return (await mtx.append(inbox, made, flags, now)).content


def mark_of(voice: Voice) -> Flags:
    """Return the flags by which notices that ask for a person stand out."""
    return frozenset({FLAGGED}) if voice.mark == "flag" else frozenset()


async def in_inbox(mtx: MailboxTransaction, account: AccountId, content: ContentId) -> bool:
    """Tell whether a message still stands in INBOX."""
    inbox = await _inbox(mtx, account)
    return inbox is not None and bool(await _uids(mtx, inbox, content))


async def _inbox(mtx: MailboxTransaction, account: AccountId) -> MailboxId | None:
    box = await mtx.tx.mailbox_named(account, INBOX)
    return None if box is None else box.id


async def _uids(mtx: MailboxTransaction, inbox: MailboxId, content: ContentId) -> list[Uid]:
    return [copy.uid for copy in await mtx.tx.copies(content) if copy.mailbox == inbox]


def both(italian: str, english: str, voice: Voice, path: str = "/") -> str:
    """Return a text in the languages that the voice speaks, with where it goes on on the page.

    Args:
        italian: the text.
        english: the same.
        voice: how the bridge's own messages are written.
        path: what of the page it is about.
    """
    italian, english = with_link(italian, english, voice, path)
    texts = {"it": (italian,), "en": (english,), "both": (italian, english)}
    return BETWEEN.join(texts[voice.language])


def with_link(italian: str, english: str, voice: Voice, path: str) -> tuple[str, str]:
    """Return both texts, each with where it goes on on the page, if there is one.

    Args:
        italian: what to say.
        english: the same.
        voice: how the bridge's own messages are written.
        path: what of the page it is about.
    """
    if not (link := voice.link(path)):
        return italian, english
    return f"{italian}\n\nSulla pagina: {link}", f"{english}\n\nOn the page: {link}"


def page_of(id: str | None) -> str:
    """Return the path of an entry on the page; the first page's for None."""
    return f"/sent/{id}" if id else "/"


def alarm_message(alarm: Alarm, now: datetime, voice: Voice) -> bytes:
    """Return the message of an alarm, in the languages that ``voice`` speaks."""
    name = hashlib.sha256(f"{alarm.account} {alarm.key} {now.isoformat()}".encode()).hexdigest()
    notice, title = alarm.notice, Title(alarm.notice.subject)
    text = both(notice.italian, notice.english, voice, page_of(alarm.entry))
    subject = voice.marked(one_line(rendered(title, voice.language)))
    return compose(f"alarm.{alarm.kind.value}.{name[:24]}", subject, text, now, alarm.answers)


def compose(name: str, subject: str, text: str, now: datetime, answers: str = "") -> bytes:
    """Return a message of the bridge's own, with ``name`` before the ``@`` of its Message-ID.

    Args:
        name: what stands before the ``@`` of its Message-ID.
        subject: in Italian and English.
        text: in Italian and English.
        now: its Date, aware.
        answers: the Message-ID that it answers, with brackets; "" for none.
    """
    body = text_part(Body(Form.TEXT, text, b""), "")
    fields = [
        token_field("Date", format_datetime(now.astimezone(ROME))),
        address_field("From", [SENDER]),
        text_field("Subject", subject),
        token_field("Message-ID", f"<{name}@{DOMAIN}>"),
        *thread_fields(answers),
        token_field("Auto-Submitted", "auto-generated"),
        token_field("MIME-Version", "1.0"),
    ]
    return b"".join([*fields, body.header, b"\r\n", body.content])
