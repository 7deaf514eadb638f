"""``pec-bridge`` with somebody inside who wants the loop: ``-m tests.costs.watched FOLDER …``.

He asks for a turn each 5 ms. Where it came late he writes a line of JSON to ``FOLDER/turns``: when,
how late, and what was computed since his turn before, by the loop's thread and by all threads of
the process. A clock on the wall says how busy the machine is; what he counts as *held* is how late
the turn was, or what the process computed meanwhile if that is less. Which step it was, ``py-spy
record --gil`` tells; ``faulthandler`` from a thread of its own ends the process now and then.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Coroutine, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bridge.cli import daemon, main

EVERY_S = 0.005
TOLD_FROM_S = 0.010


@dataclass(frozen=True, slots=True)
class Turn:
    """One that came late; seconds, ``at_s`` by ``time.monotonic``, which is the system's."""

    at_s: float
    late_s: float
    loop_s: float
    process_s: float

    @property
    def held_s(self) -> float:
        """How long the interpreter was held, whatever else the machine did."""
        return min(self.late_s, max(self.loop_s, self.process_s))


def turns(folder: Path, since_s: float) -> Iterator[Turn]:
    """Give the late ones since then."""
    for line in (folder / "turns").read_text().splitlines():
        turn = Turn(**json.loads(line))
        if turn.at_s >= since_s:
            yield turn


async def watch(folder: Path) -> None:
    """Ask for turns for ever."""
    with (folder / "turns").open("a", buffering=1) as told:
        while True:
            before_s = time.monotonic(), time.thread_time(), time.process_time()
            await asyncio.sleep(EVERY_S)
            now_s = time.monotonic(), time.thread_time(), time.process_time()
            took_s, loop_s, process_s = (
                now - before for now, before in zip(now_s, before_s, strict=True)
            )
            turn = Turn(now_s[0], took_s - EVERY_S, loop_s, process_s)
            if turn.late_s >= TOLD_FROM_S:
                told.write(json.dumps(asdict(turn)) + "\n")


def _watched(folder: Path) -> None:
    run = daemon.run

    async def both(serving: Coroutine[Any, Any, None]) -> None:
        watching = asyncio.create_task(watch(folder))
        try:
            await serving
        finally:
            watching.cancel()

    vars(daemon)["run"] = lambda serving: run(both(serving))
    main()


if __name__ == "__main__":
    place = Path(sys.argv.pop(1))
    sys.argv[0] = "pec-bridge"
    _watched(place)
