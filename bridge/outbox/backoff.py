"""When to try again what surely did not leave. Pure; the jitter's number is passed in.

A clock that ran ahead leaves times in the store that are far off once it is set right. So no time
in the store is waited for longer than it can have been meant: what is further off, or was set by
a clock that showed a later time than now, is due at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.api.errors import RETRY_AFTER_LIMIT_S
from bridge.clock import Backoff, spread_s
from bridge.store.outbox import HoldRow, SubmissionRow

FIRST_DELAY_S = 5.0
LAST_DELAY_S = 1800.0
GIVE_UP_AFTER = timedelta(days=5)
"""RFC 5321 §4.5.4.1 asks for four to five days."""

LONGEST_WAIT = timedelta(seconds=RETRY_AFTER_LIMIT_S + 1)
"""What ``retry_delay_s`` returns at the most."""

CLOCK_SLACK = timedelta(minutes=1)
"""Clocks are set back by so much every day, and nobody is to be tried early for that."""

FIRST_PROBE_S = 60.0
LAST_PROBE_S = 3600.0


def retry_delay_s(trying_for_s: float, retry_after_s: float | None, chance: float) -> float:
    """Return how long to wait before the next try.

    The wait is as long as all tries so far took, so the time doubles with each: exponential,
    and derived from what is stored.

    Args:
        trying_for_s: since the first try that failed.
        retry_after_s: what the API asked for; the wait is never shorter.
        chance: a random number in [0, 1).
    """
    delay_s = min(max(trying_for_s, FIRST_DELAY_S), LAST_DELAY_S)
    return spread_s(delay_s, retry_after_s, chance)


def probe_delay_s(probes: int) -> float:
    """Return how long to wait before probing a held account again, after ``probes`` tries."""
    return Backoff(FIRST_PROBE_S, LAST_PROBE_S).wait_s(probes)


def next_probe(hold: HoldRow, now: datetime) -> HoldRow:
    """Return the hold after one more try that met the same answer."""
    probes = hold.probes + 1
    return HoldRow(
        hold.account,
        hold.cause,
        hold.reason,
        hold.since,
        now + timedelta(seconds=probe_delay_s(probes)),
        probes,
    )


def due_at(row: SubmissionRow, now: datetime) -> datetime | None:
    """Return when an entry's next try may begin; None for now."""
    at = row.not_before
    if at is None or at <= now:
        return None
    is_believed = row.updated_at <= now + CLOCK_SLACK and at - now <= LONGEST_WAIT
    return at if is_believed else None


def probe_due_at(hold: HoldRow, now: datetime) -> datetime | None:
    """Return when a held account may be probed; None for now."""
    is_ahead = now < hold.probe_at <= now + timedelta(seconds=LAST_PROBE_S)
    return hold.probe_at if is_ahead else None
