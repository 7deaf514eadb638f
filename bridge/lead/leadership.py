"""Taking the lead, keeping it, and noticing that it is lost.

Failure: while the store cannot be reached nobody begins to lead, and nobody else can have taken
over from the one that does.
"""

from __future__ import annotations

import structlog

from bridge.clock import Clock
from bridge.language import say
from bridge.store.base import ReadTransaction, Store, StoreFailed, Transaction
from bridge.store.lead import Lead

log = structlog.get_logger()

BEAT_S = 3.0
"""How often the one that leads beats, and one that would looks."""

LAPSES_S = 20.0
"""After so long without a beat of another one takes over."""


class AnotherLeads(StoreFailed):
    """Another bridge works on this database."""


class Leadership:
    """One bridge's part in it.

    Args:
        store: which several bridges could reach, itself not fenced.
        clock: seconds.
        name: what this bridge is called: another start of it on the same folder, and nobody else,
            bears the same name.

    Attributes:
        name: that.
    """

    def __init__(self, store: Store, clock: Clock, name: str) -> None:
        self._store = store
        self._clock = clock
        self.name = name
        self._sure_s = float("-inf")

    @property
    def is_sure(self) -> bool:
        """Whether nobody can lead but this bridge, as far as it knows now.

        Who was stopped or cut off for a while finds out before it has asked the database.
        """
        return self._clock.monotonic() - self._sure_s < LAPSES_S - BEAT_S

    async def take(self) -> int:
        """Return the term in which this bridge leads, once it does.

        That is at once where the last one ended as it should, or was this one. Otherwise it is
        listened for as long as a beat may take.

        Raises:
            AnotherLeads: it is well, or was quicker.
            StoreFailed: nothing is known.
        """
        term = await self.find(at_once=True)
        if term is None:
            raise self._another(await self._store.read(_lead))
        return term

    async def find(self, *, at_once: bool) -> int | None:
        """Return the term in which this bridge leads; None where another is well.

        Args:
            at_once: begin where nobody leads, without waiting for another that may be about to.

        Raises:
            StoreFailed: nothing is known.
        """
        lead = await self._store.read(_lead)
        begins = (self.name, "") if at_once else (self.name,)
        until_s = self._clock.monotonic() + LAPSES_S
        while lead.bridge not in begins and self._clock.monotonic() < until_s:
            await self._clock.sleep(BEAT_S)
            if await self._store.read(_lead) != lead:
                return None
        return await self._take_over(lead)

    async def succeed(self) -> int:
        """Return the term in which this bridge leads, once the one that leads has gone."""
        seen: Lead | None = None
        since_s = self._clock.monotonic()
        while True:
            try:
                lead = await self._store.read(_lead)
                if lead != seen:
                    seen, since_s = lead, self._clock.monotonic()
                if not lead.bridge or self._clock.monotonic() - since_s >= LAPSES_S:
                    term = await self._take_over(lead)
                    if term is not None:
                        return term
            except StoreFailed:  # nobody could be heard
                seen = None
            await self._clock.sleep(BEAT_S)

    async def seize(self) -> int:
        """Begin a new term, whoever leads."""

        async def work(tx: Transaction) -> int:
            return await tx.take_lead(self.name)

        since_s = self._clock.monotonic()
        term = await self._store.write(work)
        self._sure_s = since_s
        log.warning("lead_seized", term=term)
        return term

    async def keep(self, term: int) -> None:
        """Beat; returns when another has taken over."""
        while True:
            await self._clock.sleep(BEAT_S)
            try:
                if not await self._beat(term):
                    break
            except StoreFailed as error:
                log.warning("lead_not_renewed", term=term, reason=str(error))
        log.error("lead_lost", term=term)

    async def leave(self, term: int) -> None:
        """Let another take over at once; nothing if one has.

        Raises:
            StoreFailed: another will, when it hears no beat.
        """

        async def work(tx: Transaction) -> None:
            await tx.leave_lead(term)

        await self._store.write(work)

    async def _take_over(self, seen: Lead) -> int | None:
        """Begin a new term if nothing has changed; None if another was quicker."""

        async def work(tx: Transaction) -> int | None:
            return await tx.take_lead(self.name) if await tx.lead() == seen else None

        since_s = self._clock.monotonic()
        term = await self._store.write(work)
        if term is not None:
            self._sure_s = since_s
            log.info("lead_taken", term=term, before=seen.bridge)
        return term

    async def _beat(self, term: int) -> bool:
        async def work(tx: Transaction) -> bool:
            return await tx.beat_lead(term)

        since_s = self._clock.monotonic()
        is_well = await self._store.write(work)
        self._sure_s = since_s if is_well else float("-inf")
        return is_well

    @staticmethod
    def _another(lead: Lead) -> AnotherLeads:
        return AnotherLeads(
            say(
                "Another bridge ({bridge}) works on this database. Two would send everything twice:"
                " stop that one first.",
                bridge=lead.bridge,
            )
        )


async def _lead(tx: ReadTransaction) -> Lead:
    return await tx.lead()
