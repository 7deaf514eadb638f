"""Search keys that look into texts: which of some contents hold them.

Both sides are folded (i;unicode-casemap and more, see ``mime.ingest.searchtext``). The store looks
into what was kept at ingest; where a body was too long to be kept whole and does not match, the
text itself is read and decoded again, once for all keys, one at a time, on a thread. What is read
at once is bounded by keys times messages, so that nobody waits for the one thread that scans.

RFC 3501 §6.4.4 (BODY, FROM, HEADER, SENTON, TEXT and the like).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial, reduce
from itertools import compress
from operator import or_

from bridge.imap.search import Dated, Header, SearchKey, TextKey
from bridge.imapserver.candidates import answers_of, bits_of
from bridge.imapserver.pace import WORK, CommandShare
from bridge.imapserver.session import Session
from bridge.imapserver.wanted import Anywhere, HeaderTest, InField, across_colon
from bridge.mime.ingest.searchtext import body_text, fold, whole_text, with_single_blanks
from bridge.model import ContentId, MailboxId
from bridge.store.base import ReadTransaction, ReadWork
from bridge.store.messages import Part, TextField

_FIELDS = {
    "bcc": TextField.BCC,
    "cc": TextField.CC,
    "from": TextField.FROM,
    "subject": TextField.SUBJECT,
    "to": TextField.TO,
}

FEW = 8
"""So many substrings the store looks for one by one; for more all texts are read once."""

PAGE = 512
"""Texts read at once; so many are not worth a look through the whole mailbox."""

Contents = Sequence[ContentId]
Bits = dict[SearchKey, int]
"""For each key which of the contents match, one bit each: see ``candidates``."""


async def text_bits(
    session: Session, keys: Iterable[SearchKey], contents: Contents, pace: CommandShare
) -> Bits:
    """Return which of ``contents``, in the selected mailbox, match text keys and sent dates.

    Args:
        session: the client's.
        keys: those about texts and sent dates.
        contents: the messages looked at, in the order of the bits.
        pace: counts the work.
    """
    found: Bits = dict.fromkeys(keys, 0)
    looks: dict[TextField, list[tuple[SearchKey, HeaderTest]]] = {}
    bodies: dict[TextKey, str] = {}
    for key in found:
        for field, wanted in _looks(key):
            looks.setdefault(field, []).append((key, wanted))
        if isinstance(key, TextKey) and key.field in ("body", "text"):
            bodies[key] = fold(key.needle)
        await pace.spend(WORK // 32)
    for field, wanted_of in looks.items():
        others = []
        for key, wanted in wanted_of:
            bits = await _identified(session, wanted, contents, pace)
            if bits is None:
                others.append((key, wanted))
            else:
                found[key] |= bits
        for key, bits in await _look(session, field, others, contents, pace):
            found[key] |= bits
    for key, bits in (await _bodies(session, bodies, contents, pace)).items():
        found[key] |= bits
    days = [key for key in found if isinstance(key, Dated)]
    for key, bits in zip(days, await _sent(session, days, contents, pace), strict=True):
        found[key] = bits
    return found


def _looks(key: SearchKey) -> Iterator[tuple[TextField, HeaderTest]]:
    """Yield in which texts of headers to look for what."""
    match key:
        case TextKey("body"):
            return
        case TextKey("text", needle):
            line = with_single_blanks(fold(needle))
            yield TextField.HEADER, Anywhere(line)
            across = across_colon(line)
            if across is not None:
                yield TextField.HEADER, across
        case TextKey(field, needle) if needle:
            yield _FIELDS[field], Anywhere(with_single_blanks(fold(needle)))
        case TextKey(field):
            yield TextField.HEADER, InField(field, "")
        case Header(name, needle):  # as it is written; FROM looks at what it says to us too
            yield TextField.HEADER, InField(name.casefold(), with_single_blanks(fold(needle)))


async def _identified(
    session: Session, wanted: HeaderTest, contents: Contents, pace: CommandShare
) -> int | None:
    """Return which contents have a whole Message-ID; None where there is no index for that."""
    name = wanted.identification if isinstance(wanted, InField) else ""
    if not name or len(contents) <= PAGE:
        return None
    mailbox = session.open.mailbox.id
    maybe = await session.services.store.scan(lambda tx: tx.identified(mailbox, name, PAGE + 1))
    if len(maybe) > PAGE:
        return None
    (held,) = await _held(session, TextField.HEADER, [wanted], maybe, pace)
    await pace.spend(len(contents))
    return _among(contents, frozenset(compress(maybe, answers_of(held, len(maybe)))))


async def _look(
    session: Session,
    field: TextField,
    wanted_of: Sequence[tuple[SearchKey, HeaderTest]],
    contents: Contents,
    pace: CommandShare,
) -> Iterable[tuple[SearchKey, int]]:
    """Return where one field's texts hold what is wanted, for each key."""
    sought = [wanted for _, wanted in wanted_of]
    first, rest = contents[:PAGE], contents[PAGE:]
    if len(sought) > FEW or not rest:
        bits = await _held(session, field, sought, contents, pace)
    elif all(wanted.is_clue_all for wanted in sought):
        bits = await _stored(session, field, sought, contents, pace)
    else:  # where most hold it, the store's look comes on top of reading them
        begin = await _held(session, field, sought, first, pace)
        look = _held if max(map(int.bit_count, begin)) > PAGE // 2 else _stored
        others = await look(session, field, sought, rest, pace)
        bits = [one << len(rest) | other for one, other in zip(begin, others, strict=True)]
    return zip([key for key, _ in wanted_of], bits, strict=True)


