"""How the API cuts its listing into pages, found out from the pages themselves. Pure.

The description leaves open whether pages count from 0 or 1, which end comes first, how a page is
ordered inside, what a page past the end looks like and how ``n_of_pages`` is rounded (Q9, Q10,
Q22). ``n_of_pages`` and ``page`` are never believed; ``total`` is, where there is one.

``discover`` looks at pages 0 and 1. Where it cannot tell (one page only, no dates, no numbers) it
says so with ``newest_first`` None, and its caller reads everything. A wrong guess costs requests,
never a message: the total and the regular full pass bring up what a wrong order hid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from bridge.api.schema import InboxPage, InboxRow, UnreadableRow
from bridge.sync.listed import Listed, listed

Row = InboxRow | UnreadableRow

PAGE_ROWS = 25
"""Rows on a page until seen otherwise."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read the listing.

    ``base`` is the first page's number; ``size`` the rows of a full page; ``newest_first`` says
    which end it is, None if unknown; ``descending`` that a page has its newest row first.
    ``single`` says that there was only one page when this was found out: the rest is a guess.
    """

    base: int
    size: int
    newest_first: bool | None
    descending: bool
    single: bool

    def page_of(self, position: int, total: int) -> int:
        """Return the page that holds the row at ``position``, counted from the newest."""
        if self.newest_first is False:
            position = max(total - 1 - position, 0)
        return self.base + position // self.size

    def newest_page(self, total: int) -> int:
        """Return the page with the newest row."""
        return self.page_of(0, total)

    def older(self, number: int) -> int | None:
        """Return the page after ``number`` on the way to the oldest row, None if it has none."""
        if self.newest_first is False:
            return number - 1 if number > self.base else None
        return number + 1

    def is_older(self, number: int, page: int) -> bool:
        """Tell whether page ``number`` is behind ``page`` on the way to the oldest row."""
        return number < page if self.newest_first is False else number > page

    def newest_row_first(self, rows: tuple[Row, ...]) -> tuple[Row, ...]:
        """Return a page's rows as they came one after the other, the last one first."""
        return rows if self.descending else rows[::-1]

    def newer(self, number: int) -> int | None:
        """Return the page before ``number``, None if it is surely the newest."""
        if self.newest_first is False:
            return number + 1
        return number - 1 if number > self.base else None


