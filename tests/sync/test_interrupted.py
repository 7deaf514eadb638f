"""Where reading goes on once a gap is read that interrupted it."""

from __future__ import annotations

import pytest

from bridge.sync.interrupted import MOST, Interrupted
from bridge.sync.paging import Layout
from bridge.sync.state import Sweep

NEWEST = Layout(base=1, size=25, newest_first=True, descending=True, single=False)
OLDEST = Layout(base=1, size=25, newest_first=False, descending=False, single=False)


def sweep(page: int, total: int | None) -> Sweep:
    return Sweep(page, above=7.0, total=total, whole=False, found=True)


def test_what_was_interrupted_last_goes_on_first() -> None:
    left = Interrupted()
    left.add(sweep(40, 2_000), is_gap=False)
    left.add(sweep(1, 2_100), is_gap=True)
    read = sweep(5, 2_250)
    assert left.resumed(read, NEWEST) == (Sweep(6, None, 2_250, whole=False, found=True), True)
    assert left.resumed(read, NEWEST) == (Sweep(49, None, 2_250, whole=False, found=True), False)
    assert not left


def test_where_the_oldest_page_comes_first_new_rows_move_nothing() -> None:
    left = Interrupted()
    left.add(sweep(40, 2_000), is_gap=True)
    resumed, _ = left.resumed(sweep(88, 2_250), OLDEST)
    assert resumed.page == 41


@pytest.mark.parametrize(("total", "later"), [(2_000, 2_250), (None, None)])
def test_what_was_read_meanwhile_is_not_read_again(total: int | None, later: int | None) -> None:
    left = Interrupted()
    left.add(sweep(3, total), is_gap=True)
    read = sweep(12, later)
    assert left.resumed(read, NEWEST) == (read, True)


def test_the_earliest_of_very_many_are_come_by_page_by_page() -> None:
    left = Interrupted()
    for page in range(MOST + 2):
        left.add(sweep(page, 100), is_gap=True)
    pages = [left.resumed(sweep(0, 125), NEWEST)[0].page for _ in range(MOST)]
    assert pages[0] == MOST + 1
    assert not left


def test_nothing_is_left_once_all_is_explained() -> None:
    left = Interrupted()
    left.add(sweep(3, 100), is_gap=True)
    left.clear()
    assert not left
