"""SORT and THREAD (RFC 5256), ESORT (RFC 5267 §3), SORT=DISPLAY (RFC 5957)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from bridge.imap.commands import Sort, Thread
from bridge.imap.search import uses_modseq
from bridge.imapserver.commands.searching import (
    answer_extended,
    found_or_forgotten,
    modseq_mark,
)
from bridge.imapserver.matching import Found, search
from bridge.imapserver.session import Session
from bridge.imapserver.thread import Member, by_references, by_subject, shown
from bridge.model import ContentId
from bridge.store.messages import SortRow

_FROM_INDEX = frozenset({"ARRIVAL", "SIZE"})
_TEXTS: dict[str, Callable[[SortRow], str]] = {
    "CC": lambda row: row.cc_mailbox,
    "FROM": lambda row: row.from_mailbox,
    "SUBJECT": lambda row: row.base_subject,
    "TO": lambda row: row.to_mailbox,
    "DISPLAYFROM": lambda row: row.from_display,
    "DISPLAYTO": lambda row: row.to_display,
}
_ALGORITHMS = {"REFERENCES": by_references, "ORDEREDSUBJECT": by_subject}

Column = Sequence[int] | Sequence[str]


async def sort(session: Session, command: Sort) -> str | None:
    """SORT and UID SORT."""
    if uses_modseq(command.key):
        session.enable_condstore()
    returns = command.returns
    found = await found_or_forgotten(session, command.key, returns, details=True)
    rows: list[SortRow] = []
    if any(name not in _FROM_INDEX for name, _ in command.criteria):
        rows = await _rows(session, found)
    ordered = await asyncio.to_thread(_ordered, command, found, rows)
    if returns is None:
        numbers = ordered.uids if command.uid else ordered.numbers
        listed = "".join(f" {number}" for number in numbers).encode()
        session.send(b"* SORT" + listed + modseq_mark(command.key, ordered) + b"\r\n")
        return None
    answer_extended(session, command, returns, ordered)
    return None


async def _rows(session: Session, found: Found) -> list[SortRow]:
    contents = [ContentId(content) for content in found.contents]
    return await session.services.store.scan(lambda tx: tx.sort_rows(contents))


def _ordered(command: Sort, found: Found, rows: Sequence[SortRow]) -> Found:
    """Sort by the last criterion first: each sort keeps the order of equals."""
    by_content = {row.content: row for row in rows}
    ready = [by_content[ContentId(content)] for content in found.contents] if rows else []
    places = list(range(len(found.uids)))
    for name, reverse in reversed(command.criteria):
        column = _column(name, found, ready)
        places.sort(key=column.__getitem__, reverse=reverse)
    return found.reordered(places)


def _column(name: str, found: Found, rows: Sequence[SortRow]) -> Column:
    """Return what a criterion compares of each message; texts in capitals (RFC 5051 §2)."""
    match name:
        case "ARRIVAL":
            return found.arrivals
        case "SIZE":
            return found.sizes
        case "DATE":
            return [
                arrival if row.sent_at is None else row.sent_at
                for row, arrival in zip(rows, found.arrivals, strict=True)
            ]
    text = _TEXTS[name]
    return [text(row).upper() for row in rows]


async def thread(session: Session, command: Thread) -> str | None:
    """THREAD and UID THREAD."""
    if uses_modseq(command.key):
        session.enable_condstore()
    found = await search(session, command.key, details=True)
    rows = await _rows(session, found)
    threads = await asyncio.to_thread(_threads, command, found, rows)
    session.send(b"* THREAD" + threads + b"\r\n")
    return None


def _threads(command: Thread, found: Found, rows: Sequence[SortRow]) -> bytes:
    by_content = {row.content: row for row in rows}
    told = found.uids if command.uid else found.numbers
    members = []
    for number, content, arrival in zip(told, found.contents, found.arrivals, strict=True):
        row = by_content[ContentId(content)]
        sent_at = arrival if row.sent_at is None else row.sent_at
        members.append(
            Member(number, row.message_id, row.references, sent_at, row.base_subject, row.is_reply)
        )
    return shown(_ALGORITHMS[command.algorithm](members))
