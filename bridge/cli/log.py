"""Log lines: one event a line to standard error, for people or as JSON.

Everything goes through structlog; what libraries say by ``logging`` comes out in the same form,
warnings and worse only, since their chatter may name what a message holds.

Failure: none. A line that cannot be written (a full disk, a pipe whose reader is gone) is lost;
what was being done goes on.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Callable
from typing import Literal, TextIO, cast

import structlog

from bridge.limits import LOG_LINES_OF_A_KIND, LOG_VALUE_CHARS, shortened

LogForm = Literal["human", "json"]
WINDOW_S = 10.0
LEVELS = ("debug", "info", "warning", "error")


def configure(form: LogForm, level: str = "info") -> None:
    """Set the form and the least level for this process; call once, at its start."""
    errors = _Unfailing(sys.stderr)
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        FewOfAKind(),
        _bounded,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=_plain_traceback)]
    )
    structlog.configure(
        processors=[*shared, *final],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, errors)),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(errors)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _bounded(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Cut each value that came from outside, and keep lines whole: a name may hold line ends."""
    for name, value in event.items():
        if isinstance(value, str) and name not in ("exception", "stack"):
            text = " ".join(shortened(value, LOG_VALUE_CHARS).splitlines())
            event[name] = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return event


class FewOfAKind:
    """Leaves out lines about clients beyond so many of a kind in ``WINDOW_S``, and counts them.

    Strangers make as many as they like; they must not fill the disk, nor hide the rest.

    Args:
        monotonic_s: the time.
    """

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._began_s: dict[object, float] = {}
        self._seen: dict[object, int] = {}

    def __call__(
        self, _logger: object, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        """Pass an event on, or raise ``DropEvent``."""
        if "peer" not in event:
            return event
        kind, now_s = event.get("event"), self._monotonic_s()
        if now_s - self._began_s.get(kind, -WINDOW_S) >= WINDOW_S:
            left_out = self._seen.get(kind, 0) - LOG_LINES_OF_A_KIND
            self._began_s[kind], self._seen[kind] = now_s, 1
            return {**event, "left_out": left_out} if left_out > 0 else event
        self._seen[kind] += 1
        if self._seen[kind] > LOG_LINES_OF_A_KIND:
            raise structlog.DropEvent
        return event


class _Unfailing:
    """A stream that takes whatever it is given; ``WriteLogger`` wants no more of one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def _plain_traceback(stream: object, error: structlog.typing.ExcInfo) -> None:
    """Write a traceback without the values of variables: they may be secrets."""
    structlog.dev.plain_traceback(stream, error)  # type: ignore[arg-type]
