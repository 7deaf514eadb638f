"""PARTIAL's window (RFC 9394 §3.1)."""

from __future__ import annotations

import pytest

from bridge.imapserver.partial import partial_of

WINDOWS = {
    "first two": ((1, 2), [10, 20]),
    "middle": ((2, 3), [20, 30]),
    "over the end": ((4, 9), [40, 50]),
    "beyond": ((6, 9), []),
    "last": ((-1, -1), [50]),
    "last two": ((-1, -2), [40, 50]),
    "before the last": ((-2, -3), [30, 40]),
    "over the start": ((-4, -9), [10, 20]),
    "before the start": ((-6, -9), []),
}


@pytest.mark.parametrize(("wanted", "expected"), WINDOWS.values(), ids=WINDOWS.keys())
def test_window(wanted: tuple[int, int], expected: list[int]) -> None:
    assert partial_of([10, 20, 30, 40, 50], wanted) == expected
