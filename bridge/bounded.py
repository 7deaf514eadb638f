"""The inside of a process that ``apart`` runs: from its input to its output, within bounds."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable
from typing import IO

from bridge.limits import APART_BYTES

POLITENESS = 5
TOO_COSTLY, DISK_FAILED = 3, 4
"""Exit statuses; see ``apart``."""


def begin(work: Callable[[IO[bytes], IO[bytes]], None]) -> int:
    """Do the work of a program, from standard input to standard output; return its status."""
    _limit()
    try:
        work(sys.stdin.buffer, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except MemoryError:
        return TOO_COSTLY
    except OSError:
        return DISK_FAILED
    return 0


def line(value: object) -> bytes:
    """Return a value as a line of JSON."""
    return json.dumps(value).encode("ascii") + b"\n"


def _limit() -> None:
    """Take no more memory than may be, and let all others go first."""
    if sys.platform == "win32":  # has neither
        return
    import resource

    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (APART_BYTES, APART_BYTES))
    with contextlib.suppress(OSError):
        os.nice(POLITENESS)
