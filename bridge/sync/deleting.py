"""What is to be deleted, and what may come of that: no proof, later, trouble, or an asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

from bridge.api.errors import OutcomeUnknown
from bridge.clock import Clock
from bridge.model import AccountId
from bridge.store.deletions import DeletionRow
from bridge.store.remote import Place, RemoteId, RemoteRow
from bridge.sync.deletions import Doubting

APART_S = 45.0
"""Tries closer together than this count as one."""

TRIES = 3
"""Deletions that come to nothing without a reason, before one is given up."""


class Wishes(Protocol):
    """What is to be deleted: what was expunged (``Deletions``), or is cleared (``Clearings``)."""

    @property
    def account(self) -> AccountId:
        """Whose rows these are."""

    async def wanted(self) -> list[DeletionRow]:
        """Return what is to be deleted, oldest wish first."""

    async def doubted(self) -> list[DeletionRow]:
        """Return what a doubt has stopped, oldest first."""

    async def want_again(self, row: RemoteRow) -> None:
        """Take up what a doubt had stopped."""

    async def why_kept(self, row: RemoteRow) -> str:
        """Return why a row is not to be deleted any more, "" if it is."""

    async def ask(self, remote: RemoteId, alike: int) -> RemoteId:
        """Write down that the API is about to be asked for a deletion; returns the last row."""

    async def unask(self, remote: RemoteId) -> None:
        """Write down that asking for a deletion had no effect."""

    async def keep(self, remote: RemoteId, reason: str) -> None:
        """Write down that a row stays at the API, and why."""

    async def doubt(self, row: RemoteRow, doubt: Doubting) -> None:
        """Write down that it is not proven which message would go."""


class Unproven(Exception):
    """Why a message is not deleted, in Italian and in English."""

    def __init__(self, italian: str, english: str) -> None:
        super().__init__(english)
        self.italian = italian
        self.english = english


class Later(Exception):
    """Not now; the wish stays."""


class Patience:
    """How often each row was tried, so that none is put off for ever."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tries: dict[RemoteId, tuple[int, float]] = {}

    def was_tried(self, remote: RemoteId) -> bool:
        """Tell whether a row was tried before, and not deleted."""
        return remote in self._tries

    def begin(self, remote: RemoteId) -> None:
        """Note that a row was not listed where it should be: the next time it is looked for."""
        self._tries.setdefault(remote, (0, -APART_S))

    def end(self, remote: RemoteId) -> None:
        """Forget a row."""
        self._tries.pop(remote, None)

    def put_off(self, remote: RemoteId, italian: str, english: str) -> NoReturn:
        """Put a row off, but not for ever.

        Args:
            remote: which.
            italian: why.
            english: likewise.

        Raises:
            Later: try again.
            Unproven: it was tried often enough.
        """
        now_s = self._clock.monotonic()
        count, last_s = self._tries.get(remote, (0, -APART_S))
        if now_s - last_s >= APART_S:
            count, last_s = count + 1, now_s
        self._tries[remote] = (count, last_s)
        if count < TRIES:
            raise Later
        raise Unproven(italian, english)


@dataclass(slots=True)
class Trouble:
    """What one row met with: its own trouble, unless the next one meets with it too."""

    error: OutcomeUnknown | None = None

    def note(self, error: OutcomeUnknown) -> None:
        """Take note of an error; the second is everybody's.

        Raises:
            OutcomeUnknown: it is the second.
        """
        if self.error is not None:
            raise error
        self.error = error


@dataclass(frozen=True, slots=True)
class Gone:
    """A deletion that was asked for: ``before`` rows had that text, the row and its twins.

    ``after`` is the last row that was known by then, ``turn`` the last at which ids were noted,
    -1 if that is not known any more.
    """

    wish: DeletionRow
    row: RemoteRow
    twins: Sequence[Place]
    before: int
    after: RemoteId
    confirmed: bool
    turn: int = -1


def number_of(api_id: str) -> float:
    """Return an id as the number that it may be, 0 if it is none."""
    return float(api_id[:18]) if api_id.isascii() and api_id.isdigit() else 0.0
