from __future__ import annotations

import pytest

from bridge.store.remote import Place, RemoteId
from bridge.sync.departures import MOST, Departures


def place(rank: float, turn: int) -> Place:
    return Place(RemoteId(1), b"n", "7", rank, None, turn)


@pytest.mark.parametrize(
    ("rank", "turn", "count"),
    [
        pytest.param(3.0, 5, 2, id="those below it"),
        pytest.param(2.0, 5, 1, id="not itself, nor what was above"),
        pytest.param(3.0, 6, 1, id="not those before its id was noted"),
        pytest.param(3.0, 8, 0, id="none of late"),
    ],
)
def test_those_count_that_went_below_a_row_since_its_id_was_noted(
    rank: float, turn: int, count: int
) -> None:
    departures = Departures()
    departures.went(5, 1.0)
    departures.went(7, 2.0)
    departures.went(7, 9.0)
    assert departures.below(place(rank, turn)) == count


def test_what_went_keeps_its_place_as_ranks_are_raised() -> None:
    departures = Departures()
    for rank in (1.0, 4.0):
        departures.went(1, rank)
    departures.raised(3.0, 100.0)
    assert departures.below(place(104.5, 1)) == 2
    assert departures.below(place(4.5, 1)) == 1


def test_the_last_ones_are_kept() -> None:
    departures = Departures()
    for turn in range(MOST + 5):
        departures.went(turn, 1.0)
    assert departures.below(place(2.0, 0)) == MOST
    assert departures.below(place(2.0, MOST + 4)) == 1
