"""SORT and THREAD (RFC 5256), ESORT (RFC 5267 §3), SORT=DISPLAY (RFC 5957)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from heapq import merge
from operator import attrgetter
from typing import Any

from bridge.imap.commands import Sort, Thread
from bridge.imapserver.commands.search import (
    answer_extended,
    found_or_forgotten,
    modseq_mark,
    send_numbers,
)
from bridge.imapserver.matching import Found, search
from bridge.imapserver.session import Session
from bridge.imapserver.thread import Member, by_references, by_subject, shown
from bridge.model import ContentId
from bridge.store.base import ReadTransaction
from bridge.store.messages import SortRow

BATCH = 1_000
"""Messages whose sort keys are in memory at once."""

RUN = 8192
"""Messages that are sorted in one go."""

_TEXTS = {
    "CC": "cc_mailbox",
    "FROM": "from_mailbox",
    "SUBJECT": "base_subject",
    "TO": "to_mailbox",
    "DISPLAYFROM": "from_display",
    "DISPLAYTO": "to_display",
}
_THREADED = frozenset({"references", "base_subject"})
_ALGORITHMS = {"REFERENCES": by_references, "ORDEREDSUBJECT": by_subject}

Column = Sequence[Any]
"""Values of one kind: numbers or texts."""

_Row = tuple[SortRow, int]


async def sort(session: Session, command: Sort) -> str | None:
    """SORT and UID SORT."""
    if command.key.uses_modseq:
        session.enable_condstore()
    returns = command.returns
    found = await found_or_forgotten(session, command.key, returns, details=True)
    columns = await _columns(session, command, found)
    ordered = await asyncio.to_thread(_ordered, command, found, columns)
    if returns is None:
        session.send(b"* SORT")
        await send_numbers(session, ordered.uids if command.uid else ordered.numbers)
        session.send(modseq_mark(command.key, ordered) + b"\r\n")
        return None
    await answer_extended(session, command, returns, ordered)
    return None


async def _batches(
    session: Session, found: Found, texts: frozenset[str]
) -> AsyncIterator[list[_Row]]:
    """Give what SORT and THREAD look at of each message, and its arrival, in found order."""
    for first in range(0, len(found.contents), BATCH):
        part = slice(first, first + BATCH)
        contents = [ContentId(content) for content in found.contents[part]]
        rows = await session.services.store.scan(partial(_sort_rows, contents, texts))
        by_content = {row.content: row for row in rows}
        yield [
            (by_content[content], arrival)
            for content, arrival in zip(contents, found.arrivals[part], strict=True)
        ]


async def _sort_rows(
    contents: Sequence[ContentId], texts: frozenset[str], tx: ReadTransaction
) -> list[SortRow]:
    return await tx.sort_rows(contents, texts)


async def _columns(session: Session, command: Sort, found: Found) -> dict[str, Column]:
    """Return what each criterion compares, message by message."""
    columns: dict[str, Column] = {"ARRIVAL": found.arrivals, "SIZE": found.sizes}
    read: dict[str, list[Any]] = {name: [] for name, _ in command.criteria if name not in columns}
    if read:
        texts = frozenset(_TEXTS[name] for name in read if name in _TEXTS)
        async for rows in _batches(session, found, texts):
            for name, column in read.items():
                column.extend(_values(name, rows))
    return columns | read


def _values(name: str, rows: Sequence[_Row]) -> list[Any]:
    """Return what a criterion compares of messages; texts are kept ready for it (RFC 5051)."""
    if name == "DATE":
        return [arrival if row.sent_at is None else row.sent_at for row, arrival in rows]
    text = attrgetter(_TEXTS[name])
    return [text(row) for row, _ in rows]


def _ordered(command: Sort, found: Found, columns: Mapping[str, Column]) -> Found:
    """Sort by the last criterion first: each sort keeps the order of equals."""
    places: Sequence[int] = range(len(found.uids))
    for name, reverse in reversed(command.criteria):
        places = _sorted(places, columns[name].__getitem__, reverse=reverse)
    return found.reordered(places)


def _sorted(places: Sequence[int], key: Callable[[int], Any], *, reverse: bool) -> list[int]:
    """Sort by runs that are merged: one sort holds the interpreter up to its end."""
    runs = [
        sorted(places[start : start + RUN], key=key, reverse=reverse)
        for start in range(0, len(places), RUN)
    ]
    return runs[0] if len(runs) == 1 else list(merge(*runs, key=key, reverse=reverse))


async def thread(session: Session, command: Thread) -> str | None:
    """THREAD and UID THREAD."""
    if command.key.uses_modseq:
        session.enable_condstore()
    found = await search(session, command.key, details=True)
    told = iter(found.uids if command.uid else found.numbers)
    members: list[Member] = []
    async for rows in _batches(session, found, _THREADED):
        members.extend(_member(next(told), row, arrival) for row, arrival in rows)
    threads = await asyncio.to_thread(lambda: shown(_ALGORITHMS[command.algorithm](members)))
    session.send(b"* THREAD" + threads + b"\r\n")
    return None


def _member(number: int, row: SortRow, arrival: int) -> Member:
    sent_at = arrival if row.sent_at is None else row.sent_at
    return Member(number, row.message_id, row.references, sent_at, row.base_subject, row.is_reply)
