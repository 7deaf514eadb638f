"""COPY (RFC 3501 §6.4.7) and MOVE (RFC 6851), with UIDPLUS (RFC 4315 §3)."""

from __future__ import annotations

from bridge.imap.commands import Copy
from bridge.imap.sequence import format_numbers
from bridge.imapserver.commands.numbers import uids_of
from bridge.imapserver.reply import No
from bridge.imapserver.session import Session


async def copy(session: Session, command: Copy) -> str | None:
    """COPY and MOVE."""
    selected = session.writable if command.move else session.open
    target = await session.mailbox(command.mailbox, "TRYCREATE")
    uids = uids_of(session, command.numbers, uid=command.uid)
    if not uids:
        return None
    mailboxes = session.services.mailboxes
    change = mailboxes.move if command.move else mailboxes.copy
    # By number a message is meant that the client still sees; an unknown UID is none (RFC 3501
    # §6.4.8), and what went is no more in a saved result (RFC 5182 §2.1).
    by_number = not (command.uid or command.numbers.saved)
    outcome = await change(selected.mailbox.id, uids, target, all_or_none=by_number)
    if not outcome.pairs:
        raise No("some messages were expunged meanwhile; nothing was done", "EXPUNGEISSUED")
    old = format_numbers(old for old, _ in outcome.pairs)
    new = format_numbers(new for _, new in outcome.pairs)
    code = f"[COPYUID {target.uid_validity} {old} {new}]"
    if not command.move:
        return f"{code} copied"
    session.send(f"* OK {code} moved\r\n".encode())  # before the EXPUNGEs (RFC 6851 §4.3)
    return "moved"
