"""The real daemon under every row of what costs, while somebody else is served.

What others wait is measured by what the daemon computed meanwhile (``watched``), which does not
change with what else the machine does; ``python -m tests.benchmarks.hostile`` prints all figures.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.costs.drive import Cost, drive
from tests.costs.hostile import ROWS
from tests.costs.world import world

WORST_HELD_S = 0.050
WORST_NOOP_S = 1.0
"""By the clock on the wall, on a machine with other work and with the bridge's own processes."""
WORST_GROWTH_MB = 230.0
"""Beyond what it was before: 300 MB together with what a bridge takes that has nothing to do."""

pytestmark = [
    pytest.mark.byhand,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]


async def test_nothing_stops_it_or_makes_it_large(tmp_path: Path) -> None:
    costs: list[Cost] = []
    async with world(tmp_path) as made:
        async for cost in drive(made):
            print(cost)  # noqa: T201 - shown when it fails
            costs.append(cost)
        assert made.daemon.returncode is None
    assert [cost.name for cost in costs] == list(ROWS)
    assert not [cost for cost in costs if cost.faults]
    assert not [cost for cost in costs if cost.held_s > WORST_HELD_S]
    assert not [cost for cost in costs if cost.noop_s > WORST_NOOP_S]
    assert not [cost for cost in costs if cost.peak_mb - cost.before_mb > WORST_GROWTH_MB]
    assert made.daemon.returncode == 0
