from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

from bridge.app.responsive import TURN_S, keep_responsive


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    threshold, interval_s = gc.get_threshold(), sys.getswitchinterval()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)
    sys.setswitchinterval(interval_s)


def test_threads_get_short_turns() -> None:
    keep_responsive()
    assert sys.getswitchinterval() == pytest.approx(TURN_S)


def test_what_stays_is_not_looked_through_again() -> None:
    keep_responsive()
    assert gc.get_freeze_count() > 1000
    assert 5_000 < gc.get_threshold()[0] < 20_000  # what is found at once is freed at once
