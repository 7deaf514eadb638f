"""A progress bar on a terminal; loads nothing where there is none to see it."""

from __future__ import annotations

import sys
from typing import Any

from bridge.operations.control import Progress


class Bar:
    """A context manager; ``progress`` is told how far it has come.

    Args:
        words: what is being done.
    """

    def __init__(self, words: str) -> None:
        self._words = words
        self._bar: Any = None

    def __enter__(self) -> Bar:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress as RichBar

            self._bar = RichBar(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(self._words, total=None)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    @property
    def progress(self) -> Progress:
        """Return what is told how far it has come."""
        return self._update

    def _update(self, done: int, total: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)
