"""On which pages the rows of one group of twins are by now.

Rows move towards older pages as others come, and to newer ones as others go; pages noted before
are looked at first, then those beside them.

Failure: errors of the API pass.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.sync.locating import LOOKED_FOR, Moment
from bridge.sync.memory import Doubt
from bridge.sync.paging import Layout, Snapshot
from bridge.sync.twincase import Case, see


def _first_pages(doubt: Doubt, room: int) -> list[int]:
    """Return the first pages of a doubt, which are read together: those of ``room`` rows or so."""
    first: list[int] = []
    for number in sorted(doubt.pages)[:LOOKED_FOR]:
        if first and room <= 0:
            break
        first.append(number)
        room -= len(doubt.pages[number])
    return first


def noted(doubt: Doubt, room: int) -> int:
    """Return how many rows were seen on the first pages of a doubt."""
    return len(frozenset[str]().union(*(doubt.pages[at] for at in _first_pages(doubt, room))))


async def pages_of(case: Case, before: Moment, room: int, layout: Layout) -> dict[int, Snapshot]:
    """Return the first pages on which rows of a group may be that were not read yet.

    Where some are not on their page any more, they may be on the next one by now.

    Args:
        case: the group.
        before: reads pages.
        room: how many of its texts may be read now.
        layout: how pages are cut.
    """
    await before.edge()
    looked_at = await before.pages(_first_pages(case.doubt, room))
    pages = await _with_moved(case, before, looked_at, layout)
    for place in case.bodiless[:LOOKED_FOR]:
        if not any(place.api_id in page.ids for page in pages.values()):
            page = await before.page_with(place)
            if page is not None:
                pages[page.number] = page
    return pages


async def _with_moved(
    case: Case, before: Moment, looked_at: Mapping[int, Snapshot], layout: Layout
) -> dict[int, Snapshot]:
    """Return pages, and those beside them to which rows have moved since they were noted."""
    noted, pages = case.doubt.pages, dict(looked_at)
    for beside in (layout.older, layout.newer):
        listed = frozenset[str]().union(*(page.ids for page in pages.values()))
        beyond = {beside(at) for at in looked_at if not noted[at] <= listed}
        pages |= await before.pages({at for at in beyond if at is not None})
    return pages


async def stands_listed(case: Case, after: Moment, layout: Layout) -> bool:
    """Tell whether a group is listed as it was.

    Of one that is not whole, what was read is: under its ids, where it was or on the next page, to
    which it moves as others come.
    """
    if case.is_whole:
        return see(case.name, await after.again(case.name, case.pages), layout).ids == case.seen.ids
    if not case.rows:
        return True
    wanted = {one.api_id for one in case.rows}
    numbers = set(case.pages)
    next_page = layout.older(min(numbers) if layout.newest_first is False else max(numbers))
    for more in ([], [next_page]):
        numbers |= {at for at in more if at is not None}
        if wanted.issubset(see(case.name, await after.pages(numbers), layout).ids):
            return True
    return False
