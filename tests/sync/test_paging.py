"""Finding out how the listing is cut, from pages 0, 1 and 2."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.api.schema import InboxPage, InboxRow
from bridge.sync.paging import Layout, discover, holds_all, with_next

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def rows(*numbers: int, dated: bool = True) -> tuple[InboxRow, ...]:
    return tuple(
        InboxRow(
            str(number),
            sender="a",
            recipient="b",
            date_text=str(number),
            subject="c",
            raw=f'{{"id": {number}}}',
            date=FIRST + timedelta(days=number) if dated else None,
        )
        for number in numbers
    )


def page(*numbers: int, total: int | None = None, dated: bool = True) -> InboxPage:
    return InboxPage(rows(*numbers, dated=dated), None, total, None)


NOTHING = page()

CASES = {
    "base 0, newest first": (page(9, 8, 7, total=9), page(6, 5, 4, total=9), (0, True, True)),
    "base 0, oldest first": (page(1, 2, 3, total=9), page(4, 5, 6, total=9), (0, False, False)),
    "base 0, newest pages": (page(7, 8, 9, total=9), page(4, 5, 6, total=9), (0, True, False)),
    "base 1, pages 0 and 1 alike": (
        page(9, 8, 7, total=9),
        page(9, 8, 7, total=9),
        (1, None, True),
    ),
    "base 1, page 0 refused": (NOTHING, page(9, 8, 7, total=9), (1, None, True)),
    "base 1, one came between": (
        page(9, 8, 7, 6, total=9),
        page(10, 9, 8, 7, total=10),
        (1, None, True),
    ),
    "one page only": (page(3, 2, 1, total=3), None, (0, None, True)),
    "one page only, rising": (page(1, 2, 3, total=3), None, (0, None, False)),
    "no total, page 1 empty": (page(3, 2, 1), NOTHING, (0, None, True)),
    "nothing at all": (NOTHING, NOTHING, (0, None, True)),
    "ids tell where dates do not": (
        page(9, 8, 7, total=9, dated=False),
        page(6, 5, 4, total=9, dated=False),
        (0, True, True),
    ),
}


@pytest.mark.parametrize(("first", "second", "expected"), CASES.values(), ids=CASES)
def test_pages_0_and_1_tell_the_layout(
    first: InboxPage, second: InboxPage | None, expected: tuple[int, bool | None, bool]
) -> None:
    layout = discover(first, second)
    assert (layout.base, layout.newest_first, layout.descending) == expected


def test_page_2_tells_the_order_where_counting_begins_at_1() -> None:
    layout = discover(page(1, 2, 3, total=9), page(1, 2, 3, total=9))
    layout = with_next(layout, rows(1, 2, 3), rows(4, 5, 6))
    assert (layout.base, layout.newest_first, layout.size) == (1, False, 3)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [(page(1, 2, total=2), True), (page(1, 2, total=3), False), (page(1, 2), False)],
    ids=["all", "more", "no total"],
)
def test_a_page_that_says_it_is_all(shown: InboxPage, expected: bool) -> None:
    assert holds_all(shown) is expected


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("total", [1, 24, 25, 26, 50, 51, 981])
def test_every_position_is_on_the_page_where_it_is_listed(base: int, total: int) -> None:
    newest_first = Layout(base, 25, True, True, single=False)
    oldest_first = Layout(base, 25, False, False, single=False)
    for position in range(total):
        assert newest_first.page_of(position, total) == base + position // 25
        assert oldest_first.page_of(position, total) == base + (total - 1 - position) // 25


def test_the_walk_to_the_oldest_ends_where_pages_begin_if_the_oldest_comes_first() -> None:
    layout = Layout(1, 25, False, False, single=False)
    assert (layout.older(2), layout.older(1), layout.newer(1)) == (1, None, 2)


def alike(*numbers: int, subject: str = "uguale") -> tuple[InboxRow, ...]:
    """Return rows that are the same in all but their ids."""
    return tuple(
        InboxRow(
            str(one),
            sender="a",
            recipient="b",
            date_text="x",
            subject=subject,
            raw=f'{{"id": {one}}}',
            date=FIRST,
        )
        for one in numbers
    )


def test_rows_alike_on_both_pages_do_not_make_them_one_page() -> None:
    one = InboxPage((*alike(30, subject="altro"), *alike(*range(29, 5, -1))), None, 30, None)
    other = InboxPage((*alike(5, 4), *alike(3, 2, subject="altro"), *rows(1)), None, 30, None)
    assert discover(one, other).base == 0
    full = InboxPage(alike(*range(25, 0, -1)), None, 50, None)
    assert discover(InboxPage(alike(*range(50, 25, -1)), None, 50, None), full).base == 0


def test_rows_alike_of_one_page_are_one_page_though_one_came_between() -> None:
    before = InboxPage(alike(*range(25, 0, -1)), None, 50, None)
    after = InboxPage(alike(*range(26, 1, -1)), None, 51, None)
    assert discover(before, after).base == 1
