"""What is to be deleted, and what may come of that: doubt, another time, trouble, or its asking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.alarms import AlarmKind, Notice
from bridge.api.errors import OutcomeUnknown
from bridge.model import AccountId
from bridge.store.deletions import DeletionRow, DeletionState
from bridge.store.remote import Place, RemoteId, RemoteRow


class Wishes(Protocol):
    """What is to be deleted, and the rows: what was expunged (``Ledger``) or is to be cleared."""

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

    async def settle(
        self, remote: RemoteId, state: DeletionState, reason: str, notice: Notice | None = None
    ) -> None:
        """Write down how a deletion ended, and what a person is told of it."""

    async def ask(self, remote: RemoteId, alike: int) -> RemoteId:
        """Write down that the API is about to be asked for a deletion; returns the last row."""

    async def unask(self, remote: RemoteId) -> None:
        """Write down that asking for a deletion had no effect."""

    async def want_text(self, remote: RemoteId) -> None:
        """Let a row's text be fetched that nobody waited for."""

    async def places(self, fingerprints: Iterable[bytes]) -> list[Place]:
        """Return the live rows of these fingerprints, newest first."""

    async def row(self, remote: RemoteId) -> RemoteRow | None:
        """Return one row."""

    async def deleted(self, remote: RemoteId) -> None:
        """Write down that a deletion was carried out and seen to be so."""

    async def alarm(self, kind: AlarmKind, key: str, notice: Notice) -> bool:
        """Raise an alarm unless it is raised already; tells whether it was new."""

    async def clear(self, kind: AlarmKind, key: str) -> None:
        """End an alarm, if there is one."""


class Doubt(Exception):
    """Why a message is not deleted, in Italian and in English."""

    def __init__(self, italian: str, english: str) -> None:
        super().__init__(english)
        self.italian = italian
        self.english = english


class Later(Exception):
    """Not now; the wish stays."""


@dataclass(slots=True)
class Trouble:
    """What one row met with: its own trouble, unless the next one meets with it too."""

    error: OutcomeUnknown | None = None

    def note(self, error: OutcomeUnknown) -> None:
        """Take note of an error; the second is everybody's."""
        if self.error is not None:
            raise error
        self.error = error


@dataclass(frozen=True, slots=True)
class Gone:
    """A deletion that was asked for: ``before`` rows had that text, the row and its twins.

    ``after`` is the last row that was known by then.
    """

    wish: DeletionRow
    row: RemoteRow
    twins: Sequence[Place]
    before: int
    after: RemoteId
    confirmed: bool
