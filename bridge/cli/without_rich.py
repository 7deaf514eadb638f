"""Libraries without the parts of them that load rich: ten megabytes of a daemon for nothing.

structlog loads rich, where it finds it, to draw tracebacks (ours are plain, see ``cli.log``), and
httpx, with pygments and click, for a command of its own. Tables and bars load it when they are
printed. structlog also loads greenlet, a megabyte, to follow what is never used here.
This module is imported before anything that imports structlog; later it changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

HIDDEN = ("rich", "pygments", "click", "greenlet")


@contextmanager
def without_rich() -> Iterator[None]:
    """Hide what is not wanted from what is imported meanwhile, where it is not loaded yet."""
    hidden = [name for name in HIDDEN if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = cast(Any, None)  # how the import system marks what is not to be had
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with without_rich():
    import structlog  # noqa: F401 - for the sake of not seeing rich
