"""Taking the lead, keeping it, and noticing that it is lost.

Failure: none. While the store cannot be reached nobody begins to lead, and the one that does ends.
"""

from __future__ import annotations

import structlog

from bridge.clock import Clock
from bridge.lead.fenced import TERM
from bridge.store.base import ReadTransaction, Store, StoreFailed, Transaction
from bridge.store.lead import Lead

log = structlog.get_logger()

BEAT_S = 3.0
"""How often the one that leads beats, and the others look."""

STEPS_DOWN_S = 14.0
"""After so long without a beat of its own one ends its work."""

LAPSES_S = 20.0
"""After so long without a beat of another one takes over."""


class Leadership:
    """One bridge's part in it.

    Args:
        store: which several bridges share.
        clock: seconds.
        name: what this bridge is called.
    """

    def __init__(self, store: Store, clock: Clock, name: str) -> None:
        self._store = store
        self._clock = clock
        self._name = name
        self._seen: tuple[Lead, float] | None = None

    async def take(self) -> int:
        """Return the term in which this bridge leads, once it does."""
        while True:
            try:
                lead = await self._store.read(_lead)
                if self._has_lapsed(lead) and (term := await self._take_over(lead)) is not None:
                    log.info("lead_taken", term=term, before=lead.bridge)
                    return term
            except StoreFailed as error:
                log.warning("lead_unknown", reason=str(error))
            await self._clock.sleep(BEAT_S)

    async def keep(self, term: int) -> None:
        """Beat; returns when the term is over, or may be."""
        last_s = self._clock.monotonic()
        while self._clock.monotonic() - last_s < STEPS_DOWN_S:
            await self._clock.sleep(BEAT_S)
            began_s = self._clock.monotonic()
            try:
                if not await self._beat(term):
                    break
                last_s = began_s
            except StoreFailed as error:
                log.warning("lead_not_renewed", term=term, reason=str(error))
        log.warning("lead_lost", term=term)

    async def leave(self, term: int) -> None:
        """Let another take over at once.

        Raises:
            StoreFailed: another will, when it sees no beat any more.
        """

        async def work(tx: Transaction) -> None:
            await tx.leave_lead(term)

        await self._store.write(work)

    def _has_lapsed(self, lead: Lead) -> bool:
        """Tell whether nobody leads, as far as this bridge has seen."""
        now_s = self._clock.monotonic()
        if self._seen is None or self._seen[0] != lead:
            self._seen = (lead, now_s)
        return not lead.bridge or now_s - self._seen[1] >= LAPSES_S

    async def _take_over(self, seen: Lead) -> int | None:
        async def work(tx: Transaction) -> int | None:
            if await tx.lead() != seen:  # another was quicker, or it beats again
                return None
            return await tx.take_lead(self._name)

        return await self._store.write(work)

    async def _beat(self, term: int) -> bool:
        async def work(tx: Transaction) -> bool:
            return await tx.beat_lead(term)

        return await self._store.write(work)


async def _lead(tx: ReadTransaction) -> Lead:
    return await tx.lead()


def carry(term: int) -> None:
    """Let what runs in this task, and in those that it begins, be done for this term."""
    TERM.set(term)
