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

What "moved as" means is told by ``shifts``.

Invariant: ``align`` never declares a row new that could be a known one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from bridge.store.remote import Place
from bridge.sync.alignment import Alignment, falling
from bridge.sync.departures import NOTHING_WENT, Departures
from bridge.sync.listed import Listed
from bridge.sync.shifts import shifted_by, strangely_moved, went_down


def align(
    page: Sequence[Listed],
    known: Iterable[Place],
    above: float | None = None,
    departures: Departures = NOTHING_WENT,
) -> Alignment:
    """Match a page, newest row first, with the known rows of its fingerprints.

    Args:
        page: what is listed.
        known: every live row that has one of their fingerprints, newest first.
        above: see ``Alignment``.
        departures: what was deleted of late.
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
    shifts = {index: shifted_by(page[index], place) for index, place in partners.items()}
    unsure = (set(partners) - single) | (set(partners) - set(falling(partners, above)))
    strange = strangely_moved(partners, shifts, single, unsure)
    strange -= went_down(page, partners, shifts, strange & (single - unsure), departures)
    doubtful.update(page[index].fingerprint for index in strange if page[index].api_id)
    partners = {at: one for at, one in partners.items() if one.fingerprint not in doubtful}
    fresh = tuple(
        index
        for index, one in enumerate(page)
        if index not in partners and one.fingerprint not in doubtful
    )
    twins = frozenset(name for name, at in indexes.items() if max(len(at), len(groups[name])) > 1)
    return Alignment(tuple(page), partners, fresh, frozenset(doubtful), twins, above)


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
