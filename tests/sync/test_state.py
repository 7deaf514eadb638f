"""What sync remembers survives being written down; damage is forgotten, not fatal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bridge.model import Quota
from bridge.sync.demand import Arrivals
from bridge.sync.loss import Loss
from bridge.sync.paging import Layout
from bridge.sync.state import Sweep, SyncState, dump, load

AT = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
FULL = SyncState(
    layout=Layout(1, 25, newest_first=False, descending=False, single=False),
    sweep=Sweep(3, -7.5, 981, whole=True, found=True),
    total=981,
    extent=975,
    excess=2,
    suspected=3,
    whole_at=AT,
    last_sync=AT,
    loss=Loss(AT, 2, 30),
    quota=Quota(800, 1000),
    quota_at=AT,
    arrivals=Arrivals().seen([AT], AT).fetched(AT.date(), 3),
)


@pytest.mark.parametrize("state", [SyncState(), FULL], ids=["first", "full"])
def test_state_is_read_as_it_was_written(state: SyncState) -> None:
    assert load(dump(state)) == state


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        '{"total": "x", "layout": {"old": 1}, "whole_at": 7}',
        '{"arrivals": {"2026-01-15": {"rows": [1], "texts": 0}}}',
        '{"arrivals": [1]}',
    ],
)
def test_what_cannot_be_read_is_forgotten(text: str) -> None:
    assert load(text) == SyncState()


def test_a_damaged_part_leaves_the_others() -> None:
    assert load('{"total": 5, "sweep": {"page": 1}}') == SyncState(total=5)


@pytest.mark.parametrize(
    ("state", "live", "expected"),
    [
        (SyncState(total=5), 5, True),
        (SyncState(total=6), 5, False),
        (SyncState(total=6, excess=1), 5, True),
        (SyncState(), 5, True),
    ],
)
def test_a_total_that_is_explained(state: SyncState, live: int, expected: bool) -> None:
    assert state.agrees(live) is expected


@pytest.mark.parametrize(
    ("total", "above"),
    [(100, -7.5), (124, -7.5), (125, None), (90, -7.5), (None, -7.5)],
)
def test_new_rows_of_the_next_page_are_below_the_last_unless_a_whole_page_came(
    total: int | None, above: float | None
) -> None:
    """Then the next page shows only what is newer than the last one."""
    assert Sweep(3, -7.5, 100, whole=False).rank_above(total, 25) == above
