"""What may come of a deletion under way: doubt, another time, trouble, or that it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.api.errors import OutcomeUnknown
from bridge.store.remote import DeletionRow, Place, RemoteRow


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
    """A deletion that was asked for: ``before`` rows had that text, the row and its twins."""

    wish: DeletionRow
    row: RemoteRow
    twins: Sequence[Place]
    before: int
    confirmed: bool
