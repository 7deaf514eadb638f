"""Which messages of a view a search key names.

What must match all together is asked one after the other, of what is left each time: numbers
first, then what the mailbox's index answers, then headers, and bodies last (``text``). Everything
is done so many messages at a time that nobody waits, in time bound by keys times messages.

RFC 3501 §6.4.4.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import cast

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
    TextKey,
    Within,
    joined,
)
from bridge.imap.sequence import common, ranges_of
from bridge.imapserver.candidates import SLICE, Candidates, bits_of, candidates_in
from bridge.imapserver.dataitems.batch import take
from bridge.imapserver.pace import CommandShare
from bridge.imapserver.session import Session
from bridge.imapserver.text import text_bits
from bridge.imapserver.view import Columns
from bridge.model import ContentId, Flag, flag

DAY_S = 86_400
_FIRST_DAY = date(1970, 1, 1).toordinal()

Answers = Iterable[bool]
"""What a key says of each message looked at, in their order."""


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
        """Take in messages by number and place in ``columns``.

        Args:
            numbers: sequence numbers, parallel to ``at``.
            columns: of the mailbox's index.
            at: places in the columns.
            all_: whether what sorting needs is taken in too.
        """
        self.numbers += numbers
        self.uids += take(columns.uids, at)
        self.modseqs += take(columns.modseqs, at)
        if all_:
            self.contents += take(columns.contents, at)
            self.arrivals += take(columns.internal_dates, at)
            self.sizes += take(columns.sizes, at)

    def reordered(self, places: Sequence[int]) -> Found:
        """Return the same in another order, numbers, UIDs and MODSEQs alone."""
        return Found(
            [self.numbers[place] for place in places],
            [self.uids[place] for place in places],
            [self.modseqs[place] for place in places],
        )


async def search(session: Session, key: Program, *, details: bool = False) -> Found:
    """Return the messages that match ``key``; ``details`` fills what sorting needs."""
    pace = CommandShare(session.output)
    matcher = _Matcher(session, pace)
    groups = await candidates_in(session.open.view, matcher.spans(key), pace)
    found = Found()
    for group in groups:
        left = group
        for part in _in_order_of_cost(key):
            if not left:
                break
            left = left.narrowed(await matcher.bits(part, left))
        for start in range(0, len(left), SLICE):
            part_of = slice(start, start + SLICE)
            found.add(left.numbers[part_of], left.columns, left.at[part_of], all_=details)
            await pace.spend(SLICE)
    return found if len(groups) == 1 else _in_order(found)


def _in_order(found: Found) -> Found:
    """Put what was expunged and is not told yet in its place among the others."""
    order = sorted(range(len(found.numbers)), key=found.numbers.__getitem__)
    ordered = found.reordered(order)
    if found.contents:
        ordered.contents = [found.contents[place] for place in order]
        ordered.arrivals = [found.arrivals[place] for place in order]
        ordered.sizes = [found.sizes[place] for place in order]
    return ordered


def _in_order_of_cost(key: Program) -> list[Program]:
    """Return searches that must all match, the cheap ones first, those of one text together.

    Numbers are left out: they have named the first candidates.
    """
    by_cost: dict[int, list[Program]] = {}
    for part in dict.fromkeys(key.conjuncts):
        by_cost.setdefault(max(map(_cost, part.keys)), []).append(part)
    cheap = [part for part in by_cost.pop(0, []) if not _is_numbers(part)]
    return [*cheap, *(joined(parts) for _, parts in sorted(by_cost.items()))]


def _cost(key: SearchKey) -> int:
    """Return 0 for what the index answers, 1 for headers, 2 for bodies."""
    match key:
        case TextKey("body" | "text"):
            return 2
        case TextKey() | Header() | Dated(field=DateField.SENT):
            return 1
    return 0


def _is_numbers(part: Program) -> bool:
    return len(part.steps) == 1 and isinstance(part.steps[0], Numbers)


class _Matcher:
    """Asks each key about candidates."""

    def __init__(self, session: Session, pace: CommandShare) -> None:
        self._session = session
        self._selected = session.open
        self._pace = pace
        self._now_s = session.services.clock.now().timestamp()
        self._spans: dict[Numbers, Sequence[tuple[int, int]]] = {}

    def spans(self, key: Program) -> Sequence[tuple[int, int]]:
        """Return the ranges of sequence numbers that alone can match."""
        count = len(self._selected.view)
        spans: Sequence[tuple[int, int]] = [(1, count)] if count else []
        for part in key.conjuncts:
            (first, *others) = part.steps
            if isinstance(first, Numbers) and not others:
                spans = common(spans, self._spans_of(first))
        return spans

    async def bits(self, key: Program, group: Candidates) -> int:
        """Return which of a group, which has some, match."""
        everything = group.everything
        known: dict[SearchKey, int] = {All(): everything, SaveDateSupported(): everything}
        in_texts = [one for one in key.keys if _cost(one)]
        if in_texts:
            contents = cast(list[ContentId], group.of(group.columns.contents))
            known.update(await text_bits(self._session, in_texts, contents, self._pace))
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
                        known[step] = await self._asked(step, group)
                    results.append(known[step])
            await self._pace.spend(10 + len(group) // 1024)
        (result,) = results
        return result

    async def _asked(self, key: SearchKey, group: Candidates) -> int:
        answers = bytearray()
        for start in range(0, len(group), SLICE):
            part = slice(start, start + SLICE)
            some = Candidates(group.numbers[part], group.columns, group.at[part])
            answers += bytes(self._answers(key, some))
            await self._pace.spend(len(some))
        return bits_of(answers)

    def _answers(self, key: SearchKey, group: Candidates) -> Answers:
        columns, at = group.columns, group.at
        match key:
            case HasFlag(name):
                return self._with_flag(name, group)
            case Numbers():
                return _inside(group.numbers, self._spans_of(key))
            case Dated(field, how, day):
                return _dated(group, field, how, day.toordinal() - _FIRST_DAY)
            case ObjectId(identifier, thread):
                contents = columns.contents
                return [not thread and f"M{contents[one]}" == identifier for one in at]
        return self._compared(key, columns, at)

    def _compared(self, key: SearchKey, columns: Columns, at: Sequence[int]) -> Answers:
        """Answer what compares one column of the index with a number."""
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

    def _with_flag(self, name: str, group: Candidates) -> Answers:
        columns, at = group.columns, group.at
        if name.casefold() == "\\recent":
            uids, recent = columns.uids, self._selected.recent
            return [uids[one] in recent for one in at]
        wanted = _known_flag(name, self._selected.view.index.keywords)
        flags = columns.flags
        return [wanted in flags[one] for one in at]

    def _spans_of(self, key: Numbers) -> Sequence[tuple[int, int]]:
        spans = self._spans.get(key)
        if spans is None:
            spans = self._spans[key] = self._resolved(key)
        return spans

    def _resolved(self, key: Numbers) -> Sequence[tuple[int, int]]:
        view = self._selected.view
        if key.numbers.saved:
            known = (view.number(uid) for uid in self._session.saved)
            return list(ranges_of(number for number in known if number is not None))
        return view.spans(key.numbers, uid=key.uid)


def _dated(group: Candidates, field: DateField, how: int, day: int) -> Answers:
    """Compare days: a date counts as written, in the zone it came with (RFC 3501 §6.4.4)."""
    columns, at = group.columns, group.at
    if field is DateField.SAVED:
        saved = columns.saved_dates
        return [compare_days(saved[one] // DAY_S, how, day) for one in at]
    dates, zones = columns.internal_dates, columns.zones
    return [compare_days((dates[one] + zones[one] * 60) // DAY_S, how, day) for one in at]


def compare_days(day: int, how: int, limit: int) -> bool:
    """Say whether a day is before (-1), on (0) or since (1) another."""
    return day < limit if how < 0 else day >= limit if how > 0 else day == limit


def _known_flag(name: str, keywords: dict[str, Flag]) -> Flag | None:
    try:
        wanted = flag(name)
    except ValueError:
        return None
    return keywords.get(wanted.casefold()) if not wanted.startswith("\\") else wanted


def _inside(numbers: Sequence[int], spans: Sequence[tuple[int, int]]) -> Iterator[bool]:
    """Say of each of ascending numbers whether it lies in one of the ascending spans."""
    span = bisect_left(spans, numbers[0], key=itemgetter(1))
    for number in numbers:
        while span < len(spans) and spans[span][1] < number:
            span += 1
        yield span < len(spans) and spans[span][0] <= number
