"""Which listed row is which known one: rows matched as a multiset, never by id alone. Pure.

The API's ids may be positions that shift at every deletion (Q11), and two receipts may agree in
every listed field (Q12). So a row is named by the fingerprint of (sender, recipient, date,
object), and several rows of one fingerprint are *twins*. A page is one atomic look at the
listing; between two pages rows may come and go. What follows from one page is therefore certain,
what follows from several only if nothing moved meanwhile:

- a fingerprint that was never seen is a new row;
- a row whose fingerprint is known once and listed once is that one, whatever its id is now, unless
  only its id moved: then it may be another just like it, and is doubtful;
- twins as many as before, whose ids moved as those of the rows beside them, are those, in order;
  any other change among twins is *doubtful*, and their bodies decide;
- a row that is listed out of its order and under an id that moved otherwise is doubtful too;
- a known row between two that are listed side by side may be gone; a second look decides.

What an id moved by is told since it was noted. Ids are noted a page at a time, so on one page some
may be older than others (``Place.turn``): only what was noted no later than a row's own id tells
whether that moved alone.

Invariant: ``align`` never declares a row new that could be a known one.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from functools import cached_property
from itertools import accumulate

from bridge.api.schema import InboxRow, UnreadableRow
from bridge.store.remote import Place, RemoteId

STEP = 1.0
"""Distance between the ranks of neighbours that come together."""

LEAST_STEP = 2.0**-10
"""Rows that would stand closer than this have room made for them: numbers are not endless."""

ROOM = STEP * 2**20
"""How much room is made."""


def fingerprint(row: InboxRow | UnreadableRow) -> bytes:
    """Return the digest that names a row's (sender, recipient, date, object).

    A date that can be read counts as the moment it names, so that another spelling of it is no
    other row; a row that cannot be read at all is named by its JSON.
    """
    if isinstance(row, UnreadableRow):
        return hashlib.sha256(b"unreadable\0" + row.raw.encode()).digest()
    date = row.date.astimezone(UTC).isoformat() if row.date is not None else row.date_text.strip()
    fields = [row.sender.strip(), row.recipient.strip(), date, row.subject.strip()]
    return hashlib.sha256(json.dumps(fields).encode()).digest()


@dataclass(frozen=True, slots=True)
class Listed:
    """One listed row; ``api_id`` is "" for one that names none."""

    fingerprint: bytes
    api_id: str
    row: InboxRow | UnreadableRow


def listed(row: InboxRow | UnreadableRow) -> Listed:
    """Return a row of a page as it is matched."""
    api_id = row.api_id if isinstance(row, InboxRow) else ""
    return Listed(fingerprint(row), api_id, row)


@dataclass(frozen=True)
class Alignment:
    """What one page says.

    ``rows`` are the page's, newest first; ``partners`` are the known ones among them by index;
    ``fresh`` are the indexes of new ones; ``doubtful`` are fingerprints whose twins only their
    bodies can tell apart, ``twins`` all that more than one row has. ``above`` is the rank of the
    row that is known to come just before the page, or on it, None if that is not known.
    """

    rows: tuple[Listed, ...]
    partners: Mapping[int, Place]
    fresh: tuple[int, ...]
    doubtful: frozenset[bytes]
    twins: frozenset[bytes] = frozenset()
    above: float | None = None

    @cached_property
    def order(self) -> Order:
        """The known rows in the page's order."""
        return Order(self.partners)

    @property
    def pairs(self) -> list[tuple[Place, Listed]]:
        """Known rows and where they are listed, newest first."""
        return [(self.partners[index], self.rows[index]) for index in sorted(self.partners)]

    @property
    def moved(self) -> list[tuple[RemoteId, str]]:
        """Rows that are listed under another id than they were, and that id."""
        return [
            (place.remote, one.api_id) for place, one in self.pairs if place.api_id != one.api_id
        ]

    @property
    def steady(self) -> dict[int, Place]:
        """The known rows that are listed as their ranks go, by index: as many as possible."""
        return {index: self.partners[index] for index in _falling(self.partners, self.above)}

    @property
    def in_order(self) -> bool:
        """Whether that is all of them."""
        return len(self.steady) == len(self.partners)


