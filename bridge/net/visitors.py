"""Who is connected to a server, and who has to go when there is no room. Pure.

Strangers (who have not logged in, from where they would have to) share the room with users and
must not fill it: each address has so many strangers at once, and where the room is full the
stranger goes who guessed most, then who has stayed longest. The youngest are left alone: they may
be about to log in. Users never go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from bridge.limits import STRANGER_GRACE_S, STRANGERS_PER_ADDRESS


class Visitor(Protocol):
    """One connection."""

    @property
    def address(self) -> str:
        """Where it comes from."""

    @property
    def is_counted(self) -> bool:
        """Whether it is a stranger."""

    @property
    def guesses(self) -> int:
        """How many wrong passwords it has tried."""


V = TypeVar("V", bound=Visitor)


@dataclass(frozen=True, slots=True)
class Admission(Generic[V]):
    """Whether a newcomer may stay, and who goes for it."""

    stays: bool
    goes: V | None = None


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many are connected and how many may be, how many of them are strangers.

    ``turned_away`` counts those that had to go, or were not let in, since the start.
    """

    now: int
    most: int
    strangers: int
    turned_away: int


class Visitors(Generic[V]):
    """See the module.

    Args:
        most: how many there may be.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._since: dict[V, float] = {}
        self._turned_away = 0

    def __iter__(self) -> Iterator[V]:
        return iter(list(self._since))

    def __len__(self) -> int:
        return len(self._since)

    def enter(self, one: V, now_s: float) -> Admission[V]:
        """Let a newcomer in, or not; whoever goes for it has left already."""
        here = [other for other in self._strangers() if other.address == one.address]
        if len(here) >= STRANGERS_PER_ADDRESS:
            rivals = here
        elif len(self._since) >= self._most:
            rivals = self._strangers()
        else:
            self._since[one] = now_s
            return Admission(stays=True)
        self._turned_away += 1
        goes = self._first_to_go(rivals, now_s)
        if goes is None:
            return Admission(stays=False)
        self.leave(goes)
        self._since[one] = now_s
        return Admission(stays=True, goes=goes)

    @property
    def crowd(self) -> Crowd:
        """How full it is."""
        strangers = len(self._strangers())
        return Crowd(len(self._since), self._most, strangers, self._turned_away)

    def leave(self, one: V) -> None:
        """Forget one; idempotent."""
        self._since.pop(one, None)

    def _strangers(self) -> list[V]:
        return [one for one in self._since if one.is_counted]

    def _first_to_go(self, rivals: list[V], now_s: float) -> V | None:
        old = [one for one in rivals if one.guesses or now_s - self._since[one] > STRANGER_GRACE_S]
        return min(old, key=lambda one: (-one.guesses, self._since[one]), default=None)
