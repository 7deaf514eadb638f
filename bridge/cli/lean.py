"""Libraries without the parts of them that load rich: ten megabytes of a daemon for nothing.

structlog loads rich, where it finds it, to draw tracebacks (ours are plain, see ``bridge.log``),
and httpx for a command of its own. Tables and bars load it when they are printed. This module is
imported before anything that imports structlog; later it changes nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast


@contextmanager
def without_rich() -> Iterator[None]:
    """Hide rich from what is imported meanwhile, unless it is loaded already."""
    if "rich" in sys.modules:
        yield
        return
    sys.modules["rich"] = cast(Any, None)  # how the import system marks what is not to be had
    try:
        yield
    finally:
        del sys.modules["rich"]


with without_rich():
    import structlog  # noqa: F401 - for the sake of not seeing rich
