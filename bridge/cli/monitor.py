"""``status --check``: all of the status in one line, as monitoring plugins tell it. Pure.

CRITICAL: no bridge runs, or mail of an account cannot go on without a person, or was not read for
an hour. WARNING: what has to be looked at, and what may end by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

STALE = timedelta(hours=1)
"""An inbox that could not be read for so long is critical."""


LAGGING = timedelta(minutes=30)
"""What a hook was not told for so long is worth a look."""


class Level(IntEnum):
    """How bad it is; the number is the exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


def verdict(facts: Mapping[str, Any], now: datetime) -> tuple[Level, str]:
    """Return how bad a status is, and the line that says so."""
    found = sorted(_found(facts, now), key=lambda one: -one[0])
    level = found[0][0] if found else Level.OK
    words = "; ".join(text for _, text in found) or _well(facts)
    return level, line(level, f"{words}{_traced(facts)} | {_figures(facts)}")


def line(level: Level, words: str) -> str:
    """Return the line of a verdict; whatever would break it is taken out."""
    return f"PEC-BRIDGE {level.name} - {' '.join(words.split())}"


def _found(facts: Mapping[str, Any], now: datetime) -> Iterator[tuple[Level, str]]:
    if not facts["running"]:
        yield Level.CRITICAL, "no bridge is running"
    if facts["store"]:
        yield Level.CRITICAL, _clean(facts["store"])
    for account in facts["accounts"]:
        if account["error"]:
            is_bad = account["refused"] or _is_stale(account, facts["since"], now)
            level = Level.CRITICAL if is_bad else Level.WARNING
            yield level, f"{account['address']}: {_clean(account['error'])}"
        elif facts["running"] and _is_stale(account, facts["since"], now) and _is_due(account, now):
            yield Level.CRITICAL, f"{account['address']}: not read for more than an hour"
        if account["paused_since"]:
            yield Level.WARNING, f"{account['address']}: the queue is paused"
    yield from _told(facts, now)
    alarms = unacknowledged(facts["alarms"])
    if alarms:
        kinds = ", ".join(sorted({alarm["kind"] for alarm in alarms}))
        yield Level.WARNING, f"{len(alarms)} alarm{'s' * (len(alarms) > 1)}: {kinds}"


def _told(facts: Mapping[str, Any], now: datetime) -> Iterator[tuple[Level, str]]:
    """Yield what is wrong with telling others."""
    for hook in facts["hooks"]:
        if hook["dead"]:
            yield Level.WARNING, f"hook {hook['name']}: {hook['dead']} events were given up"
        elif hook["waiting"] and now - datetime.fromisoformat(hook["oldest_at"]) > LAGGING:
            yield Level.WARNING, f"hook {hook['name']}: {_clean(hook['error'] or 'it lags behind')}"
    for way in facts["alarms_out"]:
        if way["failures"] > 1:
            yield Level.WARNING, f"alarms by {way['way']}: {_clean(way['error'])}"


def unacknowledged(alarms: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the alarms that nobody has acknowledged."""
    return [alarm for alarm in alarms if not alarm["acknowledged_at"]]


def _is_stale(account: Mapping[str, Any], since: str | None, now: datetime) -> bool:
    """Tell whether an inbox was not read for long; a bridge that just began has some time."""
    known = [datetime.fromisoformat(at) for at in (account["last_sync"], since) if at]
    return bool(known) and now - max(known) > STALE


def _is_due(account: Mapping[str, Any], now: datetime) -> bool:
    """Tell whether the next look is not meant to be later, as where the day's requests end."""
    at = account["next_sync"]
    return at is None or datetime.fromisoformat(at) <= now


def _well(facts: Mapping[str, Any]) -> str:
    count = len(facts["accounts"])
    return f"{count} account{'s' * (count != 1)}, version {facts['version']}"


def _traced(facts: Mapping[str, Any]) -> str:
    """Say that what is said is written down; it ends by itself, so it is nothing to warn of."""
    count = len(facts.get("traces", ()))
    return f"; {count} trace{'s' * (count != 1)} on" if count else ""


def _figures(facts: Mapping[str, Any]) -> str:
    queue, alarms = facts["queue"], unacknowledged(facts["alarms"])
    waiting = sum(queue.get(state, 0) for state in ("queued", "held"))
    return f"waiting={waiting} uncertain={queue.get('uncertain', 0)} alarms={len(alarms)}"


def _clean(text: str) -> str:
    return text.replace("|", "/").rstrip(".")
