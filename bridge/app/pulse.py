"""What the service manager hears while the bridge runs: signs of life, and how things stand.

A sign of life comes from the event loop, at least twice in the time that the watchdog allows: a
bridge whose loop stands still serves nobody, and is started anew.

Failure: none; a store that fails is what the manager is told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bridge.clock import Clock
from bridge.model import SubmissionState
from bridge.net.manager import notify, notify_status
from bridge.store.base import ReadTransaction, Store, StoreFailed

LOOK_EVERY_S = 30.0

Standing = Callable[[], Awaitable[str]]
"""Gives a sentence about how things stand."""


class Pulse:
    """See the module.

    Args:
        clock: time.
        watchdog_s: within how long the manager wants a sign of life; None if it wants none.
        standing: what it is told.
        told: the sentence that it knows.
    """

    def __init__(
        self, clock: Clock, watchdog_s: float | None, standing: Standing, told: str
    ) -> None:
        self._clock = clock
        self._watchdog_s = watchdog_s
        self._standing = standing
        self._told = told

    async def run(self) -> None:
        """Beat for ever."""
        pause_s = LOOK_EVERY_S
        if self._watchdog_s is not None:
            pause_s = min(pause_s, self._watchdog_s / 3)
        next_look_s = 0.0
        while True:
            if self._watchdog_s is not None:
                notify("WATCHDOG=1")
            if self._clock.monotonic() >= next_look_s:
                next_look_s = self._clock.monotonic() + LOOK_EVERY_S
                await self._tell()
            await self._clock.sleep(pause_s)

    async def _tell(self) -> None:
        standing = await self._standing()
        if standing != self._told:
            self._told = standing
            notify_status(standing)


async def standing(store: Store, accounts: int) -> str:
    """Say in a sentence how things stand: what is served, what waits, what is wrong."""

    async def work(tx: ReadTransaction) -> tuple[int, int, int]:
        counts = await tx.submission_counts()
        waiting = sum(counts.get(one, 0) for one in (SubmissionState.QUEUED, SubmissionState.HELD))
        return waiting, counts.get(SubmissionState.UNCERTAIN, 0), len(await tx.alarms())

    try:
        waiting, uncertain, alarms = await store.read(work)
    except StoreFailed as error:
        return f"The store fails: {error}"
    if store.failing is not None:
        return f"Nothing can be kept: {store.failing}"
    facts = [_counted(accounts, "account"), f"{_counted(waiting, 'message')} to be sent"]
    if uncertain:
        facts.append(f"{uncertain} uncertain")
    if alarms:
        facts.append(_counted(alarms, "alarm"))
    return ", ".join(facts) + "."


def _counted(count: int, name: str) -> str:
    return f"{count} {name}{'s' * (count != 1)}"
