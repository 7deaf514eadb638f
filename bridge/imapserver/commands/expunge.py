"""EXPUNGE (RFC 3501 §6.4.3) and UID EXPUNGE (RFC 4315 §2.1)."""

from __future__ import annotations

from bridge.imap.commands import Expunge, Plain
from bridge.imapserver.commands.numbers import uids_of
from bridge.imapserver.commands.select import deleted_uids
from bridge.imapserver.session import Session


async def expunge(session: Session, command: Expunge | Plain) -> str | None:
    r"""EXPUNGE and UID EXPUNGE: what is ``\\Deleted`` goes for good."""
    selected = session.writable
    await session.look()
    uids = deleted_uids(selected)
    if isinstance(command, Expunge) and command.uids is not None:
        wanted = set(uids_of(session, command.uids, uid=True))
        uids = [uid for uid in uids if uid in wanted]
    await session.services.mailboxes.expunge_deleted(selected.mailbox.id, uids)
    if "QRESYNC" in session.enabled and uids:
        session.tell_changes(allow_expunge=True)
        return f"[HIGHESTMODSEQ {selected.view.index.highest_modseq}] expunged"
    return None
