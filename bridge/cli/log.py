"""Log lines: one event a line to standard error, for people or as JSON.

Everything goes through structlog; what libraries say by ``logging`` comes out in the same form,
warnings and worse only, since their chatter may name what a message holds. In systemd's journal
each line has its priority. Accounts have their addresses; other people's addresses are shown
without their names, but at the level debug.

Failure: none. A line that cannot be written (a full disk, a pipe whose reader is gone) is lost;
what was being done goes on.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import time
from collections.abc import Callable
from typing import Literal, TextIO, cast

import structlog

from bridge.cli.journal import is_journal, with_priority
from bridge.limits import LOG_LINES_OF_A_KIND, LOG_VALUE_CHARS, shortened
from bridge.naming import address_of, is_own

LogForm = Literal["human", "json"]
WINDOW_S = 10.0


def configure(form: LogForm, level: str = "info") -> None:
    """Set the form and the least level for this process; call once, at its start."""
    errors = _Unfailing(sys.stderr)
    in_journal = is_journal(sys.stderr)
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        FewOfAKind(),
        _named,
        structlog.processors.format_exc_info,
        *([] if level == "debug" else [_discreet]),
        _bounded,
    ]
    if not in_journal:  # which has its own
        shared.append(structlog.processors.TimeStamper(fmt="iso", utc=True))
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(default=str)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    )
    final = [with_priority(renderer) if in_journal else renderer]
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


def _named(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Call accounts by their addresses."""
    account = event.get("account")
    if isinstance(account, int):
        event["account"] = address_of(account) or account
    return event


_ADDRESS = re.compile(
    r"[^\s<>@,;:\"'(){}\[\]]{1,64}@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,10})"
)
_SHOWN_WHOLE = frozenset({"event", "level", "account", "login", "message_id"})


def _discreet(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Take the names out of other people's addresses: who writes to whom is in no ordinary log."""
    for name, value in event.items():
        if isinstance(value, str) and name not in _SHOWN_WHOLE and "@" in value:
            event[name] = _ADDRESS.sub(_masked, value)
    return event


def _masked(found: re.Match[str]) -> str:
    return found[0] if is_own(found[0]) else f"…@{found[1]}"


def _bounded(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Cut each value that came from outside, and keep lines whole: a name may hold line ends."""
    for name, value in event.items():
        if isinstance(value, str) and name not in ("exception", "stack"):
            text = " ".join(shortened(value, LOG_VALUE_CHARS).splitlines())
            if not text.isprintable():
                text = "".join(char if char.isprintable() else "\ufffd" for char in text)
            event[name] = text
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
        if "peer" not in event or "id" in event:  # what concerns a message is never left out
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
