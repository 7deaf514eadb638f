"""A program for ``test_forking``: what it does is its argument."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import IO

from bridge.apart import program
from bridge.apart.program import begin

LEFT_BEHIND: list[str] = []


def _tell(given: IO[bytes], made: IO[bytes]) -> None:
    before = list(LEFT_BEHIND)
    LEFT_BEHIND.append("something")
    told = {
        "given": given.read().decode(),
        "before": before,
        "process": os.getpid(),
        "parent": os.getppid(),
        "session": os.getsid(0),
        "open": sorted(os.listdir("/proc/self/fd")),
        "oom": Path("/proc/self/oom_score_adj").read_text(),
    }
    made.write(json.dumps(told).encode() + b"\n")


def _compute(given: IO[bytes], made: IO[bytes]) -> None:
    made.write(str(os.getpid()).encode())
    made.flush()
    sum(iter(int, 1))


def _take_memory(given: IO[bytes], made: IO[bytes]) -> None:
    bytes(program.memory_bytes(1))


def _crash(given: IO[bytes], made: IO[bytes]) -> None:
    json.loads(given.read())


def _abort(given: IO[bytes], made: IO[bytes]) -> None:
    sys.stderr.write("x" * 99_999)
    os.abort()


def _die(given: IO[bytes], made: IO[bytes]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _end_the_server(given: IO[bytes], made: IO[bytes]) -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(600)


def _write(given: IO[bytes], made: IO[bytes]) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (99, 99))
    made.write(b"x" * 9999)


def _import(given: IO[bytes], made: IO[bytes]) -> None:
    __import__("bridge.not_there")


WORK = {
    work.__name__[1:]: work
    for work in (
        *(_tell, _compute, _take_memory, _crash, _abort, _die, _end_the_server, _write, _import),
    )
}


def main(what: str, cpu_s: str = "") -> int:
    """Be the program; ``cpu_s`` is another limit of time on the processor."""
    if cpu_s:
        vars(program)["APART_CPU_S"] = float(cpu_s)
    return begin(WORK[what])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
