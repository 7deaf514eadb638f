"""What each hostile input costs: ``python -m tests.benchmarks.hostile [WORD ...]`` prints a table.

A real ``pec-bridge serve`` against a simulated API, another user in a process of its own who sends
NOOP each 20 ms and submits each second, and the inputs of ``tests.costs.hostile`` one after the
other (those with one of the words in their names). Per row: how long it took, the user's worst
NOOP and submission, resident memory at its peak and afterwards (Linux), and what did not work.

Goals, on a quiet machine: no NOOP over 50 ms, no more than 300 MB, everything works a second later.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.costs.drive import drive
from tests.costs.hostile import ROWS
from tests.costs.world import world

FORM = "{:<52} {:>6} {:>8} {:>8} {:>8} {:>8} {:>8}  {}"


async def measure(folder: Path, words: list[str]) -> None:
    """Drive the rows and print."""
    names = [name for name in ROWS if not words or any(word in name for word in words)]
    print(FORM.format("row", "s", "NOOP ms", "held ms", "submit", "peak MB", "after", "faults"))
    async with world(folder) as made:
        async for cost in drive(made, names):
            print(
                FORM.format(
                    cost.name,
                    cost.took_s,
                    round(cost.noop_s * 1000),
                    round(cost.held_s * 1000),
                    round(cost.submit_s * 1000),
                    cost.peak_mb,
                    cost.after_mb,
                    "; ".join(cost.faults),
                ),
                flush=True,
            )


def main() -> None:
    """Measure in a folder of its own."""
    with TemporaryDirectory() as name:
        asyncio.run(measure(Path(name), sys.argv[1:]))


if __name__ == "__main__":
    main()
