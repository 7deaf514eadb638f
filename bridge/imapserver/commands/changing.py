"""Commands that change messages: APPEND, STORE, COPY, MOVE, EXPUNGE.

RFC 3501 §6.3.11, §6.4; RFC 3502 (MULTIAPPEND), 4315 (UIDPLUS), 6851 (MOVE), 7162 §3.1.3, 7889.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime

from bridge.imap.commands import Append, AppendMessage, Copy, Expunge, Plain, Store
from bridge.imap.sequence import SequenceSet, format_numbers
from bridge.imapserver.commands.catenate import catenated
from bridge.imapserver.commands.selecting import deleted_uids, expunge_deleted
from bridge.imapserver.reply import Bad, No
from bridge.imapserver.session import Session
from bridge.mailbox import FlagChange, FlagsOutcome
from bridge.mime.ingest import Ingested
from bridge.mime.nul import without_nul
from bridge.model import Flag, Flags, ModSeq, Uid, flag

HOW = {"": FlagChange.SET, "+": FlagChange.ADD, "-": FlagChange.REMOVE}
YIELD_LINES = 512


def flags_of(written: tuple[str, ...]) -> Flags:
    r"""Return flags as written, ``\\Recent`` left out: only the server sets it."""
    found: dict[str, Flag] = {}
    for name in written:
        if name.casefold() == "\\recent":
            continue
        try:
            value = flag(name)
        except ValueError:
            raise Bad(f"{name} is not a flag") from None
        found.setdefault(value.casefold(), value)
    return frozenset(found.values())


def uids_of(session: Session, numbers: SequenceSet, *, uid: bool) -> list[Uid]:
    """Return the UIDs a sequence set names, as the client numbers messages."""
    view = session.open.view
    if numbers.saved:
        return [Uid(saved) for saved in session.saved if view.number(saved) is not None]
    return view.uids(view.numbers(numbers, uid=uid))


async def _prepared(session: Session, message: AppendMessage) -> tuple[Ingested, Flags, datetime]:
    """Return a message ready to be added, or say why it can't be."""
    limit, text = session.services.append_limit_bytes, message.text
    if message.parts:
        text = await catenated(session, message.parts)
    if len(text) > limit:
        raise No(f"a message has at most {limit} bytes", "TOOBIG")
    if not text:
        raise No("a message can't be empty")
    if b"\0" in text:
        written = await asyncio.to_thread(without_nul, text) if message.binary else None
        if written is None:
            raise No("a NUL is allowed in a literal8 only, in a binary part", "UNKNOWN-CTE")
        text = written
    ready = await session.services.mailboxes.prepare(text)
    received_at = message.internal_date or session.services.clock.now()
    return ready, flags_of(message.flags), received_at


async def append(session: Session, command: Append) -> str | None:
    """APPEND: all of its messages or none."""
    mailbox = await session.mailbox(command.mailbox, "TRYCREATE")
    prepared = [await _prepared(session, message) for message in command.messages]
    rows = await session.services.mailboxes.append_many(mailbox.id, prepared)
    uids = (
        ",".join(str(row.uid) for row in rows)
        if len(rows) == 1
        else format_numbers(sorted({row.uid for row in rows}))
    )
    return f"[APPENDUID {mailbox.uid_validity} {uids}] appended"


async def store(session: Session, command: Store) -> str | None:
    """STORE: answers for what it changed itself, so that it is told once."""
    selected = session.writable
    if command.unchanged_since is not None:
        session.enable_condstore()
    flags = flags_of(command.flags)
    uids = uids_of(session, command.numbers, uid=command.uid)
    if not uids:
        return None
    since = None if command.unchanged_since is None else ModSeq(command.unchanged_since)
    outcome = await session.services.mailboxes.change_flags(
        selected.mailbox.id, uids, HOW[command.sign], flags, since
    )
    selected.view.forget_flags(outcome.modseq)
    session.tell_keywords()
    await _answer_store(session, command, uids, outcome)
    if outcome.conflicts:
        listed = [
            uid if command.uid else selected.view.number(uid) or 0 for uid in outcome.conflicts
        ]
        return f"[MODIFIED {format_numbers(listed)}] some were changed meanwhile"
    if outcome.missing and not command.uid:
        return "[EXPUNGEISSUED] some messages were expunged meanwhile"
    return None


async def _answer_store(
    session: Session, command: Store, uids: list[Uid], outcome: FlagsOutcome
) -> None:
    if command.silent and not session.open.view.condstore:
        return
    untouched = {*outcome.conflicts, *outcome.missing}
    for start in range(0, len(uids), YIELD_LINES):
        if start:
            await session.output.drain()
        told = [uid for uid in uids[start : start + YIELD_LINES] if uid not in untouched]
        session.send(b"".join(_stored_lines(session, command, told, outcome)))


def _stored_lines(
    session: Session, command: Store, uids: list[Uid], outcome: FlagsOutcome
) -> Iterator[bytes]:
    view, index = session.open.view, session.open.view.index
    for uid in uids:
        number, position = view.number(uid), index.position(uid)
        if number is None or position is None:
            continue
        modseq = index.modseqs[position]
        if not command.silent:
            flags = session.flags_of(uid, index.flags[position])
            yield view.flags_line(number, uid, flags, modseq, uid_too=command.uid)
        elif uid in outcome.changed:
            shown = b"UID %d " % uid if command.uid or view.qresync else b""
            yield b"* %d FETCH (%bMODSEQ (%d))\r\n" % (number, shown, modseq)


async def copy(session: Session, command: Copy) -> str | None:
    """COPY and MOVE."""
    selected = session.writable if command.move else session.open
    target = await session.mailbox(command.mailbox, "TRYCREATE")
    uids = uids_of(session, command.numbers, uid=command.uid)
    if not uids:
        return None
    mailboxes = session.services.mailboxes
    change = mailboxes.move if command.move else mailboxes.copy
    outcome = await change(selected.mailbox.id, uids, target)
    if not outcome.pairs:
        raise No("the messages were expunged meanwhile", "EXPUNGEISSUED")
    old = format_numbers(old for old, _ in outcome.pairs)
    new = format_numbers(new for _, new in outcome.pairs)
    code = f"[COPYUID {target.uid_validity} {old} {new}]"
    if not command.move:
        return f"{code} copied"
    session.send(f"* OK {code} moved\r\n".encode())  # before the EXPUNGEs (RFC 6851 §4.3)
    return "moved"


async def expunge(session: Session, command: Expunge | Plain) -> str | None:
    r"""EXPUNGE and UID EXPUNGE: what is ``\\Deleted`` goes for good."""
    selected = session.writable
    uids = deleted_uids(selected)
    if isinstance(command, Expunge) and command.uids is not None:
        wanted = set(uids_of(session, command.uids, uid=True))
        uids = [uid for uid in uids if uid in wanted]
    await expunge_deleted(session, selected, uids)
    if "QRESYNC" in session.enabled and uids:
        session.tell_changes(allow_expunge=True)
        return f"[HIGHESTMODSEQ {selected.view.index.highest_modseq}] expunged"
    return None
