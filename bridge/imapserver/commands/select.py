"""Opening and closing a mailbox: SELECT, EXAMINE, CLOSE, UNSELECT.

RFC 3501 §6.3.1, §6.4.2; RFC 3691 (UNSELECT); RFC 7162 §3.2.5 (QRESYNC).
"""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter

from bridge.imap import responses
from bridge.imap.commands import Plain, QResync, Select
from bridge.imap.mailboxname import spelled_otherwise
from bridge.imap.sequence import SequenceSet
from bridge.imapserver.pace import CommandShare
from bridge.imapserver.reply import Bad
from bridge.imapserver.selected import Selected, flag_lines
from bridge.imapserver.session import Session
from bridge.imapserver.view import columns_of
from bridge.model import DELETED, ModSeq, Uid


async def select(session: Session, command: Select) -> str | None:
    """SELECT and EXAMINE; one that fails has closed the open mailbox too (RFC 3501 §6.3.1)."""
    if command.qresync is not None and "QRESYNC" not in session.enabled:
        raise Bad("ENABLE QRESYNC first")
    if session.selected is not None:
        await session.deselect()
        # RFC 7162 §3.2.11; it needs no ENABLE: whoever does not know the code reads past it
        session.send(b"* OK [CLOSED] the previous mailbox is closed\r\n")
    mailbox = await session.mailbox_now(command.mailbox)
    if command.condstore:
        session.enable_condstore()
    selected = await session.select(mailbox, read_only=command.read_only)
    session.send(b"".join(_state_lines(session, selected, command.written)))
    if command.qresync is not None:
        await _resynchronise(session, selected, command.qresync)
    return "[READ-ONLY] examined" if command.read_only else "[READ-WRITE] selected"


def _state_lines(session: Session, selected: Selected, written: str) -> list[bytes]:
    index, view = selected.view.index, selected.view
    lines = [
        flag_lines(selected),
        b"* %d EXISTS\r\n" % len(view),
    ]
    if session.shows_recent:
        lines.append(b"* %d RECENT\r\n" % len(selected.recent))
        unseen = _first_unseen(selected)
        if unseen:
            lines.append(b"* OK [UNSEEN %d] the first unseen message\r\n" % unseen)
    else:
        lines.append(_list_line(session, selected, written))
    lines += [
        b"* OK [UIDVALIDITY %d] UIDs are valid\r\n" % selected.mailbox.uid_validity,
        b"* OK [UIDNEXT %d] the next UID\r\n" % index.uid_next,
        b"* OK [HIGHESTMODSEQ %d] the highest\r\n" % index.highest_modseq,
        b"* OK [MAILBOXID (%b)] the mailbox's id\r\n" % mailbox_id(selected.mailbox.id),
    ]
    return lines


def _list_line(session: Session, selected: Selected, written: str) -> bytes:
    name = selected.mailbox.name
    if spelled_otherwise(written):
        return responses.renamed(name, written, utf8=session.utf8)
    return responses.listing("LIST", (), responses.mailbox(name, utf8=session.utf8))


def mailbox_id(number: int) -> bytes:
    """Return MAILBOXID (RFC 8474 §4)."""
    return b"F%d" % number


def _first_unseen(selected: Selected) -> int:
    if not selected.view.index.unseen:
        return 0
    flags = selected.view.index.flags
    return next((at + 1 for at, held in enumerate(flags) if "\\Seen" not in held), 0)


async def _resynchronise(session: Session, selected: Selected, qresync: QResync) -> None:
    if qresync.uid_validity != selected.mailbox.uid_validity:
        return
    known = qresync.known_uids
    gone = await vanished_since(session, selected, ModSeq(qresync.modseq), known)
    if gone:
        session.send(responses.vanished(gone, earlier=True))
    view, index = selected.view, selected.view.index
    spans = known.resolve(view.largest_uid) if known else None
    pace = CommandShare(session.output)
    columns = columns_of(index)
    for at, modseq in enumerate(columns.modseqs[: len(view)]):
        await pace.spend(4)
        uid = columns.uids[at]
        if modseq > qresync.modseq and (spans is None or _within(uid, spans)):
            flags = session.flags_of(uid, columns.flags[at])
            session.send(view.flags_line(at + 1, uid, flags, modseq, uid_too=True))
            await pace.spend(40)


async def vanished_since(
    session: Session, selected: Selected, modseq: ModSeq, known: SequenceSet | None
) -> list[Uid]:
    """Return UIDs that left the mailbox after ``modseq``, of those the client may know.

    Args:
        session: the client's.
        selected: the mailbox that is open.
        modseq: what the client knows.
        known: the UIDs that it knows; None: maybe all.
    """
    mailbox = selected.mailbox.id
    gone = await session.services.store.read(lambda tx: tx.expunged_since(mailbox, modseq))
    if known is None:
        return list(gone)
    spans = known.resolve(selected.view.index.uid_next)
    return [uid for uid in gone if _within(uid, spans)]


def _within(uid: int, spans: tuple[tuple[int, int], ...]) -> bool:
    at = bisect_left(spans, uid, key=itemgetter(1))
    return at < len(spans) and spans[at][0] <= uid


async def close(session: Session, command: Plain) -> str | None:
    r"""CLOSE: expunges what is ``\\Deleted``, without telling."""
    selected = session.open
    if not selected.read_only:
        await session.look()
        mailboxes = session.services.mailboxes
        await mailboxes.expunge_deleted(selected.mailbox.id, deleted_uids(selected))
    await session.deselect()
    return None


async def unselect(session: Session, command: Plain) -> str | None:
    """UNSELECT."""
    await session.deselect()
    return None


def deleted_uids(selected: Selected) -> list[Uid]:
    r"""Return the UIDs of what is ``\\Deleted``, as far as the client knows of it."""
    index = selected.view.index
    if not index.deleted:
        return []
    last = selected.view.largest_uid
    return [
        Uid(uid)
        for uid, flags in zip(index.uids, index.flags, strict=True)
        if DELETED in flags and uid <= last
    ]
