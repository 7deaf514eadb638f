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
whether that moved alone, and what was noted before it may have moved before it. What was not seen
as the rows to either side of it moved, drifted with them (``Place.drift``, ``drifted``).

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

STILL = (0, 0)
"""The drift of a row that was seen under its id when that was noted."""


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
            (place.remote, one.api_id)
            for place, one in self.pairs
            if place.api_id != one.api_id or place.drift != STILL
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
    single: set[int],
    unsure: Collection[int],
) -> set[int]:
    """Return the rows whose ids moved otherwise than those beside them.

    Args:
        partners: the known rows on the page.
        shifts: by how much each one's id has moved.
        single: those that have no twin: none may move while the rows beside it stay.
        unsure: those that may be another: each has to move as a single one beside it.
    """
    seen = {index for index, place in partners.items() if place.drift == STILL}
    beside = _beside(unsure, partners, single & seen)
    strange = {
        index
        for index in unsure
        if not _went_along(partners[index], shifts[index], {shifts[at] for at in beside[index]})
    }
    beside = _beside(single, partners, seen)
    return strange | {
        index
        for index in single
        if {shifts[at] for at in beside[index]} <= {0}
        and not _went_along(partners[index], shifts[index], ())
    }


def _went_along(place: Place, shift: int | None, shifts: Collection[int | None]) -> bool:
    """Tell whether a row's id moved as one beside it, or drifted; where none is, if it stayed."""
    least, most = place.drift
    if shift is None:
        return False
    return any(one is not None and one + least <= shift <= one + most for one in shifts or {0})


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
    beside = alignment.order.telling(index, place.turn)
    if not beside or (len(beside) < 2 and alignment.order.has_room(index, place.rank)):
        return False
    shift, drift = _shift(alignment.rows[index], place), _moved_between(alignment, beside, place)
    if drift is None:
        return {_shift(alignment.rows[at], alignment.partners[at]) for at in beside} == {0}
    return shift is None or not drift[0] <= shift <= drift[1]


def _moved_between(
    alignment: Alignment, beside: Sequence[int], place: Place
) -> tuple[int, int] | None:
    """Return by how much, at least and at most, an id moved between two that tell about it.

    What was noted before it may have moved before it as well. None if an id is no number.
    """
    least: list[int] = []
    most: list[int] = []
    for at in beside:
        shift = _shift(alignment.rows[at], alignment.partners[at])
        if shift is None:
            return None
        bounds = (shift, shift) if alignment.partners[at].turn == place.turn else (shift, 0)
        least.append(min(bounds))
        most.append(max(bounds))
    return place.drift[0] + min(least), place.drift[1] + max(most)


def drifted(
    alignment: Alignment, unseen: Iterable[Place]
) -> list[tuple[RemoteId, tuple[int, int]]]:
    """Return how much rows moved that a page does not show, or not for sure, where that is told.

    What is between two rows of the page moved by as much as they did, or by something in between;
    what is older than one of them, by as much at the most.
    """
    steady = sorted(at for at, one in alignment.steady.items() if one.drift == STILL)
    places = [alignment.partners[at] for at in steady]
    ranks = [-place.rank for place in places]
    found = []
    for place in unseen:
        middle = bisect_left(ranks, -place.rank)
        above = next(
            (at for at in range(middle - 1, -1, -1) if places[at].turn <= place.turn), None
        )
        below = next(
            (at for at in range(middle, len(ranks)) if places[at].turn <= place.turn), None
        )
        if above is None or not place.api_id:
            continue
        beside = [steady[above]] if below is None else [steady[above], steady[below]]
        drift = _moved_between(alignment, beside, place)
        if drift is not None and below is None:  # nothing is older, or it is not known by how much
            drift = min(drift[0], place.drift[0]), max(drift[1], place.drift[1])
        if drift is not None:
            found.append((place.remote, drift))
    return found


class Order:
    """The known rows of a page as they are listed, to be asked of one place after the other."""

    def __init__(self, partners: Mapping[int, Place]) -> None:
        self._indexes = sorted(partners)
        places = [partners[index] for index in self._indexes]
        self._is_seen = [place.drift == STILL for place in places]
        self._turns = [place.turn for place in places]
        ranks = [place.rank for place in places]
        self._lowest = list(accumulate(ranks, min))  # of those up to each one
        self._highest = list(accumulate(reversed(ranks), max))[::-1]  # of those from each one on

    def telling(self, index: int, turn: int) -> list[int]:
        """Return the nearest rows on either side that tell about an id (see ``_beside``)."""
        above, below = self._around(index)
        found = (
            next((at for at in range(above - 1, -1, -1) if self._tells(at, turn)), None),
            next((at for at in range(below, len(self._turns)) if self._tells(at, turn)), None),
        )
        return [self._indexes[at] for at in found if at is not None]

    def _tells(self, at: int, turn: int) -> bool:
        return self._is_seen[at] and self._turns[at] <= turn

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
    by_id = {place.api_id: place for place in places if place.drift[0] <= 0 <= place.drift[1]}
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
