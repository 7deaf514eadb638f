"""The outbox as the store keeps it: submissions, their attempts, holds, and the plan's count.

Rows and the two protocols of this area; no rule about which state may follow which lives here
(see ``outbox.states``), only that a row leaves the state its caller saw it in. Times are aware
UTC. Attempts and transitions are only ever added: they are kept for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Protocol

from bridge.model import AccountId, ContentId, QueueId, SubmissionState
from bridge.store.dsn import NOTHING_ASKED, DsnRequest
from bridge.store.figures import FigureReads, FigureWrites
from bridge.store.lineage import LineageReads, LineageWrites


class HoldCause(Enum):
    """Why nothing of an account is dispatched."""

    CREDENTIALS = "credentials"
    PAYMENT = "payment"


class ClaimBasis(Enum):
    """What says that a code is an entry's, where the API's own answer does not."""

    EVIDENCE = "evidence"
    """Its acceptance was found."""
    WORD = "word"
    """A person named it, and nothing confirms that."""


@dataclass(frozen=True, slots=True)
class NewSubmission:
    """What enqueue writes.

    ``message_id`` has its angle brackets; ``subject`` is the one that will be posted;
    ``fingerprint`` names bytes, Message-ID and recipients as submitted, ``b""`` when the
    entry must not be taken for another (no Message-ID was given). ``kinship`` names Message-ID,
    recipients and subject, whatever the bytes, ``b""`` without a Message-ID. ``urgent`` goes ahead
    of the account's others. ``reference`` is what the sender calls it, "" for nothing; ``dsn`` is
    what of it the sender wants to be notified of.
    """

    id: QueueId
    account: AccountId
    message_id: str
    subject: str
    recipients: tuple[str, ...]
    content: ContentId
    fingerprint: bytes
    created_at: datetime
    kinship: bytes = b""
    urgent: bool = False
    reference: str = ""
    dsn: DsnRequest = NOTHING_ASKED

    def __post_init__(self) -> None:
        if not self.id or not self.recipients:
            raise ValueError("a submission has an id and at least one recipient")


@dataclass(frozen=True, slots=True)
class SubmissionRow:
    """One entry of the outbox as it stands.

    ``sequence`` rises with enqueueing: the order of dispatch within an account, but for what is
    ``urgent``, which goes first. ``named_code``
    stood in an answer that left the outcome open. ``reason`` says in a sentence why the entry is
    where it is, "" when that needs no saying. ``attempts`` counts requests begun. ``not_before``
    is the next try's earliest moment, ``retrying_since`` the first of the tries that reached
    nobody, both None outside a retry. ``sent_at`` is when the API gave ``code``. ``forced`` goes
    ahead of a hold or a used-up plan (a person's ``retry``). ``counted`` PECs of the plan's
    ``counted_on`` (a day in Rome) are this entry's. ``claim`` is what says that ``code`` is its,
    None where the API answered it. ``reference`` is what the sender calls it, "" for nothing, and
    ``envid`` what they call its envelope.
    """

    sequence: int
    id: QueueId
    account: AccountId
    state: SubmissionState
    message_id: str
    subject: str
    recipients: tuple[str, ...]
    content: ContentId
    code: str | None
    named_code: str | None
    reason: str
    attempts: int
    created_at: datetime
    updated_at: datetime
    not_before: datetime | None
    retrying_since: datetime | None
    sent_at: datetime | None
    forced: bool
    counted: int
    counted_on: date | None
    claim: ClaimBasis | None = None
    urgent: bool = False
    reference: str = ""
    envid: str = ""


@dataclass(frozen=True, slots=True)
class LostTry:
    """A request that may have sent an entry, and of which no answer is known.

    ``submission`` may be in any state by now. The request was made from ``begun_at`` to
    ``ended_by``: one moment, but for what a backup that was put back knows nothing of.
    """

    submission: SubmissionRow
    begun_at: datetime
    ended_by: datetime


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One ``POST /send``, kept for ever; ``ended_at`` None while it runs or if a crash cut it off.

    ``status`` is the HTTP status, None without an answer; ``answer`` the API's text, shortened,
    without secrets; ``error`` one sentence, "" after a success.
    """

    submission: QueueId
    number: int
    started_at: datetime
    ended_at: datetime | None
    status: int | None
    answer: str
    error: str


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """What came of an attempt; see ``AttemptRow``."""

    ended_at: datetime
    status: int | None
    answer: str
    error: str


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """One step of an entry, kept for ever; ``attempt`` is the attempt it belongs to, if any."""

    submission: QueueId
    at: datetime
    old: SubmissionState
    new: SubmissionState
    reason: str
    attempt: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """What changes when an entry leaves a state.

    ``code``, ``named_code`` and ``sent_at`` stay where they are not given; everything else is as
    given: a ``retrying_since`` that shall last is passed on.
    """

    old: SubmissionState
    new: SubmissionState
    at: datetime
    reason: str = ""
    attempt: int | None = None
    code: str | None = None
    named_code: str | None = None
    sent_at: datetime | None = None
    not_before: datetime | None = None
    retrying_since: datetime | None = None
    forced: bool = False


@dataclass(frozen=True, slots=True)
class HoldRow:
    """An account whose queue waits for a person; ``probes`` counts the tries since ``since``."""

    account: AccountId
    cause: HoldCause
    reason: str
    since: datetime
    probe_at: datetime
    probes: int


class OutboxReads(FigureReads, LineageReads, Protocol):
    """What may be asked about the outbox."""

    async def submission(self, id: QueueId) -> SubmissionRow | None:
        """Return the entry, or None."""

    async def submissions_by_code(self, account: AccountId, code: str) -> tuple[SubmissionRow, ...]:
        """Return the account's entries with that code: one, unless the API gave it twice."""

    async def claimed_submissions(self, account: AccountId) -> tuple[SubmissionRow, ...]:
        """Return the account's entries whose code is a claim, oldest first."""

    async def lost_tries(self, account: AccountId, since: datetime) -> tuple[LostTry, ...]:
        """Return the requests of which since then it was found that their outcome is unknown."""

    async def issuers(self, account: AccountId) -> frozenset[str]:
        """Return the services that accepted sends whose code the API itself answered."""

    async def submissions_by_message_id(
        self, account: AccountId, message_id: str, most: int | None = None
    ) -> tuple[SubmissionRow, ...]:
        """Return the account's entries of that Message-ID (with angle brackets), oldest first.

        ``most`` is how many at the most; None for all.
        """

    async def submissions_by_reference(
        self, account: AccountId, reference: str, most: int | None = None
    ) -> tuple[SubmissionRow, ...]:
        """Return the account's entries that their sender calls so, oldest first; "" names none.

        By their reference, or by the id of their envelope; ``most`` is how many at the most, None
        for all.
        """

    async def submissions_of_content(
        self, account: AccountId, content: ContentId
    ) -> tuple[SubmissionRow, ...]:
        """Return the entries that send this text, oldest first."""

    async def submissions(
        self,
        *,
        account: AccountId | None = None,
        state: SubmissionState | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> tuple[SubmissionRow, ...]:
        """Return entries, oldest first.

        Args:
            account: whose; None: everybody's.
            state: in which they are; None: in any.
            since: only those made then or later, aware; None: of any age.
            limit: how many at most; None: all.
        """

    async def submissions_sent(
        self, account: AccountId, since: datetime, until: datetime
    ) -> tuple[SubmissionRow, ...]:
        """Return the account's ``submitted`` entries sent after ``since``, up to ``until``."""

    async def submission_twin(
        self, account: AccountId, fingerprint: bytes, since: datetime
    ) -> SubmissionRow | None:
        """Return the first entry with this fingerprint made or sent since then, or still open.

        ``cancelled``, ``dropped`` and ``refused`` entries don't count.
        """

    async def submission_kin(
        self, account: AccountId, kinship: bytes, fingerprint: bytes, since: datetime
    ) -> SubmissionRow | None:
        """Return the first entry of this kinship but another fingerprint made since then.

        ``cancelled``, ``dropped`` and ``refused`` entries don't count.

        Args:
            account: whose they are.
            kinship: what messages of one kind have in common; empty matches none.
            fingerprint: an entry with this one is left out.
            since: the least time at which it was made, aware.
        """

    async def submission_counts(self) -> dict[SubmissionState, int]:
        """Return how many entries are in each state; states without any are absent."""

    async def waiting_accounts(self) -> tuple[AccountId, ...]:
        """Return the accounts that have a ``queued`` or ``held`` entry."""

    async def waiting_count(self, account: AccountId) -> int:
        """Return how many entries of the account are ``queued`` or ``held``."""

    async def first_submission(
        self, account: AccountId, states: frozenset[SubmissionState]
    ) -> SubmissionRow | None:
        """Return the account's oldest entry in one of ``states``; forced and urgent come first."""

    async def attempts(self, id: QueueId) -> tuple[AttemptRow, ...]:
        """Return the entry's attempts in order."""

    async def transitions(self, id: QueueId) -> tuple[TransitionRow, ...]:
        """Return the entry's steps in order."""

    async def step_count(self, id: QueueId) -> int:
        """Return how many steps the entry has taken: it never falls, and rises with each."""

    async def newest_attempt_end(self) -> datetime | None:
        """Return when the last attempt of any account ended: no request started later.

        For the pace over a restart; attempts a crash cut off count once they have been closed.
        """

    async def hold(self, account: AccountId) -> HoldRow | None:
        """Return the account's hold, or None."""

    async def holds(self) -> tuple[HoldRow, ...]:
        """Return every hold."""

    async def paused_since(self, account: AccountId) -> datetime | None:
        """Return since when a person lets nothing of the account leave; None if they do not."""

    async def unweighed(self, limit: int) -> tuple[SubmissionRow, ...]:
        """Return entries whose receipts are in no figures yet."""


class OutboxWrites(FigureWrites, LineageWrites, Protocol):
    """What may happen to the outbox."""

    async def add_submission(self, submission: NewSubmission) -> None:
        """Write a new entry, ``queued``, and what its sender wants to be notified of."""

    async def step_submission(self, id: QueueId, step: Step) -> bool:
        """Move an entry from one state to another and write the step down.

        Returns:
            False, and nothing happened, if the entry is not in ``step.old``.
        """

    async def claim_code(self, id: QueueId, basis: ClaimBasis) -> None:
        """Write down what says that the entry's code is its."""

    async def forget_code(self, id: QueueId) -> None:
        """Take an entry's code, the time of its sending and its claim back."""

    async def add_issuer(self, account: AccountId, address: str) -> None:
        """Remember who accepted for an account."""

    async def begin_attempt(self, id: QueueId, started_at: datetime) -> int:
        """Write down that a request is about to start; returns its number, from 1.

        The lineage counts it, if there is one.
        """

    async def end_attempt(self, id: QueueId, number: int, end: AttemptEnd) -> None:
        """Write down what came of a request."""

    async def hold_queue(self, hold: HoldRow) -> None:
        """Hold the account's queue, or change its hold; ``queued`` entries stay as they are."""

    async def release_queue(self, account: AccountId) -> bool:
        """End the account's hold; False if there was none."""

    async def pause_queue(self, account: AccountId, since: datetime) -> bool:
        """Let nothing of the account leave; False if that was so before, ``since`` then stays."""

    async def resume_queue(self, account: AccountId) -> bool:
        """End the account's pause; False if there was none."""
