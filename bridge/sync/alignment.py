"""What one page says beside what is known, and the order in which it says it. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from bridge.store.remote import Place, RemoteId
from bridge.sync.listed import Listed

STILL = (0, 0)
"""The drift of a row that was seen under its id when that was noted."""


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

    @cached_property
    def pairs(self) -> list[tuple[Place, Listed]]:
        """Known rows and where they are listed, newest first."""
        return [(self.partners[index], self.rows[index]) for index in sorted(self.partners)]

    @cached_property
    def moved(self) -> list[tuple[RemoteId, str]]:
        """Rows that are listed under another id than they were, and that id."""
        return [
            (place.remote, one.api_id)
            for place, one in self.pairs
            if place.api_id != one.api_id or place.drift != STILL
        ]

    @cached_property
    def steady(self) -> dict[int, Place]:
        """The known rows that are listed as their ranks go, by index: as many as possible."""
        return {index: self.partners[index] for index in falling(self.partners, self.above)}

    @property
    def in_order(self) -> bool:
        """Whether that is all of them."""
        return len(self.steady) == len(self.partners)

    def encloses(self, rank: float) -> bool:
        """Tell whether a row of that rank is listed here, if at all: others around it are."""
        ranks = [place.rank for place in self.partners.values()]
        return bool(ranks) and min(ranks) < rank < max(ranks) and self.in_order


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


def falling(partners: Mapping[int, Place], above: float | None) -> list[int]:
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
