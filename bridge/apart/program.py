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
TOO_COSTLY, DISK_FAILED, CRASHED = 3, 4, 5
"""Exit statuses; see ``apart``. Python's own say that the work was not even begun."""


def begin(work: Callable[[IO[bytes], IO[bytes]], None]) -> int:
    """Do the work of a program, from standard input to standard output; return its status."""
    _limit()
    try:
        with open(sys.stdout.fileno(), "wb", closefd=False) as made:
            work(sys.stdin.buffer, made)  # sys.stdout may write a part and say nothing
    except MemoryError:
        return TOO_COSTLY
    except OSError:
        return DISK_FAILED
    except ImportError:  # the program is being replaced: nothing that was given is at fault
        raise
    except Exception:
        return CRASHED
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
