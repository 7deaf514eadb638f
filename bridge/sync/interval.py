"""When to look at the API again. Pure; the jitter's number is passed in.

Quick while receipts are due or a client watches, slow when nobody looks. How far the day's
requests allow for it is ``api.share``'s to say.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.clock import Backoff, spread_s

DAY_S = 86_400.0
SHORTEST_S = 1.0
LONGEST_S = 900.0

JUST_SENT_S = 60.0
SENT_S = 600.0
SENT_LONG_S = 3_600.0
SEEN_S = 900.0

FIRST_RETRY_S = 5.0
LAST_RETRY_S = 900.0
FIRST_PROBE_S = 60.0
LAST_PROBE_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Situation:
    """What the interval depends on.

    ``since_sent_s`` is the time since a send ended and ``since_seen_s`` since a client had a
    mailbox open, None if never; ``watched`` says that one has now.
    """

    interval_s: float
    watched: bool = False
    since_sent_s: float | None = None
    since_seen_s: float | None = None


def wanted_s(now: Situation) -> float:
    """Return the interval that the situation asks for, budget apart."""
    return max(now.interval_s * _factor(now), SHORTEST_S)


def _factor(now: Situation) -> float:
    sent_s = DAY_S if now.since_sent_s is None else now.since_sent_s
    if sent_s < JUST_SENT_S:
        return 1 / 12
    if sent_s < SENT_S:
        return 1 / 6
    if now.watched:
        return 1 / 2
    seen_s = DAY_S if now.since_seen_s is None else now.since_seen_s
    if sent_s < SENT_LONG_S or seen_s < SEEN_S:
        return 1
    slow_s = min(5 * now.interval_s, max(LONGEST_S, now.interval_s))
    return slow_s / now.interval_s


def retry_s(failures: int, retry_after_s: float | None, chance: float) -> float:
    """Return how long to wait after the ``failures``-th failure in a row, first is 1.

    Args:
        failures: how many in a row.
        retry_after_s: what the API asked for; the wait is never shorter.
        chance: a random number in [0, 1).
    """
    return _grown(FIRST_RETRY_S, LAST_RETRY_S, failures, retry_after_s, chance)


def probe_s(failures: int, retry_after_s: float | None, chance: float) -> float:
    """Likewise where only a person can end the cause: a refused token, an empty wallet."""
    return _grown(FIRST_PROBE_S, LAST_PROBE_S, failures, retry_after_s, chance)


def _grown(
    first_s: float, last_s: float, failures: int, retry_after_s: float | None, chance: float
) -> float:
    return spread_s(Backoff(first_s, last_s).wait_s(failures - 1), retry_after_s, chance)
