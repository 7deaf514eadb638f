"""Commands that change messages: APPEND, STORE, COPY, MOVE, EXPUNGE.

RFC 3501 §6.3.11, §6.4; RFC 3502 (MULTIAPPEND), 4315 (UIDPLUS), 6851 (MOVE), 7162 §3.1.3, 7889.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bridge.imap.commands import Append, AppendMessage, Copy, Expunge, Plain, Store
from bridge.imap.sequence import SequenceSet, format_numbers
from bridge.imapserver.commands.catenate import catenated
from bridge.imapserver.commands.selecting import deleted_uids
from bridge.imapserver.reply import Bad, No
from bridge.imapserver.session import Session
from bridge.mailbox import FlagChange, FlagsOutcome
from bridge.mime.ingest import Ingested
from bridge.mime.nul import without_nul
from bridge.model import Flag, Flags, ModSeq, Uid, flag, is_reserved

HOW = {"": FlagChange.REPLACE, "+": FlagChange.ADD, "-": FlagChange.REMOVE}
YIELD_LINES = 512


@dataclass(frozen=True, slots=True)
class Wanted:
    """Flags as a client wrote them: those it may set, and those that are the bridge's."""

    flags: Flags
    reserved: Flags


def wanted_flags(written: tuple[str, ...]) -> Wanted:
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
    reserved = frozenset(filter(is_reserved, found.values()))
    return Wanted(frozenset(found.values()) - reserved, reserved)


def tell_ignored(session: Session, reserved: Flags) -> None:
    """Say that keywords of the bridge's were passed over (RFC 5530 §3 CANNOT)."""
    if reserved:
        names = ", ".join(sorted(reserved))
        session.send(f"* OK [CANNOT] {names}: only the bridge sets and clears these\r\n".encode())


def uids_of(session: Session, numbers: SequenceSet, *, uid: bool) -> list[Uid]:
    """Return the UIDs a sequence set names, as the client numbers messages."""
    view = session.open.view
    if numbers.saved:
        return [Uid(saved) for saved in session.saved if view.number(saved) is not None]
    return view.uids(view.numbers(numbers, uid=uid))


async def _prepared(
    session: Session, message: AppendMessage, flags: Flags
) -> tuple[Ingested, Flags, datetime]:
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
    return ready, flags, received_at


async def append(session: Session, command: Append) -> str | None:
    """APPEND: all of its messages or none."""
    mailbox = await session.mailbox(command.mailbox, "TRYCREATE")
    wanted = [wanted_flags(message.flags) for message in command.messages]
    prepared: list[tuple[Ingested, Flags, datetime]] = []
    for message, one in zip(command.messages, wanted, strict=True):
        if prepared:
            await session.output.drain()  # small ones are taken apart at once
        prepared.append(await _prepared(session, message, one.flags))
    rows = await session.services.mailboxes.append_many(mailbox.id, prepared)
    tell_ignored(session, frozenset().union(*(one.reserved for one in wanted)))
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
            await session.output.drain()
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


async def expunge(session: Session, command: Expunge | Plain) -> str | None:
    r"""EXPUNGE and UID EXPUNGE: what is ``\\Deleted`` goes for good."""
    selected = session.writable
    uids = deleted_uids(selected)
    if isinstance(command, Expunge) and command.uids is not None:
        wanted = set(uids_of(session, command.uids, uid=True))
        uids = [uid for uid in uids if uid in wanted]
    await session.services.mailboxes.expunge_deleted(selected.mailbox.id, uids)
    if "QRESYNC" in session.enabled and uids:
        session.tell_changes(allow_expunge=True)
        return f"[HIGHESTMODSEQ {selected.view.index.highest_modseq}] expunged"
    return None