async def _held(
    session: Session,
    field: TextField,
    sought: Sequence[HeaderTest],
    contents: Contents,
    pace: CommandShare,
) -> list[int]:
    """Read one field's texts; return for each thing sought which hold it."""

    def work(some: Contents) -> ReadWork[list[int]]:
        return lambda tx: _holding(tx, field, sought, some)

    return await _paged(session, len(sought), work, contents, pace)


async def _stored(
    session: Session,
    field: TextField,
    sought: Sequence[HeaderTest],
    contents: Contents,
    pace: CommandShare,
) -> list[int]:
    """Let the store look through the whole mailbox, and read only what may hold it."""
    mailbox = session.open.mailbox.id
    bits: list[int] = []
    for wanted in sought:
        found, _ = await session.services.store.scan(
            partial(_matching, mailbox=mailbox, field=field, needle=wanted.clue)
        )
        await pace.spend(len(contents))
        bits.append(_among(contents, frozenset(found)))
    read = [at for at, wanted in enumerate(sought) if not wanted.is_clue_all and bits[at]]
    every = reduce(or_, (bits[at] for at in read), 0)
    if every:
        maybe = list(compress(contents, answers_of(every, len(contents))))
        held = await _held(session, field, [sought[at] for at in read], maybe, pace)
        for at, some in zip(read, held, strict=True):
            holding = frozenset(compress(maybe, answers_of(some, len(maybe))))
            bits[at] = _among(contents, holding)
            await pace.spend(len(contents))
    return bits


async def _matching(
    tx: ReadTransaction, mailbox: MailboxId, field: TextField, needle: str
) -> tuple[list[ContentId], list[ContentId]]:
    return await tx.matching_text(mailbox, field, needle)


def _among(contents: Contents, found: Collection[ContentId]) -> int:
    return bits_of(map(found.__contains__, contents)) if found else 0


async def _paged(
    session: Session,
    keys: int,
    work: Callable[[Contents], ReadWork[list[int]]],
    contents: Contents,
    pace: CommandShare,
) -> list[int]:
    """Ask about some contents at a time; return for each key the bits of all."""
    found = [0] * keys
    size = min(max(WORK // max(keys, 1), 4), PAGE)
    for start in range(0, len(contents), size) if keys else ():
        some = contents[start : start + size]
        page = await session.services.store.scan(work(some))
        found = [bits << len(some) | more for bits, more in zip(found, page, strict=True)]
        await pace.spend(keys * (4 + start // 4096))
    return found


async def _holding(
    tx: ReadTransaction, field: TextField, sought: Sequence[HeaderTest], some: Contents
) -> list[int]:
    kept = dict(await tx.field_texts(some, field))
    texts = [kept.get(content, "") for content in some]
    return [bits_of([wanted.is_in(text) for text in texts]) for wanted in sought]


async def _sent(
    session: Session, keys: Sequence[Dated], contents: Contents, pace: CommandShare
) -> list[int]:
    """Compare the Date field's day, whatever its time and zone; no day is before no other."""
    days = [(key.how, key.day.isoformat()) for key in keys]

    async def compared(some: Contents, tx: ReadTransaction) -> list[int]:
        known = dict(await tx.sent_days(some))
        its = [known.get(content) for content in some]
        return [
            bits_of([one is not None and _compare(one, how, wanted) for one in its])
            for how, wanted in days
        ]

    return await _paged(session, len(keys), lambda some: partial(compared, some), contents, pace)


def _compare(its: str, how: int, wanted: str) -> bool:
    return its < wanted if how < 0 else its >= wanted if how > 0 else its == wanted


async def _bodies(
    session: Session, needles: dict[TextKey, str], contents: Contents, pace: CommandShare
) -> dict[TextKey, int]:
    mailbox, store = session.open.mailbox.id, session.services.store
    asked = frozenset(contents) if needles else frozenset()
    found: dict[TextKey, int] = {}
    unsure_of: dict[ContentId, list[TextKey]] = {}
    for key, needle in needles.items():
        hits, unsure = await store.scan(
            partial(_matching, mailbox=mailbox, field=TextField.BODY, needle=needle)
        )
        found[key] = _among(contents, frozenset(hits))
        for content in asked.intersection(unsure):
            unsure_of.setdefault(content, []).append(key)
        await pace.spend(len(contents))
    hits_of: dict[TextKey, set[ContentId]] = {}
    for content, keys in unsure_of.items():
        for key in await _holds(session, content, [(key, needles[key]) for key in keys]):
            hits_of.setdefault(key, set()).add(content)
    for key, hits_of_key in hits_of.items():
        found[key] |= _among(contents, hits_of_key)
        await pace.spend(len(contents))
    return found


async def _holds(
    session: Session, content: ContentId, needles: Sequence[tuple[TextKey, str]]
) -> list[TextKey]:
    """Decode a text again, for its body is too long to be kept for searches."""
    rows = await session.services.store.scan(lambda tx: tx.pieces([content], [Part.RAW]))
    raws = [raw for _, raw in rows if isinstance(raw, bytes)]

    def look() -> list[TextKey]:
        held: list[TextKey] = []
        for raw in raws:
            for field, read in (("body", body_text), ("text", whole_text)):
                wanted = [(key, needle) for key, needle in needles if key.field == field]
                text = read(raw) if wanted else ""
                held += [key for key, needle in wanted if needle in text]
        return held

    return await asyncio.to_thread(look)
