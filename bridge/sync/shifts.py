"""By how much ids moved, and whether a row's id went along with those beside it. Pure.

Ids that are positions all move together when a row goes or comes (Q11): a row's by as much as its
neighbour's, or by something in between. What an id moved by is told since it was noted. Ids are
noted a page at a time, so on one page some may be older than others (``Place.turn``): only what was
noted no later than a row's own id tells whether that moved alone, and what was noted before it may
have moved before it. What was not seen as the rows to either side of it moved, drifted with them
(``Place.drift``, ``drifted``).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

from bridge.store.remote import Place, RemoteId
from bridge.sync.alignment import STILL, Alignment
from bridge.sync.departures import Departures
from bridge.sync.listed import Listed


def shifted_by(one: Listed, place: Place) -> int | None:
    """Return by how much a row's id has moved, None if it is another one that is no number."""
    if one.api_id == place.api_id:
        return 0
    numbers = (one.api_id, place.api_id)
    return int(one.api_id) - int(place.api_id) if all(map(is_number, numbers)) else None


def is_number(api_id: str) -> bool:
    """Tell whether an id may be a position."""
    return api_id.isascii() and api_id.isdigit() and len(api_id) < 19


def strangely_moved(
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


def went_down(
    page: Sequence[Listed],
    partners: Mapping[int, Place],
    shifts: Mapping[int, int | None],
    among: Iterable[int],
    departures: Departures,
) -> set[int]:
    """Return the rows whose ids went down as others below them were deleted.

    By no more than so many, and each to just beside what is listed next to it.

    Args:
        page: what is listed.
        partners: the known rows on it.
        shifts: by how much each one's id has moved.
        among: the rows to judge.
        departures: what was deleted of late.
    """
    found = set()
    for index in among:
        place, shift = partners[index], shifts[index]
        least, most = place.drift
        if shift is None or not _is_beside(page, index):
            continue
        gone = departures.below(place)  # counted last: it takes as long as there are many
        if gone and least - gone <= shift <= most:
            found.add(index)
    return found


def _is_beside(page: Sequence[Listed], index: int) -> bool:
    """Tell whether a row's id is the next to that of a row beside it."""
    near = page[max(index - 1, 0) : index + 2]
    ids = [int(one.api_id) for one in near if is_number(one.api_id)]
    return any(upper - lower == 1 for upper, lower in pairwise(ids))


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
    shift, drift = (
        shifted_by(alignment.rows[index], place),
        _moved_between(alignment, beside, place),
    )
    if drift is None:
        return {shifted_by(alignment.rows[at], alignment.partners[at]) for at in beside} == {0}
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
        shift = shifted_by(alignment.rows[at], alignment.partners[at])
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
