"""Rows that we deleted: by how much the ids of those above them may have gone down since. Pure.

Ids that are positions go down by one for each row that goes below (Q11). Which rows we deleted is
known for sure, so a row that no page showed since may have moved by so much and is still the same.
After a restart nothing is known of it: then a page that shows what is beside it tells, or its text.
"""

from __future__ import annotations

from bridge.store.remote import Place

MOST = 2_000
"""So many are kept, the last ones: to count fewer only means to look twice."""


class Departures:
    """One account's."""

    def __init__(self) -> None:
        self._gone: list[tuple[int, float]] = []

    def went(self, turn: int, rank: float) -> None:
        """Take note of a deletion.

        Args:
            turn: the last at which ids were noted (``store.remote.Place``).
            rank: where the row stood.
        """
        self._gone = [*self._gone[1 - MOST :], (turn, rank)]

    def raised(self, cut: float, by: float) -> None:
        """All that is ranked at ``cut`` or higher went up; if it did not after all, fewer count."""
        self._gone = [(turn, rank + by if rank >= cut else rank) for turn, rank in self._gone]

    def below(self, place: Place) -> int:
        """Count those that went below a row since its id was noted."""
        return sum(turn >= place.turn and rank < place.rank for turn, rank in self._gone)


NOTHING_WENT = Departures()
"""Of nobody's."""
