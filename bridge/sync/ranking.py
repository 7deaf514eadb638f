"""Ranks: a number for each row's place among all of its account, the newest the highest. Pure.

They are what the order of the listing is told by, while ids move and pages are cut anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bridge.sync.alignment import Alignment

STEP = 1.0
"""Distance between the ranks of neighbours that come together."""

LEAST_STEP = 2.0**-10
"""Rows that would stand closer than this have room made for them: numbers are not endless."""

ROOM = STEP * 2**20
"""How much room is made."""


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
