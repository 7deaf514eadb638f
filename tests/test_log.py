"""Log lines: one a line, bounded, and never a reason to fail."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from bridge.limits import LOG_VALUE_CHARS
from bridge.log import configure


@pytest.fixture(autouse=True)
def _undone() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    "value",
    ["a\r\nb", "x" * 1_000_000, "\x1b[2J\x00", "a\u2028b"],
    ids=["lines", "long", "esc", "ls"],
)
def test_a_value_is_bounded_and_on_one_line(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    errors = StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    configure("human")
    structlog.get_logger().warning("login refused", login=value)
    (line,) = errors.getvalue().splitlines()
    assert len(line) < LOG_VALUE_CHARS + 200
    assert "\x1b" not in line
    assert "\x00" not in line


class Full(StringIO):
    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("form", ["human", "json"])
def test_a_line_that_cannot_be_written_is_lost(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setattr(sys, "stderr", Full())
    configure("json" if form == "json" else "human")
    structlog.get_logger().warning("nobody hears this")
    logging.getLogger("asyncio").error("nor this")


def test_a_traceback_keeps_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    configure("json")
    try:
        raise ValueError("oops")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "\n" in json.loads(errors.getvalue())["exception"]
