"""The account's mailboxes: CREATE, DELETE, RENAME, SUBSCRIBE, STATUS, NAMESPACE, QUOTA.

RFC 3501 §6.3; RFC 2342; RFC 6154 §3 (CREATE-SPECIAL-USE); RFC 8438; RFC 8474; RFC 9208.
"""

from __future__ import annotations

from bisect import bisect_left

from bridge.imap import responses
from bridge.imap.commands import (
    Create,
    Delete,
    GetQuota,
    GetQuotaRoot,
    Plain,
    Rename,
    Status,
    Subscribe,
)
from bridge.imap.mailboxname import DELIMITER, spelled_otherwise
from bridge.imapserver.commands.selecting import mailbox_id
from bridge.imapserver.reply import No
from bridge.imapserver.session import Session
from bridge.mailbox import MailboxIndex, hierarchy
from bridge.model import Mailbox, SpecialUse, Uid

QUOTA_ROOT = b'"account"'


def tell_spelling(session: Session, written: str, name: str) -> None:
    """Say under which name goes what the client spelled otherwise (RFC 9051 §6.3.9.7)."""
    written = written.removesuffix(DELIMITER)
    if "IMAP4REV2" in session.enabled and spelled_otherwise(written):
        session.send(responses.renamed(name, written, utf8=session.utf8))


async def create(session: Session, command: Create) -> str | None:
    """CREATE, with the levels above where they are missing."""
    use = _special_use(command.special_use)
    mailboxes = session.services.mailboxes
    mailbox = await hierarchy.create(mailboxes, session.owner, command.mailbox, use)
    tell_spelling(session, command.written, mailbox.name)
    return f"[MAILBOXID ({mailbox_id(mailbox.id).decode()})] created"


def _special_use(written: tuple[str, ...]) -> SpecialUse | None:
    if not written:
        return None
    known = {use.value.casefold(): use for use in SpecialUse}
    use = known.get(written[0].casefold())
    if use is None or len(written) > 1:
        raise No("that special use can't be given to a new mailbox", "USEATTR")
    return use


async def delete(session: Session, command: Delete) -> str | None:
    """DELETE: a mailbox with others below it goes too, they stay (RFC 9051 §6.3.5)."""
    mailboxes = session.services.mailboxes
    mailbox = await hierarchy.delete(mailboxes, session.owner, command.mailbox)
    if session.selected is not None and session.selected.mailbox.id == mailbox.id:
        await session.deselect()
    return None


async def rename(session: Session, command: Rename) -> str | None:
    """RENAME, with what is below; INBOX's messages move to the new one (RFC 3501 §6.3.5)."""
    mailboxes = session.services.mailboxes
    await hierarchy.rename(mailboxes, session.owner, command.old, command.new)
    tell_spelling(session, command.written, command.new.removesuffix(DELIMITER))
    return None


async def subscribe(session: Session, command: Subscribe) -> str | None:
    """SUBSCRIBE and UNSUBSCRIBE; what can be no mailbox's name may only be dropped."""
    change = hierarchy.subscribe if command.on else hierarchy.unsubscribe
    await change(session.services.mailboxes, session.owner, command.mailbox)
    return None


async def status(session: Session, command: Status) -> str | None:
    """STATUS."""
    mailbox = await session.mailbox(command.mailbox)
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


async def namespace(session: Session, command: Plain) -> str | None:
    """NAMESPACE: one, personal."""
    session.send(b'* NAMESPACE (("" "/")) NIL NIL\r\n')
    return None


async def get_quota(session: Session, command: GetQuota) -> str | None:
    """GETQUOTA."""
    if command.root != "account":
        raise No("no such quota root", "NONEXISTENT")
    await _send_quota(session)
    return None


async def get_quota_root(session: Session, command: GetQuotaRoot) -> str | None:
    """GETQUOTAROOT."""
    await session.mailbox(command.mailbox)
    name = responses.mailbox(command.mailbox, utf8=session.utf8)
    session.send(b"* QUOTAROOT " + name + b" " + QUOTA_ROOT + b"\r\n")
    await _send_quota(session)
    return None


async def _send_quota(session: Session) -> None:
    provider = session.services.quota
    figures = await provider.quota(session.owner) if provider else None
    resources = b""
    if figures is not None and figures.limit_bytes is not None:  # in KiB (RFC 9208 §5.1)
        used, limit = -(-figures.used_bytes // 1024), figures.limit_bytes // 1024
        resources = b"STORAGE %d %d" % (used, limit)
    session.send(b"* QUOTA " + QUOTA_ROOT + b" (" + resources + b")\r\n")
