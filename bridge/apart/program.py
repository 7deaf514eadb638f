"""The inside of a process that ``apart`` runs: from its input to its output, within bounds.

The system keeps the bounds, so that they hold while Python is in the middle of one long step, and
when the daemon is gone: its time on the processor, its time at all, its memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO

from bridge.limits import (
    APART_BYTES,
    APART_CPU_S,
    APART_SMALL_BYTES,
    APART_SMALL_MEMORY_BYTES,
    APART_WALL_S,
    TEXT_SLICE_CHARS,
)

POLITENESS = 5
TOO_COSTLY, DISK_FAILED, CRASHED = 3, 4, 5
"""Exit statuses; see ``apart``. Python's own say that the work was not even begun."""

TIE = "PEC_BRIDGE_TIE"
"""The variable with the descriptor of a pipe whose other end is held by the daemon while it lives,
or by the process that it began this one by."""

LONG = "a long text"
"""The name of what stands in a value for a text that is not in it."""

_FRAMES_TOLD = 8


def begin(work: Callable[[IO[bytes], IO[bytes]], None]) -> int:
    """Do the work of a program, from standard input to standard output; return its status."""
    _limit()
    try:
        with (
            open(sys.stdin.fileno(), "rb", closefd=False) as given,
            open(sys.stdout.fileno(), "wb", closefd=False) as made,  # which writes all or fails
        ):
            work(given, made)
    except MemoryError:
        return TOO_COSTLY
    except OSError:
        return DISK_FAILED
    except ImportError:  # the program is being replaced: nothing that was given is at fault
        raise
    except Exception as fault:
        sys.stderr.write(_where(fault))
        return CRASHED
    return 0


def line(value: object) -> bytes:
    """Return a value of JSON as ``apart.process.told`` reads it: a line, and behind it long texts.

    They stand as they are: to read JSON of megabytes would hold up the daemon.
    """
    texts: list[bytes] = []
    short = _without_long(value, texts)
    head = json.dumps([short, [len(one) for one in texts]]).encode("ascii")
    return b"".join((head, b"\n", *texts))


def _without_long(value: object, texts: list[bytes]) -> object:
    """Return a value with each long text in it moved to ``texts``, and its number in its place."""
    if isinstance(value, dict):
        return {name: _without_long(one, texts) for name, one in value.items()}
    if isinstance(value, str) and len(value) > TEXT_SLICE_CHARS:
        texts.append(value.encode("utf-8", "surrogatepass"))
        return {LONG: len(texts) - 1}
    return value


def memory_bytes(given_bytes: int) -> int:
    """Return how much memory work on so much may take; two work at once only if one is small."""
    return APART_BYTES if given_bytes > APART_SMALL_BYTES else APART_SMALL_MEMORY_BYTES


def _where(fault: BaseException) -> str:
    """Say what was raised and where; its text is left out, which may quote what somebody wrote."""
    frames = traceback.extract_tb(fault.__traceback__)[-_FRAMES_TOLD:]
    places = (f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in reversed(frames))
    return f"{type(fault).__name__} in {', '.join(places)}\n"


def _limit() -> None:
    """Take no more time and memory than may be, and let all others go first."""
    if sys.platform == "win32":  # has none of it
        return
    import resource

    most_bytes = memory_bytes(os.fstat(sys.stdin.fileno()).st_size)
    for what, most in (
        (resource.RLIMIT_AS, (most_bytes, most_bytes)),
        (resource.RLIMIT_CPU, (int(APART_CPU_S), int(APART_CPU_S) + 1)),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, most)
    signal.alarm(int(APART_WALL_S))
    end_with_the_daemon()
    with contextlib.suppress(OSError):
        os.nice(POLITENESS)
    with contextlib.suppress(OSError):  # where memory runs out, rather this than the daemon
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def end_with_the_daemon() -> None:
    """Have the system end this process (SIGIO) when nobody holds the other end of its tie."""
    if sys.platform == "win32" or TIE not in os.environ:
        return
    import fcntl
    import select

    tie = int(os.environ[TIE])
    with contextlib.suppress(OSError):
        fcntl.fcntl(tie, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(tie, fcntl.F_SETFL, fcntl.fcntl(tie, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(tie, 0)
    if poll.poll(0):  # it went before that
        sys.exit(-1)
