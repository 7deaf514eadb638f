"""Figures of the outbox as the store keeps them: by day, for the plan and for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from bridge.model import AccountId, QueueId


@dataclass(frozen=True, slots=True)
class ReceiptSummary:
    """What receipts say of one entry, in recipients.

    ``accepted`` are those whom its acceptance covers, whatever came of them later; each of the
    others is at most once in ``delivered``, ``failed`` or ``ordinary`` (no certified mailbox, so
    no delivery receipt will come).
    """

    accepted: int = 0
    delivered: int = 0
    failed: int = 0
    ordinary: int = 0


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What an account sent on one day in Rome, and what became of it by now.

    ``messages`` left or may have left. ``counted`` is what counts against the plan and is paid
    for; the rest are recipients, see ``ReceiptSummary``, and ``uncertain`` those of messages that
    may have left. ``size_bytes`` are the messages' as submitted.
    """

    account: AccountId
    day: date
    messages: int
    recipients: int
    counted: int
    accepted: int
    delivered: int
    failed: int
    ordinary: int
    uncertain: int
    size_bytes: int


class FigureReads(Protocol):
    """What may be asked."""

    async def counted(self, account: AccountId, first: date, last: date) -> int:
        """Return what counts against the plan from ``first`` to ``last``, both included."""

    async def day_figures(self, first: date, last: date) -> tuple[DayFigures, ...]:
        """Return what was sent each day by each account, in order; days without any are absent."""

    async def submissions_counted(
        self, first: date, last: date, account: AccountId | None = None
    ) -> tuple[QueueId, ...]:
        """Return the entries that count on these days, in the order they were made."""

    async def queued_recipients(self, account: AccountId) -> int:
        """Return how many recipients wait (``queued`` or ``held``)."""


class FigureWrites(Protocol):
    """What may be written down."""

    async def count_submission(self, id: QueueId, day: date | None, counted: int) -> None:
        """Let the entry count so much on ``day``, in place of what it counted before."""

    async def keep_outcome(self, id: QueueId, outcome: ReceiptSummary) -> None:
        """Write down what receipts say of an entry, in place of what was; see ``day_figures``."""
