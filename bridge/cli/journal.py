"""What systemd's journal wants of a log line: to be recognised, and the priority in front.

Pure but for looking at what standard error is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TextIO

_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}

Renderer = Callable[[Any, str, Any], Any]


def is_journal(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether a stream leads to the journal (``JOURNAL_STREAM``, systemd.exec)."""
    told = environment.get("JOURNAL_STREAM", "")
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return told == f"{status.st_dev}:{status.st_ino}"


def with_priority(render: Renderer) -> Renderer:
    """Return a last processor that puts syslog's priority before each line (sd-daemon)."""

    def rendered(logger: Any, method: str, event: Any) -> Any:
        level = event.get("level", method)
        mark = f"<{_PRIORITIES.get(level, 6)}>"
        text = str(render(logger, method, event))
        return "\n".join(f"{mark}{line}" for line in text.split("\n"))

    return rendered
