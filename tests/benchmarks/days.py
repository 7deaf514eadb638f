"""Days of mass mail on a virtual clock: ``python -m tests.benchmarks.days`` prints JSON lines.

For each day: sends, rows, requests by class, states known and how late (median, 99 %, worst),
incoming mail's delay, notices and alarms, blind minutes, and the seconds of CPU it took. Without
arguments the table of volumes below; else one volume, as the options say.

Goals at 3,500 sends to one recipient each within 1,440 requests, day after day: states known and
incoming mail shown within five minutes (99 %), no blind minute, alarms for true failures only, a
backlog of deletions that shrinks, and no more than 120 s of CPU. Each line ends with the goals that
its day did not reach; with ``--check`` the exit code is 1 if there are any.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from bridge.simulator import SEQUENCE_READING, Ids, ListingOrder, Options, PageCount
from tests.sync.mass import Mass, Volume, shortfalls

UNLIMITED = 0
CPU_S = 120
VOLUMES = (200, 1_000, 1_364, 3_500)
"""Sends a day; 1,364 are 30,000 a month on working days."""


def table() -> Iterator[tuple[Volume, int]]:
    """Yield each volume with the requests that a day has."""
    for per_day in (1_440, UNLIMITED):
        for sends in VOLUMES:
            for length_s in (10 * 3_600, sends):
                yield Volume(sends, length_s=length_s, failures=2, replies=3), per_day
            yield Volume(sends, recipients=5, failures=2, replies=3), per_day


def readings() -> Iterator[Options]:
    """Yield every reading of the description that matters to who reads lists."""
    for ids, order, base, count in product(Ids, ListingOrder, (0, 1), PageCount):
        yield SEQUENCE_READING.replace(ids=ids, order=order, page_base=base, page_count=count)


async def run(volume: Volume, per_day: int, days: int, options: Options = SEQUENCE_READING) -> bool:
    """Let days pass, and print what became of each; tells whether all goals were reached."""
    mass, unmet, left = Mass(volume), 0, 0
    with TemporaryDirectory() as data_dir:
        async with mass.running(Path(data_dir), per_day, options) as here:
            for day in range(days):
                began_s = time.process_time()
                figures = await mass.pass_day(here)
                facts = {
                    "sends": volume.sends,
                    "recipients": volume.recipients,
                    "hours": round(volume.length_s / 3_600, 1),
                    "per_day": per_day,
                    "reading": [
                        options.ids.value,
                        options.order.value,
                        options.page_base,
                        options.page_count.value,
                    ],
                    "alike": volume.alike,
                    "expunged": volume.expunged,
                    "day": day + 1,
                    **figures.facts(),
                    "cpu_s": round(time.process_time() - began_s, 1),
                }
                lacking = shortfalls(facts)
                if left and facts["deletions_left"] >= left:
                    lacking.append("a backlog of deletions that shrinks")
                if facts["cpu_s"] > CPU_S:
                    lacking.append(f"at most {CPU_S} s of CPU")
                unmet, left = unmet + len(lacking), facts["deletions_left"]
                sys.stdout.write(f"{json.dumps({**facts, 'unmet': lacking})}\n")
                sys.stdout.flush()
    return not unmet


def main() -> None:
    """Run what the arguments name."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sends", type=int, help="a day; without it the whole table")
    parser.add_argument("--recipients", type=int, default=1)
    parser.add_argument("--hours", type=float, default=10.0, help="0: one a second")
    parser.add_argument("--failures", type=int, default=2, help="of a hundred")
    parser.add_argument("--replies", type=int, default=3, help="of a hundred")
    parser.add_argument("--per-day", type=int, default=1_440, help="requests; 0: no limit")
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--alike", type=int, default=0, help="deliveries alike, of one more send")
    parser.add_argument("--expunged", type=int, default=0, help="receipts expunged a day")
    parser.add_argument("--readings", action="store_true", help="with every reading of the API")
    parser.add_argument("--order", type=ListingOrder, default=SEQUENCE_READING.order)
    parser.add_argument("--check", action="store_true", help="exit 1 if a goal is not reached")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    runs = list(table())
    if given.sends is not None:
        length_s = int(given.hours * 3_600) or given.sends
        volume = Volume(
            given.sends,
            given.recipients,
            length_s,
            given.failures,
            given.replies,
            given.alike,
            given.expunged,
        )
        runs = [(volume, given.per_day)]
    has_all = True
    one = SEQUENCE_READING.replace(order=given.order)
    for options in readings() if given.readings else (one,):
        for volume, per_day in runs:
            has_all &= asyncio.run(run(volume, per_day, given.days, options))
    sys.exit(1 if given.check and not has_all else 0)


if __name__ == "__main__":
    main()
