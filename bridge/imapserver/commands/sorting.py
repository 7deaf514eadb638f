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
from bridge.store.base import ReadTransaction
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
    rows: dict[ContentId, SortRow] = {}
    if not all(name in _FROM_INDEX for name, _ in command.criteria):
        rows = await rows_of(session, [ContentId(content) for content in found.contents])
    ordered = await asyncio.to_thread(_ordered, command, found, rows)
    if returns is None:
        numbers = ordered.uids if command.uid else ordered.numbers
        listed = "".join(f" {number}" for number in numbers).encode()
        session.send(b"* SORT" + listed + modseq_mark(command.key, ordered) + b"\r\n")
        return None
    answer_extended(session, command, returns, ordered)
    return None


def _columns(command: Sort, found: Found, rows: dict[ContentId, SortRow]) -> dict[str, Column]:
    """Return for each criterion the value of each message found."""
    columns: dict[str, Column] = {"ARRIVAL": found.arrivals, "SIZE": found.sizes}
    if not rows:
        return columns
    contents = [ContentId(content) for content in found.contents]
    columns["DATE"] = [
        arrival if (sent := rows[content].sent_at) is None else sent
        for content, arrival in zip(contents, found.arrivals, strict=True)
    ]
    for name, text in _TEXTS.items():
        if any(name == wanted for wanted, _ in command.criteria):  # in capitals: RFC 5051 §2
            columns[name] = [text(rows[content]).upper() for content in contents]
    return columns


async def rows_of(session: Session, contents: Sequence[ContentId]) -> dict[ContentId, SortRow]:
    """Return the sort keys of contents."""

    async def work(tx: ReadTransaction) -> dict[ContentId, SortRow]:
        return {row.content: row for row in await tx.sort_rows(contents)}

    return await session.services.store.scan(work)


def _ordered(command: Sort, found: Found, rows: dict[ContentId, SortRow]) -> Found:
    """Sort by the last criterion first: each sort keeps the order of equals."""
    columns = _columns(command, found, rows)
    places = list(range(len(found.uids)))
    for name, reverse in reversed(command.criteria):
        places.sort(key=columns[name].__getitem__, reverse=reverse)
    return found.reordered(places)


async def thread(session: Session, command: Thread) -> str | None:
    """THREAD and UID THREAD."""
    if uses_modseq(command.key):
        session.enable_condstore()
    found = await search(session, command.key, details=True)
    contents = [ContentId(content) for content in found.contents]
    rows = await rows_of(session, contents)
    threads = await asyncio.to_thread(_threaded, command, found, rows)
    session.send(b"* THREAD" + threads + b"\r\n")
    return None


def _threaded(command: Thread, found: Found, rows: dict[ContentId, SortRow]) -> bytes:
    return shown(_ALGORITHMS[command.algorithm](_members(command, found, rows)))


def _members(command: Thread, found: Found, rows: dict[ContentId, SortRow]) -> list[Member]:
    members = []
    told = found.uids if command.uid else found.numbers
    for number, content, arrival in zip(told, found.contents, found.arrivals, strict=True):
        row = rows[ContentId(content)]
        sent_at = arrival if row.sent_at is None else row.sent_at
        members.append(
            Member(
                number,
                row.message_id,
                row.references,
                sent_at,
                row.base_subject,
                row.is_reply,
            )
        )
    return members
