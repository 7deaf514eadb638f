"""STORE (RFC 3501 §6.4.6), also where messages were not changed since (RFC 7162 §3.1.3)."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.imap.commands import Store
from bridge.imap.sequence import format_numbers
from bridge.imapserver.commands.flags import tell_ignored, wanted_flags
from bridge.imapserver.commands.numbers import uids_of
from bridge.imapserver.reply import No
from bridge.imapserver.session import Session
from bridge.mailbox import FlagChange, FlagsOutcome
from bridge.model import ModSeq, Uid, is_reserved

HOW = {"": FlagChange.REPLACE, "+": FlagChange.ADD, "-": FlagChange.REMOVE}


YIELD_LINES = 512


async def store(session: Session, command: Store) -> str | None:
    """STORE: answers for what it changed itself, so that it is told once."""
    selected = session.writable
    if command.unchanged_since is not None:
        session.enable_condstore()
    wanted = wanted_flags(command.flags)
    uids = uids_of(session, command.numbers, uid=command.uid)
    if not uids:
        return None
    since = None if command.unchanged_since is None else ModSeq(command.unchanged_since)
    outcome = await session.services.mailboxes.change_flags(
        selected.mailbox.id, uids, HOW[command.sign], wanted.flags, since
    )
    selected.view.forget_flags(outcome.modseq)
    session.tell_keywords()
    tell_ignored(session, wanted.reserved)
    await _answer_store(session, command, uids, outcome, told_flags=bool(wanted.reserved))
    if len(outcome.missing) == len(uids) and not (command.uid or command.silent):
        # RFC 2180 §4.2.2; in words by which ImapTest knows that this is no failure
        raise No("the messages have been deleted meanwhile", "EXPUNGEISSUED")
    if outcome.conflicts:
        listed = [
            uid if command.uid else selected.view.number(uid) or 0 for uid in outcome.conflicts
        ]
        return f"[MODIFIED {format_numbers(listed)}] some were changed meanwhile"
    if outcome.missing and not command.uid:
        return "[EXPUNGEISSUED] some messages were expunged meanwhile"
    return None


async def _answer_store(
    session: Session, command: Store, uids: list[Uid], outcome: FlagsOutcome, *, told_flags: bool
) -> None:
    """Tell what the flags are now; with SILENT where they are not what the client must think."""
    untouched = {*outcome.conflicts, *outcome.missing}
    for start in range(0, len(uids), YIELD_LINES):
        if start:
            await session.output.give_way()
        told = [uid for uid in uids[start : start + YIELD_LINES] if uid not in untouched]
        session.send(b"".join(_stored_lines(session, command, told, outcome, told_flags)))


def _stored_lines(
    session: Session, command: Store, uids: list[Uid], outcome: FlagsOutcome, told_flags: bool
) -> Iterator[bytes]:
    view, index = session.open.view, session.open.view.index
    replaces = command.sign == ""
    for uid in uids:
        number, position = view.number(uid), index.position(uid)
        if number is None or position is None:
            continue
        modseq, held = index.modseqs[position], index.flags[position]
        keeps = replaces and any(map(is_reserved, held))
        if not command.silent or told_flags or keeps:
            flags = session.flags_of(uid, held)
            yield view.flags_line(number, uid, flags, modseq, uid_too=command.uid)
        elif view.condstore and uid in outcome.changed:
            yield b"* %d FETCH (UID %d MODSEQ (%d))\r\n" % (number, uid, modseq)
