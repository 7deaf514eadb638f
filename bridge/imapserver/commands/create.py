"""CREATE, DELETE and RENAME: what a client asks of ``mailbox.hierarchy``.

RFC 3501 §6.3.3 to §6.3.5; RFC 6154 §3 (CREATE-SPECIAL-USE); RFC 8474 §4 (MAILBOXID).
"""

from __future__ import annotations

from bridge.imap.commands import Create, Delete, Rename
from bridge.imap.mailboxname import DELIMITER
from bridge.imapserver.commands.select import mailbox_id
from bridge.imapserver.commands.spelling import tell_spelling
from bridge.imapserver.reply import No
from bridge.imapserver.session import Session
from bridge.mailbox import hierarchy
from bridge.model import SpecialUse


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
