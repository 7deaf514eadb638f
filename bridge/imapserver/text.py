"""Search keys that look into texts: which contents of the mailbox hold them.

Both sides are folded (i;unicode-casemap and more, see ``mime.searchtext``). The store looks into
what was kept at ingest; where a body was too long to be kept whole and does not match, the text
itself is read and decoded again, one at a time, on a thread.

RFC 3501 §6.4.4 (BODY, FROM, HEADER, SENTON, TEXT and the like).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from bridge.imap.search import Dated, Header, SearchKey, Text
from bridge.imapserver.session import Session
from bridge.mime.searchtext import body_text, fold, one_line, whole_text
from bridge.model import ContentId, MailboxId
from bridge.store.base import ReadTransaction
from bridge.store.messages import Part, TextField

Contents = frozenset[ContentId]

_FIELDS = {
    "bcc": TextField.BCC,
    "cc": TextField.CC,
    "from": TextField.FROM,
    "subject": TextField.SUBJECT,
    "to": TextField.TO,
}


Wanted = str | re.Pattern[str]
"""What a field's text is to hold."""

FEW = 8
"""So many substrings the store looks for one by one; for more all texts are read once."""


async def texts_of(session: Session, keys: Iterable[SearchKey]) -> dict[SearchKey, Contents]:
    """Return the contents of the selected mailbox that match text keys and sent dates."""
    mailbox = session.open.mailbox.id
    found: dict[SearchKey, set[ContentId]] = {key: set() for key in keys}
    looks: dict[TextField, list[tuple[SearchKey, Wanted]]] = {}
    for key in found:
        for field, wanted in _looks(key):
            looks.setdefault(field, []).append((key, wanted))
    for field, wanted_of in looks.items():
        for key, contents in await _look(session, mailbox, field, wanted_of):
            found[key].update(contents)
    for key in found:
        match key:
            case Text("body", needle):
                found[key].update(await _body(session, mailbox, fold(needle)))
            case Text("text", needle):
                found[key].update(await _body(session, mailbox, fold(needle), whole_text))
    days = [key for key in found if isinstance(key, Dated)]
    for key, contents in await _sent(session, mailbox, days) if days else ():
        found[key].update(contents)
    return {key: frozenset(contents) for key, contents in found.items()}


def _looks(key: SearchKey) -> Iterator[tuple[TextField, Wanted]]:
    """Yield in which texts of headers to look for what."""
    match key:
        case Text("body"):
            return
        case Text("text", needle):
            line = one_line(fold(needle))
            yield TextField.HEADER, line
            across = _across_colon(line)
            if across is not None:
                yield TextField.HEADER, across
        case Text(field, needle) if needle:
            yield _FIELDS[field], one_line(fold(needle))
        case Text(field):
            yield TextField.HEADER, _line_of(field, "")
        case Header(name, needle):  # as it is written; FROM looks at what it says to us too
            yield TextField.HEADER, _line_of(name.casefold(), one_line(fold(needle)))


def _line_of(name: str, needle: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(name)}:.*{re.escape(needle)}", re.MULTILINE)


def _across_colon(needle: str) -> re.Pattern[str] | None:
    """Return how a field's name and value are kept: without the blank between them."""
    name, blank, value = needle.partition(": ")
    if not blank or ":" in name:
        return None
    return re.compile(f"^[^:\n]*{re.escape(name)}:{re.escape(value)}", re.MULTILINE)


Matches = list[tuple[SearchKey, Iterable[ContentId]]]


async def _look(
    session: Session,
    mailbox: MailboxId,
    field: TextField,
    wanted_of: Sequence[tuple[SearchKey, Wanted]],
) -> Matches:
    """Return where one field's texts hold what is wanted, for each key."""
    few = [(key, wanted) for key, wanted in wanted_of if isinstance(wanted, str)]

    async def one_by_one(tx: ReadTransaction) -> Matches:
        return [(key, (await tx.matching_text(mailbox, field, one))[0]) for key, one in few]

    async def all_at_once(tx: ReadTransaction) -> Matches:
        texts = await tx.field_texts(mailbox, field)
        return [(key, _holding(texts, wanted)) for key, wanted in wanted_of]

    is_few = len(few) == len(wanted_of) <= FEW
    return await session.services.store.scan(one_by_one if is_few else all_at_once)


def _holding(texts: Sequence[tuple[ContentId, str]], wanted: Wanted) -> list[ContentId]:
    if isinstance(wanted, str):
        return [content for content, text in texts if wanted in text]
    return [content for content, text in texts if wanted.search(text)]


async def _body(
    session: Session, mailbox: MailboxId, needle: str, read: Callable[[bytes], str] = body_text
) -> Contents:
    store = session.services.store
    found, unsure = await store.scan(lambda tx: tx.matching_text(mailbox, TextField.BODY, needle))
    hits = set(found)
    for content in unsure:
        if await _holds(session, content, needle, read):
            hits.add(content)
    return frozenset(hits)


async def _holds(
    session: Session, content: ContentId, needle: str, read: Callable[[bytes], str]
) -> bool:
    """Decode a text again, for its body is too long to be kept for searches."""
    rows = await session.services.store.scan(lambda tx: tx.pieces([content], [Part.RAW]))
    raws = [raw for _, raw in rows if isinstance(raw, bytes)]
    return await asyncio.to_thread(lambda: any(needle in read(raw) for raw in raws))


async def _sent(session: Session, mailbox: MailboxId, keys: Sequence[Dated]) -> Matches:
    """Compare the Date field's day, whatever its time and zone; no day is before no other."""

    async def work(tx: ReadTransaction) -> Matches:
        days = await tx.sent_days(mailbox)
        return [
            (key, [content for content, its in days if _compare(its, key.how, wanted)])
            for key, wanted in ((key, key.day.isoformat()) for key in keys)
        ]

    return await session.services.store.scan(work)


def _compare(its: str, how: int, wanted: str) -> bool:
    return its < wanted if how < 0 else its >= wanted if how > 0 else its == wanted
