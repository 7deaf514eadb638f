"""Log lines: one a line, bounded, and never a reason to fail."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from bridge.cli.log import WINDOW_S, FewOfAKind, configure
from bridge.limits import LOG_LINES_OF_A_KIND, LOG_VALUE_CHARS
from bridge.naming import name_account


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


def test_lines_about_clients_are_counted_when_there_are_too_many() -> None:
    now_s = 5.0
    few = FewOfAKind(lambda: now_s)
    passed = 0
    for number in range(3 * LOG_LINES_OF_A_KIND):
        with contextlib.suppress(structlog.DropEvent):
            assert few(None, "", {"event": "refused", "peer": f"192.0.2.{number}"})
            passed += 1
    assert passed == LOG_LINES_OF_A_KIND
    assert few(None, "", {"event": "login", "peer": "192.0.2.1"}) == {
        "event": "login",
        "peer": "192.0.2.1",
    }
    for _ in range(3 * LOG_LINES_OF_A_KIND):
        assert few(None, "", {"event": "submission_queued"})
    now_s += WINDOW_S
    line = few(None, "", {"event": "refused", "peer": "192.0.2.1"})
    assert line["left_out"] == 2 * LOG_LINES_OF_A_KIND
    assert "left_out" not in few(None, "", {"event": "refused", "peer": "192.0.2.1"})


def test_lines_left_out_are_left_out_of_what_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    configure("json")
    for _ in range(2 * LOG_LINES_OF_A_KIND):
        structlog.get_logger().warning("turned away", peer="192.0.2.1")
    structlog.get_logger().warning("something else")
    assert len(errors.getvalue().splitlines()) == LOG_LINES_OF_A_KIND + 1


@pytest.mark.parametrize(
    ("level", "shown"),
    [("info", "…@altra.example wrote to io@pec.example"), ("debug", None)],
)
def test_other_peoples_addresses_lose_their_names(
    monkeypatch: pytest.MonkeyPatch, level: str, shown: str | None
) -> None:
    name_account(4711, "Io@pec.example")
    errors = StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    configure("json", level)
    text = "mario.rossi@altra.example wrote to io@pec.example"
    structlog.get_logger().warning("x", account=4711, reason=text, message_id="<a@b.example>")
    line = json.loads(errors.getvalue())
    assert line["account"] == "Io@pec.example"
    assert line["reason"] == (shown or text)
    assert line["message_id"] == "<a@b.example>"


def test_what_concerns_a_message_is_never_left_out() -> None:
    few = FewOfAKind(lambda: 5.0)
    for number in range(3 * LOG_LINES_OF_A_KIND):
        assert few(None, "", {"event": "submission_queued", "peer": "::1", "id": str(number)})
