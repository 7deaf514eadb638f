"""STATUS (RFC 3501 §6.3.10; RFC 8438, 8474), also as LIST and NOTIFY tell it."""

from __future__ import annotations

from bisect import bisect_left

from bridge.imap import responses
from bridge.imap.commands import Status
from bridge.imapserver.commands.select import mailbox_id
from bridge.imapserver.session import Session
from bridge.mailbox import MailboxIndex
from bridge.model import Mailbox, Uid


async def status(session: Session, command: Status) -> str | None:
    """STATUS."""
    mailbox = await session.mailbox_now(command.mailbox)
    if "HIGHESTMODSEQ" in command.items:
        session.enable_condstore()
    session.send(await status_line(session, mailbox, command.items))
    return None


async def status_line(session: Session, mailbox: Mailbox, items: tuple[str, ...]) -> bytes:
    """Return the STATUS line of a mailbox (RFC 3501 §7.2.4)."""
    index = await session.services.mailboxes.index(mailbox.id)
    recent = 0
    if "RECENT" in items:
        claims = session.services.recent
        first = await claims.claim(session.services.mailboxes, mailbox.id, Uid(0), read_only=True)
        recent = len(index) - bisect_left(index.uids, first)
    shown = " ".join(f"{item} {_item(session, mailbox, index, item, recent)}" for item in items)
    name = responses.mailbox(mailbox.name, utf8=session.utf8)
    return b"* STATUS " + name + b" (" + shown.encode() + b")\r\n"


def _item(
    session: Session, mailbox: Mailbox, index: MailboxIndex, item: str, recent: int
) -> int | str:
    match item:
        case "MESSAGES":
            return len(index)
        case "RECENT":
            return recent
        case "UIDNEXT":
            return index.uid_next
        case "UIDVALIDITY":
            return mailbox.uid_validity
        case "UNSEEN":
            return index.unseen
        case "DELETED":
            return index.deleted
        case "SIZE":
            return index.size_bytes
        case "HIGHESTMODSEQ":
            return index.highest_modseq
        case "MAILBOXID":
            return f"({mailbox_id(mailbox.id).decode()})"
        case _:
            return session.services.append_limit_bytes
