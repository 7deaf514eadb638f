"""``pec-bridge`` with somebody inside who wants the loop: ``-m tests.costs.watched FOLDER …``.

He asks for a turn each 5 ms. Where it came late he writes a line of JSON to ``FOLDER/turns``: when,
how late, what the loop's thread computed since his turn before, how long it stood in the system's
queue for a processor, and what the other threads of the process computed. How late a turn is says
how busy the machine is. What counts as *held* is what a quiet machine would have as well: what the
loop's thread computed itself; and of the time that it could not go on although nobody else had the
processor, for another thread had the interpreter, at most what the other threads computed. A thread
that stood in the queue for long says nothing: what would have been many turns comes in one. Which
step it was, ``py-spy record --gil`` tells; ``faulthandler`` from a thread of its own ends the
process now and then.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Coroutine, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from bridge.cli import daemon, main

EVERY_S = 0.005
TOLD_FROM_S = 0.010
STARVED_FROM_S = 0.1


@dataclass(frozen=True, slots=True)
class Turn:
    """One that came late; seconds, ``at_s`` by ``time.monotonic``, which is the system's."""

    at_s: float
    late_s: float
    loop_s: float
    queued_s: float
    others_s: float

    @property
    def is_starved(self) -> bool:
        """Whether the machine had no processor for the loop for so long that it says nothing."""
        return self.queued_s > STARVED_FROM_S

    @property
    def held_s(self) -> float:
        """How long the interpreter was held, whatever else the machine did."""
        stopped_s = self.late_s - self.loop_s - self.queued_s
        return min(self.loop_s, self.late_s) + min(max(stopped_s, 0.0), self.others_s)


def turns(folder: Path, since_s: float) -> Iterator[Turn]:
    """Give the late ones since then."""
    for line in (folder / "turns").read_text().splitlines():
        turn = Turn(**json.loads(line))
        if turn.at_s >= since_s:
            yield turn


async def watch(folder: Path) -> None:
    """Ask for turns for ever."""
    with (
        (folder / "turns").open("a", buffering=1) as told,
        _of_this_thread() as thread,
    ):
        while True:
            before = _now(thread)
            await asyncio.sleep(EVERY_S)
            at_s, *computed = _now(thread)
            took_s, loop_s, queued_s, process_s = (
                now - then for now, then in zip((at_s, *computed), before, strict=True)
            )
            turn = Turn(at_s, took_s - EVERY_S, loop_s, queued_s, max(process_s - loop_s, 0.0))
            if turn.late_s >= TOLD_FROM_S:
                told.write(json.dumps(asdict(turn)) + "\n")


def _of_this_thread() -> IO[bytes]:
    return Path("/proc/thread-self/schedstat").open("rb", buffering=0)


def _now(thread: IO[bytes]) -> tuple[float, float, float, float]:
    """Return the time, what this thread computed and waited for a processor, what all computed."""
    thread.seek(0)
    computed_ns, queued_ns, _ = thread.read().split()
    return time.monotonic(), int(computed_ns) / 1e9, int(queued_ns) / 1e9, time.process_time()


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