@dataclass(frozen=True)
class Snapshot:
    """One page at one moment, newest row first; ``total`` is None where the API tells none."""

    number: int
    rows: tuple[Listed, ...]
    total: int | None

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids that it lists."""
        return frozenset(one.api_id for one in self.rows)

    @cached_property
    def indexes(self) -> Mapping[bytes, Sequence[int]]:
        """Where on the page the rows of each fingerprint are."""
        found: dict[bytes, list[int]] = {}
        for index, one in enumerate(self.rows):
            found.setdefault(one.fingerprint, []).append(index)
        return found


def has_oldest(page: Snapshot, layout: Layout | None) -> bool:
    """Tell whether a page has the oldest row, as far as page and total can tell."""
    if layout is None or layout.newest_first is False:
        return layout is not None and page.number == layout.base
    if page.total is None:
        return not page.rows
    if layout.single:
        return page.number == layout.base and len(page.rows) >= page.total
    return (page.number - layout.base + 1) * layout.size >= page.total


def is_end(page: Snapshot, layout: Layout | None) -> bool:
    """Tell whether nothing can be older than what a page lists: its rows make up the total.

    Where there is no total, a page without rows is the end.
    """
    if layout is None or layout.newest_first is False:
        return layout is not None and page.number == layout.base
    if page.total is None:
        return not page.rows
    return (page.number - layout.base) * layout.size + len(page.rows) == page.total


def is_upside_down(page: Snapshot) -> bool:
    """Tell whether a page begins with its oldest row, read by a layout that was a guess."""
    return _falls([one.row for one in page.rows]) is False


def turned(page: Snapshot) -> Snapshot:
    """Return a page as it is read the other way round."""
    return Snapshot(page.number, page.rows[::-1], page.total)


def same(one: Sequence[Row], other: Sequence[Row]) -> bool:
    """Tell whether two answers show the same page: each row as it was, ids too."""
    return bool(one) and [row.raw for row in one] == [row.raw for row in other]


def holds_all(page: InboxPage) -> bool:
    """Tell whether a page is the whole listing by its own account."""
    return page.total is not None and len(page.rows) >= page.total


def discover(first: InboxPage, second: InboxPage | None) -> Layout:
    """Work out the layout.

    Args:
        first: page 0, without rows if it was refused.
        second: page 1 likewise; None if page 0 holds the whole listing.
    """
    if second is None or not second.rows:
        return _layout(0, first.rows, None)
    if not first.rows:  # page 0 is refused or empty: counting begins at 1
        return _layout(1, second.rows, None, single=False)
    if _overlaps(first.rows, second.rows):
        more = first.total is None or first.total > len(first.rows)
        return _layout(1 if more else 0, first.rows, None, single=not more)
    return _layout(0, first.rows, second.rows)


def with_next(layout: Layout, page: Sequence[Row], following: Sequence[Row]) -> Layout:
    """Return the layout as two neighbouring pages show it, ``page`` having the lower number."""
    if not following or same(page, following):
        return layout
    found = _layout(layout.base, page, following)
    return found if found.newest_first is not None else layout


def _overlaps(one: Sequence[Row], other: Sequence[Row]) -> bool:
    """Tell whether pages 0 and 1 are one page, looked at before and after some change.

    Rows alike may fill both pages, so their number counts, and their ids: two pages of one moment
    share none, and a change between moves them by a few.
    """
    if same(one, other):
        return True
    if len(other) <= 2:
        return False
    enough = max(len(one), len(other)) / 2
    rows, others = list(map(listed, one)), list(map(listed, other))
    ids, other_ids = ({row.api_id for row in each if row.api_id} for each in (rows, others))
    if ids and other_ids and len(ids & other_ids) <= enough:
        return False
    names, other_names = (Counter(row.fingerprint for row in each) for each in (rows, others))
    return (names & other_names).total() > enough


def _layout(
    base: int, page: Sequence[Row], following: Sequence[Row] | None, *, single: bool | None = None
) -> Layout:
    inside = _falls(page)
    between = None if following is None else _precedes(page, following)
    size = max(len(page), len(following) if following else PAGE_ROWS)
    return Layout(
        base=base,
        size=size,
        newest_first=between,
        descending=inside if inside is not None else between is not False,
        single=(following is None) if single is None else single,
    )


def _falls(page: Sequence[Row]) -> bool | None:
    """Tell whether rows go from new to old; None if nothing tells."""
    for key in _keys(page):
        falling, rising = _steps(page, key)
        if falling != rising:
            return falling > rising
    return None


def _precedes(page: Sequence[Row], following: Sequence[Row]) -> bool | None:
    """Tell whether ``page`` is newer than the one that follows; None if nothing tells."""
    for key in _keys(page, following):
        one, other = _mean(page, key), _mean(following, key)
        if one is not None and other is not None and one != other:
            return one > other
    return None


Key = Callable[[Row], float | None]


def _keys(*pages: Sequence[Row]) -> list[Key]:
    """Return what may tell new from old, first what goes most steadily one way on the pages."""

    def unsteadiness(key: Key) -> float:
        steps = [_steps(page, key) for page in pages]
        every = sum(falling + rising for falling, rising in steps)
        return 1 - sum(abs(falling - rising) for falling, rising in steps) / every if every else 1

    return sorted((_moment, _number), key=unsteadiness)


def _steps(page: Sequence[Row], key: Key) -> tuple[int, int]:
    """Count the neighbours that fall, and those that rise."""
    values = [value for row in page if (value := key(row)) is not None]
    pairs = list(pairwise(values))
    return sum(one > other for one, other in pairs), sum(one < other for one, other in pairs)


def _mean(page: Sequence[Row], key: Key) -> float | None:
    values = [value for row in page if (value := key(row)) is not None]
    return sum(values) / len(values) if values else None


def _moment(row: Row) -> float | None:
    if isinstance(row, UnreadableRow) or row.date is None:
        return None
    return row.date.timestamp()


def _number(row: Row) -> float | None:
    if isinstance(row, UnreadableRow) or not (row.api_id.isascii() and row.api_id.isdigit()):
        return None
    return float(row.api_id[:18])
