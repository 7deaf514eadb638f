"""Which messages of a view a search key names.

Texts are asked of the store first, all of them, off the loop: each text key becomes the set of
contents that hold it. The rest is arithmetic over the mailbox's index, a few thousand messages
at a time so that nobody waits.

A message that was expunged and not yet told as such (a ghost) matches as it was last. RFC 3501
§6.4.4.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from bridge.imap.search import (
    All,
    And,
    Dated,
    DateField,
    HasFlag,
    Header,
    ModSeqAtLeast,
    Not,
    Numbers,
    ObjectId,
    Or,
    SaveDateSupported,
    SearchKey,
    Sized,
    Text,
    Within,
)
from bridge.imap.sequence import SequenceSet
from bridge.imapserver.session import Selected, Session
from bridge.imapserver.text import texts_of
from bridge.imapserver.view import Columns, columns_of
from bridge.model import ContentId, Flag, flag

CHUNK_MESSAGES = 4096
DAY_S = 86_400
_FIRST_DAY = date(1970, 1, 1).toordinal()

Contents = frozenset[ContentId]


@dataclass(slots=True)
class Found:
    """What a search found, in order of sequence numbers until it is sorted otherwise.

    All are parallel; ``contents``, ``arrivals`` (INTERNALDATE, seconds since 1970) and ``sizes``
    are filled for SORT and THREAD only.
    """

    numbers: list[int] = field(default_factory=list)
    uids: list[int] = field(default_factory=list)
    modseqs: list[int] = field(default_factory=list)
    contents: list[int] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def add(
        self, numbers: Iterable[int], columns: Columns, at: Sequence[int], *, all_: bool
    ) -> None:
        """Take in messages by number and place in ``columns``."""
        self.numbers += numbers
        self.uids += [columns.uids[one] for one in at]
        self.modseqs += [columns.modseqs[one] for one in at]
        if all_:
            self.contents += [columns.contents[one] for one in at]
            self.arrivals += [columns.internal_dates[one] for one in at]
            self.sizes += [columns.sizes[one] for one in at]

    def reordered(self, places: Sequence[int]) -> Found:
        """Return the same in another order, numbers, UIDs and MODSEQs alone."""
        return Found(
            [self.numbers[place] for place in places],
            [self.uids[place] for place in places],
            [self.modseqs[place] for place in places],
        )


async def search(session: Session, key: SearchKey, *, details: bool = False) -> Found:
    """Return the messages that match ``key``; ``details`` fills what sorting needs."""
    selected = session.open
    texts = {one: await texts_of(session, one) for one in _texts(key)}
    found = Found()
    in_order = True
    async for numbers, columns, at in _chunks(session, selected):
        matcher = _Matcher(session, selected, columns, texts)
        hits = matcher.matching(key, at)
        if len(hits) < len(at):
            numbers = _numbers_of(hits, at, numbers)
        in_order = in_order and (not (numbers and found.numbers) or found.numbers[-1] < numbers[0])
        found.add(numbers, columns, hits, all_=details)
    return found if in_order else _in_order(found)


def _numbers_of(hits: Sequence[int], at: Sequence[int], numbers: Sequence[int]) -> Sequence[int]:
    """Return the sequence numbers of ``hits``, which are some of ``at``."""
    if isinstance(numbers, range) and isinstance(at, range):
        ahead = numbers.start - at.start
        return [one + ahead for one in hits]
    number_of = dict(zip(at, numbers, strict=True))
    return [number_of[one] for one in hits]


def _in_order(found: Found) -> Found:
    """Put what was expunged and is not told yet in its place among the others."""
    order = sorted(range(len(found.numbers)), key=found.numbers.__getitem__)
    ordered = found.reordered(order)
    if found.contents:
        ordered.contents = [found.contents[place] for place in order]
        ordered.arrivals = [found.arrivals[place] for place in order]
        ordered.sizes = [found.sizes[place] for place in order]
    return ordered


async def _chunks(
    session: Session, selected: Selected
) -> AsyncIterator[tuple[Sequence[int], Columns, Sequence[int]]]:
    """Yield sequence numbers, columns and places in them: of what is there and of ghosts."""
    view = selected.view
    count = len(view)
    for start in range(1, count + 1, CHUNK_MESSAGES):
        if start > 1:
            await session.output.drain()
        numbers = range(start, min(start + CHUNK_MESSAGES, count + 1))
        if view.all_told():
            yield numbers, columns_of(view.index), range(numbers[0] - 1, numbers[-1])
            continue
        pairs = [(number, view.position(number)) for number in numbers]
        there = [(number, at) for number, at in pairs if at is not None]
        yield [number for number, _ in there], columns_of(view.index), [at for _, at in there]
        for number, ghost in ((number, view.ghost(number)) for number, at in pairs if at is None):
            if ghost is not None:
                yield [number], ghost[0], [ghost[1]]


def _texts(key: SearchKey) -> Iterator[SearchKey]:
    """Yield the keys that only the store can answer."""
    match key:
        case Text() | Header() | Dated(field=DateField.SENT):
            yield key
        case Not(inner):
            yield from _texts(inner)
        case Or(left, right):
            yield from _texts(left)
            yield from _texts(right)
        case And(keys):
            for one in keys:
                yield from _texts(one)


class _Matcher:
    """Picks places in columns; each key keeps some of those it is given, in order."""

    def __init__(
        self,
        session: Session,
        selected: Selected,
        columns: Columns,
        texts: dict[SearchKey, Contents],
    ) -> None:
        self._session = session
        self._selected = selected
        self._columns = columns
        self._texts = texts
        self._now_s = session.services.clock.now().timestamp()

    def matching(self, key: SearchKey, at: Sequence[int]) -> Sequence[int]:
        """Return those positions of ``at`` whose message matches."""
        match key:
            case All() | SaveDateSupported():
                return at
            case Not(inner):
                hits = set(self.matching(inner, at))
                return [one for one in at if one not in hits]
            case And(keys):
                for one in keys:
                    at = self.matching(one, at)
                return at
            case Or(left, right):
                hits = {*self.matching(left, at), *self.matching(right, at)}
                return [one for one in at if one in hits]
            case Text() | Header() | Dated(field=DateField.SENT):
                contents, wanted = self._columns.contents, self._texts[key]
                return [one for one in at if contents[one] in wanted]
            case HasFlag(name):
                return self._with_flag(name, at)
            case Numbers(numbers, uid):
                return self._numbered(numbers, at, uid=uid)
            case _:
                return self._compared(key, at)

    def _compared(self, key: SearchKey, at: Sequence[int]) -> Sequence[int]:
        """Answer what compares one column of the index with a number."""
        columns = self._columns
        match key:
            case Sized(larger, size_bytes):
                sizes = columns.sizes
                if larger:
                    return [one for one in at if sizes[one] > size_bytes]
                return [one for one in at if sizes[one] < size_bytes]
            case ModSeqAtLeast(modseq):
                modseqs = columns.modseqs
                return [one for one in at if modseqs[one] >= modseq]
            case Within(older, interval_s):
                dates, limit = columns.internal_dates, self._now_s - interval_s
                if older:
                    return [one for one in at if dates[one] <= limit]
                return [one for one in at if dates[one] >= limit]
            case Dated(field, how, day):
                return self._dated(field, how, day.toordinal() - _FIRST_DAY, at)
            case ObjectId(identifier, thread):
                contents = columns.contents
                return [] if thread else [one for one in at if f"M{contents[one]}" == identifier]
        raise AssertionError(f"{key} was answered above")

    def _dated(self, field: DateField, how: int, day: int, at: Sequence[int]) -> Sequence[int]:
        """Compare days: a date counts as written, in the zone it came with (RFC 3501 §6.4.4)."""
        columns = self._columns
        if field is DateField.SAVED:
            saved = columns.saved_dates
            days = [saved[one] // DAY_S for one in at]
        else:
            dates, zones = columns.internal_dates, columns.zones
            days = [(dates[one] + zones[one] * 60) // DAY_S for one in at]
        return [one for one, its in zip(at, days, strict=True) if compare_days(its, how, day)]

    def _with_flag(self, name: str, at: Sequence[int]) -> Sequence[int]:
        columns = self._columns
        if name.casefold() == "\\recent":
            uids, recent = columns.uids, self._selected.recent
            return [one for one in at if uids[one] in recent]
        wanted = _known_flag(name, self._selected.view.index.keywords)
        if wanted is None:
            return []
        flags = columns.flags
        return [one for one in at if wanted in flags[one]]

    def _numbered(self, numbers: SequenceSet, at: Sequence[int], *, uid: bool) -> Sequence[int]:
        view, columns = self._selected.view, self._columns
        if numbers.saved:
            saved = set(self._session.saved)
            return [one for one in at if columns.uids[one] in saved]
        if uid:
            spans = numbers.resolve(view.largest_uid)
        else:
            count = len(view)
            spans = tuple(
                (view.uid(low), view.uid(min(high, count)))
                for low, high in numbers.resolve(count)
                if low <= count
            )
        return list(_inside(columns.uids, at, spans))


def compare_days(day: int, how: int, limit: int) -> bool:
    """Say whether a day is before (-1), on (0) or since (1) another."""
    return day < limit if how < 0 else day >= limit if how > 0 else day == limit


def _known_flag(name: str, keywords: dict[str, Flag]) -> Flag | None:
    try:
        wanted = flag(name)
    except ValueError:
        return None
    return keywords.get(wanted.casefold()) if not wanted.startswith("\\") else wanted


def _inside(
    uids: Sequence[int], at: Iterable[int], spans: Sequence[tuple[int, int]]
) -> Iterator[int]:
    """Yield ascending positions whose UID lies in one of the ascending spans."""
    span = 0
    for one in at:
        uid = uids[one]
        while span < len(spans) and spans[span][1] < uid:
            span += 1
        if span == len(spans):
            return
        if spans[span][0] <= uid:
            yield one