def align(page: Sequence[Listed], known: Iterable[Place], above: float | None = None) -> Alignment:
    """Match a page, newest row first, with the known rows of its fingerprints.

    ``known`` holds every live row that has one of their fingerprints, newest first; for ``above``
    see ``Alignment``.
    """
    groups: dict[bytes, list[Place]] = defaultdict(list)
    for place in known:
        groups[place.fingerprint].append(place)
    indexes: dict[bytes, list[int]] = defaultdict(list)
    for index, one in enumerate(page):
        indexes[one.fingerprint].append(index)
    doubtful: set[bytes] = set()
    partners: dict[int, Place] = {}
    for name, at in indexes.items():
        pairing = _pair([page[index] for index in at], groups[name])
        if pairing is None:
            doubtful.add(name)
        else:
            partners.update({at[index]: place for index, place in pairing.items()})
    single = {at[0] for name, at in indexes.items() if len(at) == len(groups[name]) == 1}
    shifts = {index: _shift(page[index], place) for index, place in partners.items()}
    unsure = (set(partners) - single) | (set(partners) - set(_falling(partners, above)))
    strange = _strangely_moved(partners, shifts, single, unsure)
    doubtful.update(page[index].fingerprint for index in strange if page[index].api_id)
    partners = {at: one for at, one in partners.items() if one.fingerprint not in doubtful}
    fresh = tuple(
        index
        for index, one in enumerate(page)
        if index not in partners and one.fingerprint not in doubtful
    )
    twins = frozenset(name for name, at in indexes.items() if max(len(at), len(groups[name])) > 1)
    return Alignment(tuple(page), partners, fresh, frozenset(doubtful), twins, above)


def _shift(one: Listed, place: Place) -> int | None:
    """Return by how much a row's id has moved, None if it is another one that is no number."""
    if one.api_id == place.api_id:
        return 0
    numbers = (one.api_id, place.api_id)
    if all(number.isascii() and number.isdigit() and len(number) < 19 for number in numbers):
        return int(one.api_id) - int(place.api_id)
    return None


def _strangely_moved(
    partners: Mapping[int, Place],
    shifts: Mapping[int, int | None],
    single: Collection[int],
    unsure: Collection[int],
) -> set[int]:
    """Return the rows whose ids moved otherwise than those beside them.

    Args:
        partners: the known rows on the page.
        shifts: by how much each one's id has moved.
        single: those that have no twin: none may move while the rows beside it stay.
        unsure: those that may be another: each has to move as a single one beside it.
    """
    beside = _beside(unsure, partners, single)
    strange = {
        index
        for index in unsure
        if shifts[index] is None
        or shifts[index] not in ({shifts[at] for at in beside[index]} or {0})
    }
    beside = _beside(single, partners, partners)
    return strange | {
        index
        for index in single
        if shifts[index] != 0 and {shifts[at] for at in beside[index]} <= {0}
    }


def _beside(
    indexes: Collection[int], partners: Mapping[int, Place], others: Collection[int]
) -> dict[int, list[int]]:
    """Return for each index the nearest of the others on either side that tell about its row's id.

    One whose id was noted at a later turn than the row's shows only what moved since then.
    """
    found: dict[int, list[int]] = {index: [] for index in indexes}
    for is_down in (False, True):
        nearest: list[int] = []  # of the others passed, those not hidden by a nearer, older one
        turns: list[int] = []  # theirs, rising
        for index in sorted({*indexes, *others}, reverse=is_down):
            turn = partners[index].turn
            telling = bisect_right(turns, turn)
            if index in found and telling:
                found[index].append(nearest[telling - 1])
            if index in others:
                hidden = bisect_left(turns, turn)
                nearest[hidden:], turns[hidden:] = [index], [turn]
    return found


def is_replaced(place: Place, alignment: Alignment, index: int) -> bool:
    """Tell whether a listed row can't be a known one, though it has its body too.

    Ids that are positions all move together: a row's by as much as a neighbour's, or by something
    in between. At the page's edge, with a known neighbour on one side only, one that went between
    them moves them differently too: there it has to stand where its rank has it not as well.
    """
    partners, rows, order = alignment.partners, alignment.rows, alignment.order
    beside = order.telling(index, place.turn)
    if not beside or (len(beside) < 2 and order.has_room(index, place.rank)):
        return False
    shift, shifts = _shift(rows[index], place), [_shift(rows[at], partners[at]) for at in beside]
    known = [one for one in shifts if one is not None]
    if shift is None or len(known) < len(shifts):
        return set(shifts) == {0}
    return not min(known) <= shift <= max(known)


class Order:
    """The known rows of a page as they are listed, to be asked of one place after the other."""

    def __init__(self, partners: Mapping[int, Place]) -> None:
        self._indexes = sorted(partners)
        places = [partners[index] for index in self._indexes]
        self._turns = [place.turn for place in places]
        ranks = [place.rank for place in places]
        self._lowest = list(accumulate(ranks, min))  # of those up to each one
        self._highest = list(accumulate(reversed(ranks), max))[::-1]  # of those from each one on

    def telling(self, index: int, turn: int) -> list[int]:
        """Return the nearest rows on either side that tell about an id (see ``_beside``)."""
        above, below = self._around(index)
        found = (
            next((at for at in range(above - 1, -1, -1) if self._turns[at] <= turn), None),
            next((at for at in range(below, len(self._turns)) if self._turns[at] <= turn), None),
        )
        return [self._indexes[at] for at in found if at is not None]

    def has_room(self, index: int, rank: float) -> bool:
        """Tell whether a rank stands in order at a place: higher are above it, and no others."""
        above, below = self._around(index)
        return not (
            (above and self._lowest[above - 1] <= rank)
            or (below < len(self._highest) and self._highest[below] > rank)
        )

    def _around(self, index: int) -> tuple[int, int]:
        return bisect_left(self._indexes, index), bisect_right(self._indexes, index)


