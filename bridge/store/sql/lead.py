"""Who leads, in SQL: statements and nothing else (see ``store.lead``)."""

from __future__ import annotations

from bridge.store.lead import Lead
from bridge.store.sql.engine import Area


class SqlLead(Area):
    """Satisfies ``LeadReads`` and ``LeadWrites``."""

    async def lead(self) -> Lead:
        return Lead(*self._row("SELECT bridge, term, beat FROM lead"))

    async def bridges(self) -> frozenset[str]:
        return frozenset(self._engine.bridges())

    async def take_lead(self, bridge: str) -> int:
        statement = "UPDATE lead SET bridge = ?, term = term + 1, beat = 0 RETURNING term"
        return int(self._row(statement, (bridge,))[0])

    async def beat_lead(self, term: int) -> bool:
        statement = "UPDATE lead SET beat = beat + 1 WHERE term = ? RETURNING term"
        return self._row(statement, (term,)) is not None

    async def leave_lead(self, term: int) -> None:
        self._row("UPDATE lead SET bridge = '' WHERE term = ?", (term,))
