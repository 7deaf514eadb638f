"""What the pure paths cost, against another commit: ``python -m tests.benchmarks.pure_paths``.

Parsing commands, rendering answers, ingesting and checking messages, reading the API's answers:
see ``pure_work``. ``--against COMMIT`` takes a worktree of that commit, has both measured turn by
turn, each in a process of its own, and removes it again. Printed are medians of the processor's
time of one piece of work in microseconds, and the ratio. Names choose the paths they are part of.
"""

from __future__ import annotations

import argparse
import gc
import os
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

ABSENT = "absent"
"""What a checkout says that has no such path."""

Work = Callable[[], object]
Taken = dict[tuple[str, Path], list[float]]


class Worker:
    """A process that measures what it is told to in one checkout."""

    def __init__(self, tree: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), "--work"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(tree)},
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def measured(self, name: str) -> float | None:
        """Return what one piece of that work takes, in microseconds; None where it is absent."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{name}\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline().strip()
        return None if said == ABSENT else float(said)


def _paths() -> Mapping[str, tuple[Callable[[], Work], int]]:
    """Return this checkout's pieces of work, which are then done by the modules of another."""
    found = runpy.run_path(str(Path(__file__).with_name("pure_work.py")))
    return cast(Mapping[str, tuple[Callable[[], Work], int]], found["PATHS"])


def _work() -> None:
    """Be the process: read names, measure, write figures."""
    paths = _paths()
    ready: dict[str, Work] = {}
    gc.disable()
    for line in sys.stdin:
        make, times = paths[name := line.rstrip("\n")]
        try:
            if name not in ready:
                ready[name] = make()
                ready[name]()
        except (ImportError, AttributeError, TypeError):
            print(ABSENT, flush=True)
            continue
        work = ready[name]
        gc.collect()
        began_ns = time.thread_time_ns()
        for _ in range(times):
            work()
        print((time.thread_time_ns() - began_ns) / 1000 / times, flush=True)


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """Give a worktree of a commit, for as long as it is needed."""
    with tempfile.TemporaryDirectory() as made:
        tree = Path(made) / "tree"
        subprocess.run(["git", "worktree", "add", "--detach", "-q", tree, commit], check=True)
        try:
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], check=True)


def compare(trees: Sequence[Path], names: Sequence[str], starts: int, rounds: int) -> Taken:
    """Measure each path in each tree, turn by turn; return what each turn took."""
    taken: Taken = {(name, tree): [] for name in names for tree in trees}
    for _ in range(starts):
        with ExitStack() as stack:
            workers = [(tree, stack.enter_context(Worker(tree))) for tree in trees]
            for name in names:
                for turn in range(rounds):
                    for tree, worker in workers if turn % 2 else workers[::-1]:
                        took_us = worker.measured(name)
                        if took_us is not None:
                            taken[name, tree].append(took_us)
    return taken


def show(taken: Taken, trees: Sequence[Path], names: Sequence[str]) -> None:
    """Print medians, this checkout's first, and its ratio to the other."""
    for name in names:
        all_of = [taken[name, tree] for tree in trees]
        medians = [statistics.median(turns) if turns else None for turns in all_of]
        shown = [f"{'-' if one is None else format(one, '.1f'):>10}" for one in medians]
        now, *before = medians
        ratio = f"{now / before[0]:10.2f}" if now and before and before[0] else ""
        print(f"{name:36}", *shown, ratio)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("paths", nargs="*", metavar="PATH", help="part of a name; default: all")
    parser.add_argument("--against", metavar="COMMIT", help="also measure this one, in turns")
    parser.add_argument("--starts", type=int, default=3, help="processes of each checkout")
    parser.add_argument("--rounds", type=int, default=9, help="measurements by each process")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        _work()
        return
    wanted = given.paths or [""]
    names = [name for name in _paths() if any(part in name for part in wanted)]
    own = Path(__file__).resolve().parents[2]
    with ExitStack() as stack:
        trees = [own]
        if given.against:
            trees.append(stack.enter_context(checkout(given.against)))
        print(f"{'microseconds':36}", f"{'now':>10}", f"{given.against or '':>10}")
        show(compare(trees, names, given.starts, given.rounds), trees, names)


if __name__ == "__main__":
    main()
