"""When to tell what again, and when to give up. Pure: time and chance are passed in.

Two things can be wrong, and each has its own waits. A receiver that is *down* takes nothing: all
its deliveries wait together, and one of them asks now and then. A delivery that is *refused* waits
alone, and others go on; only those behind it in its lane wait with it.

Patience is counted in seconds of waiting, not by the clock: a bridge that was off over a long
weekend, or a clock that jumps, makes nobody give up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.clock import JITTER, Backoff, spread_s
from bridge.hooks.states import DeliveryEvent, TryOutcome, following
from bridge.store.hooks import DeliveryRow, DeliveryState, HookRow

PATIENCE_S = 3 * 24 * 3600
"""For so long a receiver is asked in vain before a delivery is dead."""

REFUSED_WAITS = Backoff(5.0, 4 * 3600.0)
DOWN_WAITS = Backoff(5.0, 900.0)
FRESH_WAIT_S = 5.0
"""What was never tried asks a receiver that is down so soon, whatever was tried before it: a
delivery that alone brings its receiver down must not hold up others."""

RETRY_AFTER_LIMIT_S = 3600.0
"""What a receiver may ask for."""

LONGEST_WAIT = timedelta(seconds=max(REFUSED_WAITS.last_s * (1 + JITTER), RETRY_AFTER_LIMIT_S + 1))
"""No time in the store is waited for longer: a clock that ran ahead was set right then."""

LONGEST_DOWN_S = int(RETRY_AFTER_LIMIT_S) + 60
"""Two failures that lie further apart count for so much patience: the bridge was off between."""


@dataclass(frozen=True, slots=True)
class TryReport:
    """What came of a try.

    ``failures`` is the hook's when the try began: of several that fail at once one counts.
    ``reason`` is a sentence without a secret, "" where it was taken.
    """

    outcome: TryOutcome
    reason: str = ""
    retry_after_s: float | None = None
    failures: int = 0


def settle(
    hook: HookRow, delivery: DeliveryRow, report: TryReport, now: datetime, chance: float
) -> tuple[HookRow, DeliveryRow | None]:
    """Return hook and delivery after a try; the delivery is None once it was told.

    Args:
        hook: as it stands.
        delivery: what was tried, which waits.
        report: what came of it.
        now: aware.
        chance: a random number in [0, 1).
    """
    if report.outcome is TryOutcome.TAKEN:
        return _taken(hook, now), None
    hook = replace(hook, failed=hook.failed + 1)
    # One that alone brings its receiver down, again and again, uses up its own patience.
    is_alone = report.outcome is TryOutcome.REFUSED or hook.failures == 0
    if report.outcome is TryOutcome.REFUSED:
        # It answered, so it is not down.
        hook = replace(hook, failures=0, until=None, failed_at=None)
        wait_s = REFUSED_WAITS.wait_s(delivery.tries)
    else:
        hook = _down(hook, report, now, chance)
        wait_s = DOWN_WAITS.wait_s(delivery.tries)
    if hook.waited_s >= delivery.gives_up_s:
        dead = replace(dead_of(delivery, now), tries=delivery.tries + 1, error=report.reason)
        return replace(hook, died=hook.died + 1, error=report.reason), dead
    waiting = replace(
        delivery,
        state=_after(delivery, DeliveryEvent.FAILED),
        tries=delivery.tries + 1,
        due_at=now + timedelta(seconds=spread_s(wait_s, _asked(report), chance)),
        gives_up_s=delivery.gives_up_s - (int(wait_s) if is_alone else 0),
        error=report.reason,
    )
    return replace(hook, error=report.reason), waiting


def _taken(hook: HookRow, now: datetime) -> HookRow:
    return replace(
        hook,
        failures=0,
        failed_at=None,
        until=None,
        error="",
        delivered=hook.delivered + 1,
        succeeded_at=now,
    )


def _down(hook: HookRow, report: TryReport, now: datetime, chance: float) -> HookRow:
    if hook.failures != report.failures:
        return hook  # another that was under way at the same time was counted already
    since_s = 0.0 if hook.failed_at is None else (now - hook.failed_at).total_seconds()
    wait_s = spread_s(DOWN_WAITS.wait_s(hook.failures), _asked(report), chance)
    return replace(
        hook,
        failures=hook.failures + 1,
        failed_at=now,
        until=now + timedelta(seconds=wait_s),
        waited_s=hook.waited_s + int(min(max(since_s, 0.0), LONGEST_DOWN_S)),
    )


def _asked(report: TryReport) -> float | None:
    asked_s = report.retry_after_s
    return None if asked_s is None else min(asked_s, RETRY_AFTER_LIMIT_S)


def dead_of(delivery: DeliveryRow, now: datetime) -> DeliveryRow:
    """Return a delivery that is given up."""
    state = _after(delivery, DeliveryEvent.EXHAUSTED)
    return replace(delivery, state=state, died_at=now)


def revived(delivery: DeliveryRow, hook: HookRow, now: datetime) -> DeliveryRow:
    """Return a dead delivery that is to be told after all, with three days of its own.

    Raises:
        KeyError: it is not dead.
    """
    return replace(
        delivery,
        state=_after(delivery, DeliveryEvent.REDELIVER),
        tries=0,
        due_at=now,
        gives_up_s=hook.waited_s + PATIENCE_S,
        error="",
        died_at=None,
    )


def _after(delivery: DeliveryRow, event: DeliveryEvent) -> DeliveryState:
    state = following(delivery.state, event)
    assert state is not None  # noqa: S101 - these events end none
    return state


def resumes_at(hook: HookRow, now: datetime, *, fresh: bool) -> datetime:
    """Return when a hook may be asked again.

    Args:
        hook: as it stands.
        now: aware.
        fresh: whether with a delivery that was never tried.
    """
    until = hook.until
    if hook.failures == 0 or until is None or until - now > LONGEST_WAIT:
        return now
    if fresh and hook.failed_at is not None:
        until = min(until, hook.failed_at + timedelta(seconds=FRESH_WAIT_S))
    return max(until, now)


def refused_tries() -> tuple[int, ...]:
    """Return the waits in seconds before each further try of a delivery that is refused."""
    waits: list[int] = []
    while sum(waits) < PATIENCE_S:
        waits.append(int(REFUSED_WAITS.wait_s(len(waits))))
    return tuple(waits)
