"""What the page keeps and asks for: who is logged in, and what was sent, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from bridge.model import AccountId, SubmissionState
from bridge.store.figures import ReceiptSummary
from bridge.store.outbox import SubmissionRow


@dataclass(frozen=True, slots=True)
class WebSession:
    """One browser that is logged in.

    ``token_hash`` is the SHA-256 of what its cookie holds, so that the store opens no session.
    ``account`` is whose it is, None for the administrator. Times are aware. ``seal`` goes with
    the account's passwords.
    """

    token_hash: bytes
    account: AccountId | None
    created_at: datetime
    expires_at: datetime
    seal: bytes = b""


class SentGroup(Enum):
    """How a person looks at what was submitted; each entry is in one of them."""

    WAITING = "waiting"
    """It has not left."""
    UNDER_WAY = "under_way"
    """It was sent, and of some recipient nothing final is known."""
    DELIVERED = "delivered"
    """It reached every recipient, those who have no certified mailbox as far as one can know."""
    FAILED = "failed"
    """It was refused, or did not reach somebody."""
    UNCERTAIN = "uncertain"
    """It may have left, and a person has to say."""
    ENDED = "ended"
    """A person ended it."""


@dataclass(frozen=True, slots=True)
class SentQuery:
    """What to show of what was submitted; None is whatever there is.

    ``since`` and ``until`` are when it was submitted, aware, the second excluded. ``recipient`` is
    part of an address, ``text`` part of the subject, the Message-ID or the reference, or
    the beginning of an id or a code, ``reference`` the whole of one. ``before`` is the ``sequence``
    of the last entry of the page before.
    """

    limit: int
    account: AccountId | None = None
    group: SentGroup | None = None
    since: datetime | None = None
    until: datetime | None = None
    recipient: str | None = None
    text: str | None = None
    before: int | None = None
    state: SubmissionState | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptSummary:
    """Requests to send that got the same HTTP status, None for those without an answer."""

    status: int | None
    count: int
    longest_s: float
    sum_s: float


class WebReads(Protocol):
    """What can be asked."""

    async def web_session(self, token_hash: bytes, now: datetime) -> WebSession | None:
        """Return a session, None if there is none or its time is over."""

    async def sent_page(self, query: SentQuery) -> tuple[tuple[SubmissionRow, ReceiptSummary], ...]:
        """Return entries and what receipts say of them, newest first."""

    async def sent_counts(self, account: AccountId) -> dict[SubmissionState, int]:
        """Return how many entries of an account are in each state; those without are absent."""

    async def attempts_ended(self, since: datetime) -> tuple[AttemptSummary, ...]:
        """Return what became of the requests to send that ended since then."""


class WebWrites(Protocol):
    """What can be changed."""

    async def add_web_session(self, session: WebSession, most: int) -> None:
        """Add a session; those whose time was over at its beginning go, as do the oldest.

        Args:
            session: the new one.
            most: how many sessions there are at most afterwards.
        """

    async def end_web_session(self, token_hash: bytes) -> None:
        """Forget a session; idempotent."""

    async def end_web_sessions(self, account: AccountId) -> None:
        """Forget every session of an account."""
