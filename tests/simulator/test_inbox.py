"""Rows, ids and pages under every reading."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.simulator import SEQUENCE_READING, Ids, ListingOrder, PageCount, PastEnd
from bridge.simulator.inbox import Inbox, RawRow

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)


def filled(count: int, **reading: object) -> Inbox:
    inbox = Inbox(SEQUENCE_READING.replace(**reading))
    for number in range(count):
        add(inbox, f"n{number}")
    return inbox


def add(inbox: Inbox, subject: str) -> None:
    inbox.add(sender="s", recipient="r", at=NOW, subject=subject, body="b")


def subjects(inbox: Inbox, page: int | None, query: str | None = None) -> list[str]:
    return [listed.row.subject for listed in inbox.page(page, query).rows]


@pytest.mark.parametrize(
    ("order", "first", "last"),
    [
        (ListingOrder.OLDEST, ["n0", "n1"], ["n4"]),
        (ListingOrder.NEWEST, ["n4", "n3"], ["n0"]),
        (ListingOrder.NEWEST_PAGES, ["n3", "n4"], ["n0"]),
    ],
)
def test_order_of_pages_and_rows(order: ListingOrder, first: list[str], last: list[str]) -> None:
    inbox = filled(5, order=order, page_size=2, page_base=1)
    assert subjects(inbox, 1) == first
    assert subjects(inbox, 3) == last


@pytest.mark.parametrize("base", [0, 1])
def test_no_page_and_pages_below_the_base_are_the_first(base: int) -> None:
    inbox = filled(60, page_base=base)
    first = subjects(inbox, base)
    assert len(first) == 25
    assert subjects(inbox, None) == subjects(inbox, 0) == first
    assert subjects(inbox, base + 1) != first


@pytest.mark.parametrize(
    ("past_end", "found", "expected"),
    [(PastEnd.EMPTY, True, []), (PastEnd.NOT_FOUND, False, []), (PastEnd.REPEAT, True, ["n0"])],
)
def test_past_the_last_page(past_end: PastEnd, found: bool, expected: list[str]) -> None:
    inbox = filled(26, past_end=past_end, order=ListingOrder.NEWEST, page_base=1)
    page = inbox.page(3)
    assert page.found is found
    assert [listed.row.subject for listed in page.rows] == expected


@pytest.mark.parametrize(
    ("count", "ceil", "floor"), [(0, 0, 0), (1, 1, 0), (25, 1, 1), (26, 2, 1), (981, 40, 39)]
)
def test_page_count(count: int, ceil: int, floor: int) -> None:
    for rounding, expected in ((PageCount.CEIL, ceil), (PageCount.FLOOR, floor)):
        page = filled(count, page_count=rounding).page(None)
        assert (page.total, page.page_count) == (count, expected)


def test_sequence_ids_shift_after_a_deletion_and_stable_ones_do_not() -> None:
    for ids, after in ((Ids.SEQUENCE, [1, 2]), (Ids.STABLE, [1, 3])):
        inbox = filled(3, ids=ids)
        row = inbox.find(2)
        assert row is not None
        inbox.remove(row)
        assert [listed.id for listed in inbox.listed()] == after
        add(inbox, "new")
        newest = inbox.listed()[-1]
        assert newest.id == (3 if ids is Ids.SEQUENCE else 4)
        assert inbox.find(newest.id) is newest.row


@pytest.mark.parametrize("ids", Ids)
def test_unknown_ids_find_nothing(ids: Ids) -> None:
    inbox = filled(3, ids=ids)
    assert [inbox.find(number) for number in (-1, 0, 4, 10**30)] == [None] * 4


def test_a_raw_row_is_found_by_the_id_it_claims() -> None:
    inbox = filled(1)
    for listing in ({"id": 99999}, {"id": "a/b"}, {"id": None}, {"object": "no id"}, "no object"):
        inbox.add(sender="", recipient="", at=NOW, subject="", body="", raw=RawRow(listing, {}))
    rows = inbox.rows
    assert inbox.find_raw("99999") is rows[1]
    assert inbox.find_raw("a/b") is rows[2]
    assert inbox.find_raw("None") is rows[3]
    assert inbox.find_raw("no id") is None
    inbox.remove_where(lambda row: row.raw is not None)
    assert inbox.find_raw("99999") is None


@given(
    count=st.integers(0, 80),
    size=st.integers(1, 30),
    base=st.integers(0, 1),
    order=st.sampled_from(ListingOrder),
    ids=st.sampled_from(Ids),
    removed=st.sets(st.integers(0, 79)),
)
def test_the_pages_hold_every_row_once_and_each_id_finds_its_row(
    count: int, size: int, base: int, order: ListingOrder, ids: Ids, removed: set[int]
) -> None:
    inbox = filled(
        count, page_size=size, page_base=base, order=order, ids=ids, past_end=PastEnd.EMPTY
    )
    inbox.remove_where(lambda row: row.number - 1 in removed)
    listed = list(
        itertools.chain.from_iterable(
            itertools.takewhile(bool, (inbox.page(base + k).rows for k in itertools.count()))
        )
    )
    expected = [f"n{number}" for number in range(count) if number not in removed]
    assert sorted(one.row.subject for one in listed) == sorted(expected)
    for one in listed:
        assert inbox.find(one.id) is one.row
    assert len({one.id for one in listed}) == len(listed)


def test_used_bytes_follow_additions_and_removals() -> None:
    inbox = filled(4)
    assert inbox.used_bytes == 4
    inbox.remove(inbox.rows[0])
    inbox.remove_where(lambda row: row.subject == "n3")
    assert (len(inbox), inbox.used_bytes) == (2, 2)
