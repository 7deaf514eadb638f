"""Sequence sets: what they name, and the shortest way to write one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.imap.sequence import STAR, SequenceSet, format_numbers, merge, ranges_of

RESOLVED = {
    "single": (((3, 3),), 5, ((3, 3),)),
    "backwards": (((4, 2),), 5, ((2, 4),)),
    "star": (((STAR, STAR),), 5, ((5, 5),)),
    "up to star": (((2, STAR),), 5, ((2, 5),)),
    "beyond star": (((9, STAR),), 5, ((5, 9),)),
    "nothing there": (((1, STAR),), 0, ()),
    "overlapping": (((1, 3), (2, 5)), 9, ((1, 5),)),
    "touching": (((1, 2), (3, 4)), 9, ((1, 4),)),
    "apart": (((7, 8), (1, 2)), 9, ((1, 2), (7, 8))),
}


@pytest.mark.parametrize(("ranges", "largest", "expected"), RESOLVED.values(), ids=RESOLVED.keys())
def test_resolve(
    ranges: tuple[tuple[int, int], ...], largest: int, expected: tuple[tuple[int, int], ...]
) -> None:
    assert SequenceSet(ranges).resolve(largest) == expected


@given(st.sets(st.integers(1, 200)))
def test_a_written_set_names_what_was_put_in(numbers: set[int]) -> None:
    spans = list(ranges_of(sorted(numbers)))
    assert {number for low, high in spans for number in range(low, high + 1)} == numbers
    assert list(merge(spans)) == spans  # no shorter way


@pytest.mark.parametrize(
    ("numbers", "written"), [([], ""), ([4], "4"), ([1, 2, 3, 7], "1:3,7")], ids=str
)
def test_written(numbers: list[int], written: str) -> None:
    assert format_numbers(numbers) == written


def test_a_set_reads_as_a_client_wrote_it() -> None:
    assert str(SequenceSet(((1, 1), (3, STAR)))) == "1,3:*"
    assert str(SequenceSet(saved=True)) == "$"
