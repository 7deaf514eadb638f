"""Which of several bridges on one store leads, as the store keeps it (see ``bridge.lead``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lead:
    """Who leads.

    ``bridge`` is its name, "" for none that does; ``term`` is one higher each time that one takes
    over; ``beat`` rises while the one that leads is well.
    """

    bridge: str
    term: int
    beat: int


class LeadReads(Protocol):
    """What can be asked."""

    async def lead(self) -> Lead:
        """Return who leads."""

    async def bridges(self) -> frozenset[str]:
        """Return the ends of the names of bridges that are connected; none for a file."""


class LeadWrites(Protocol):
    """What can be changed."""

    async def take_lead(self, bridge: str) -> int:
        """Begin a new term, in which this bridge leads; return it."""

    async def beat_lead(self, term: int) -> bool:
        """Let the beat rise; False, and nothing changes, if this term is over."""

    async def leave_lead(self, term: int) -> None:
        """Let nobody lead any more; nothing if this term is over."""
