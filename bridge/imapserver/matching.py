"""Which messages of a view a search key names.

Texts are asked of the store first, all of them, off the loop: each text key becomes the set of
contents that hold it. The rest is arithmetic over the mailbox's index, so many messages at a
time that nobody waits. What a key says of those is a number with one byte for each message, 0 or
1: NOT, OR and AND are then one operation each, in time bound by keys times messages.

A message that was expunged and not yet told as such (a ghost) matches as it was last. RFC 3501
§6.4.4.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import compress

from bridge.imap.search import (
    All,
    Dated,
    DateField,
    HasFlag,
    Header,
    ModSeqAtLeast,
    Numbers,
    ObjectId,
    Operator,
    Program,
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
CHUNK_ANSWERS = 256 * 1024
"""Keys times messages that are answered before others get their turn, and held at once."""

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


async def search(session: Session, key: Program, *, details: bool = False) -> Found:
    """Return the messages that match ``key``; ``details`` fills what sorting needs."""
    selected = session.open
    texts = await texts_of(session, filter(_in_text, key.keys))
    found = Found()
    in_order = True
    chunk_messages = max(min(CHUNK_MESSAGES, CHUNK_ANSWERS // len(key.steps)), 1)
    async for numbers, columns, at in _chunks(session, selected, chunk_messages):
        hits = _Matcher(session, selected, columns, texts, at).matching(key)
        found_numbers, places = list(compress(numbers, hits)), list(compress(at, hits))
        if found_numbers and found.numbers and found.numbers[-1] > found_numbers[0]:
            in_order = False
        found.add(found_numbers, columns, places, all_=details)
    return found if in_order else _in_order(found)


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
    session: Session, selected: Selected, chunk_messages: int
) -> AsyncIterator[tuple[Sequence[int], Columns, Sequence[int]]]:
    """Yield sequence numbers, columns and places in them: of what is there and of ghosts."""
    view = selected.view
    count = len(view)
    for start in range(1, count + 1, chunk_messages):
        if start > 1:
            await session.output.drain()
        numbers = range(start, min(start + chunk_messages, count + 1))
        if view.all_told():
            yield numbers, columns_of(view.index), range(numbers[0] - 1, numbers[-1])
            continue
        pairs = [(number, view.position(number)) for number in numbers]
        there = [(number, at) for number, at in pairs if at is not None]
        yield [number for number, _ in there], columns_of(view.index), [at for _, at in there]
        for number, ghost in ((number, view.ghost(number)) for number, at in pairs if at is None):
            if ghost is not None:
                yield [number], ghost[0], [ghost[1]]


def _in_text(key: SearchKey) -> bool:
    """Say whether only the store can answer a key."""
    return isinstance(key, Text | Header) or (
        isinstance(key, Dated) and key.field is DateField.SENT
    )


Answers = Iterable[bool]
"""What a key says of each message looked at, in their order."""


class _Matcher:
    """Asks each key about the messages at some places in columns."""

    def __init__(
        self,
        session: Session,
        selected: Selected,
        columns: Columns,
        texts: Mapping[SearchKey, Contents],
        at: Sequence[int],
    ) -> None:
        self._session = session
        self._selected = selected
        self._columns = columns
        self._texts = texts
        self._at = at
        self._now_s = session.services.clock.now().timestamp()

    def matching(self, key: Program) -> bytes:
        """Return for each place 1 where its message matches, else 0."""
        count = len(self._at)
        everything = int.from_bytes(b"\1" * count, "little")
        known: dict[SearchKey, int] = {All(): everything, SaveDateSupported(): everything}
        results: list[int] = []
        for step in key.steps:
            match step:
                case Operator.NOT:
                    results[-1] ^= everything
                case Operator.OR:
                    last = results.pop()
                    results[-1] |= last
                case Operator.AND:
                    last = results.pop()
                    results[-1] &= last
                case _:
                    if step not in known:
                        known[step] = int.from_bytes(bytes(self._answers(step)), "little")
                    results.append(known[step])
        (result,) = results
        return result.to_bytes(count, "little")

    def _answers(self, key: SearchKey) -> Answers:
        match key:
            case Text() | Header() | Dated(field=DateField.SENT):
                contents, wanted = self._columns.contents, self._texts[key]
                return [contents[one] in wanted for one in self._at]
            case HasFlag(name):
                return self._with_flag(name)
            case Numbers(numbers, uid):
                return self._numbered(numbers, uid=uid)
            case Dated(field, how, day):
                return self._dated(field, how, day.toordinal() - _FIRST_DAY)
            case ObjectId(identifier, thread):
                contents = self._columns.contents
                return [not thread and f"M{contents[one]}" == identifier for one in self._at]
        return self._compared(key)

    def _compared(self, key: SearchKey) -> Answers:
        """Answer what compares one column of the index with a number."""
        columns, at = self._columns, self._at
        match key:
            case Sized(larger, size_bytes):
                sizes = columns.sizes
                if larger:
                    return [sizes[one] > size_bytes for one in at]
                return [sizes[one] < size_bytes for one in at]
            case ModSeqAtLeast(modseq):
                modseqs = columns.modseqs
                return [modseqs[one] >= modseq for one in at]
            case Within(older, interval_s):
                dates, limit = columns.internal_dates, self._now_s - interval_s
                if older:
                    return [dates[one] <= limit for one in at]
                return [dates[one] >= limit for one in at]
        raise AssertionError(f"{key} was answered above")

    def _dated(self, field: DateField, how: int, day: int) -> Answers:
        """Compare days: a date counts as written, in the zone it came with (RFC 3501 §6.4.4)."""
        columns, at = self._columns, self._at
        if field is DateField.SAVED:
            saved = columns.saved_dates
            return [compare_days(saved[one] // DAY_S, how, day) for one in at]
        dates, zones = columns.internal_dates, columns.zones
        return [compare_days((dates[one] + zones[one] * 60) // DAY_S, how, day) for one in at]

    def _with_flag(self, name: str) -> Answers:
        columns, at = self._columns, self._at
        if name.casefold() == "\\recent":
            uids, recent = columns.uids, self._selected.recent
            return [uids[one] in recent for one in at]
        wanted = _known_flag(name, self._selected.view.index.keywords)
        flags = columns.flags
        return [wanted in flags[one] for one in at]

    def _numbered(self, numbers: SequenceSet, *, uid: bool) -> Answers:
        view, columns = self._selected.view, self._columns
        if numbers.saved:
            saved = set(self._session.saved)
            return [columns.uids[one] in saved for one in self._at]
        if uid:
            spans = numbers.resolve(view.largest_uid)
        else:
            count = len(view)
            spans = tuple(
                (view.uid(low), view.uid(min(high, count)))
                for low, high in numbers.resolve(count)
                if low <= count
            )
        return _inside(columns.uids, self._at, spans)


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
) -> Iterator[bool]:
    """Say of each of ascending places whether its UID lies in one of the ascending spans."""
    span = 0
    for one in at:
        uid = uids[one]
        while span < len(spans) and spans[span][1] < uid:
            span += 1
        yield span < len(spans) and spans[span][0] <= uid