def _pair(rows: Sequence[Listed], places: Sequence[Place]) -> dict[int, Place] | None:
    """Return which of the rows, by index, is which place; None if only bodies can tell."""
    by_id = {place.api_id: place for place in places}
    pairing = {index: by_id[row.api_id] for index, row in enumerate(rows) if row.api_id in by_id}
    unreadable = not rows[0].api_id  # nothing tells these apart, nor needs to
    if len(pairing) == len(rows) and not unreadable:
        return pairing  # perhaps not all of the twins, but each stands where it did
    if len(rows) == len(places) or unreadable or (not places and len(rows) == 1):
        return dict(zip(range(len(rows)), places, strict=False))
    return None


def _falling(partners: Mapping[int, Place], above: float | None) -> list[int]:
    """Return the longest run of indexes, in order, whose ranks fall strictly.

    What follows on the row ranked ``above`` must be ranked below it.
    """
    edge = next((index for index, place in partners.items() if place.rank == above), -1)
    ends: list[int] = []  # by length: the index that a run of it ends with, the highest rank so far
    depths: list[float] = []  # their ranks, negated so that they rise
    before: dict[int, int | None] = {}
    for index in sorted(partners):
        rank = partners[index].rank
        if above is not None and index > edge and rank >= above:
            continue
        length = bisect_left(depths, -rank)
        before[index] = ends[length - 1] if length else None
        ends[length : length + 1] = [index]
        depths[length : length + 1] = [-rank]
    run: list[int] = []
    at = ends[-1] if ends else None
    while at is not None:
        run.append(at)
        at = before[at]
    return run[::-1]


def ranked(alignment: Alignment, upper: float | None, lower: float | None) -> dict[int, float]:
    """Return ranks for the rows of a page that need one, by index.

    New rows are spread between their neighbours, and so are known ones that are out of order.

    Args:
        alignment: the page.
        upper: the rank next above its highest in order, None if that is the newest.
        lower: the rank next below its lowest in order, None if that is the oldest.
    """
    ranks: dict[int, float] = {}
    for run, above, below in _gaps(alignment, upper, lower):
        ranks.update(zip(run, _spread(len(run), above, below), strict=True))
    return ranks


def cramped(alignment: Alignment, upper: float | None, lower: float | None) -> float | None:
    """Return the rank from which on rows have to go higher to make room for those of a page.

    None if there is room; the arguments are those of ``ranked``.
    """
    for run, above, below in _gaps(alignment, upper, lower):
        if not run or above is None or below is None:
            continue
        if (above - below) / (len(run) + 1) < LEAST_STEP:
            return above
    return None


def raised(rank: float, cut: float) -> float:
    """Return a rank as it is once all that is ranked at ``cut`` or higher went up by ``ROOM``."""
    return rank + ROOM if rank >= cut else rank


def with_room(alignment: Alignment, cut: float) -> Alignment:
    """Return an alignment as it is once that was done."""
    partners = {
        at: replace(one, rank=raised(one.rank, cut)) for at, one in alignment.partners.items()
    }
    above = None if alignment.above is None else raised(alignment.above, cut)
    return replace(alignment, partners=partners, above=above)


def _gaps(
    alignment: Alignment, upper: float | None, lower: float | None
) -> Iterator[tuple[list[int], float | None, float | None]]:
    """Yield the rows of a page that need a rank, by index, with the ranks that they are between."""
    partners = alignment.steady
    wanted = {*alignment.fresh, *(index for index in alignment.partners if index not in partners)}
    run: list[int] = []
    for index in range(len(alignment.rows) + 1):
        if index in wanted:
            run.append(index)
        elif index in partners or index == len(alignment.rows):
            below = partners[index].rank if index in partners else lower
            yield run, upper, below
            upper, run = below, []


def _spread(count: int, upper: float | None, lower: float | None) -> list[float]:
    """Return ``count`` falling ranks between two, either of which may be open."""
    if upper is None:
        least = 0.0 if lower is None else lower
        return [least + STEP * (count - index) for index in range(count)]
    if lower is None:
        return [upper - STEP * (index + 1) for index in range(count)]
    step = min((upper - lower) / (count + 1), STEP)
    return [upper - step * (index + 1) for index in range(count)]


def missing(alignment: Alignment, between: Iterable[Place]) -> tuple[Place, ...]:
    """Return the known rows of ``between`` that the page should list and does not.

    Twins that are in doubt on the page are not taken for missing.
    """
    paired = {place.remote for place in alignment.partners.values()}
    return tuple(
        place
        for place in between
        if place.remote not in paired and place.fingerprint not in alignment.doubtful
    )
