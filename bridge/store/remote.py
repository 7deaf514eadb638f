"""What the API showed, as the store keeps it: rows, bodies, deletions, receipts, alarms, progress.

A *remote row* is one entry of ``GET /inbox`` as received, with the body once it was fetched and
the content composed from both. Its identity is ours (``RemoteId``): the API's id is only where it
was last seen. Rows are kept after they are gone from the API.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, IntEnum
from typing import NewType, Protocol

from bridge.model import AccountId, ContentId, Flags, QueueId, RowText

RemoteId = NewType("RemoteId", int)


class Worth(IntEnum):
    """What the text of a row is worth while it is not here: in this order texts are fetched."""

    INCOMING = 0
    """A message to read, or what nobody knows how to read."""
    FAILURE = 1
    """A failure or a notice, whose text says whom it is about; and what somebody waits for."""
    RECEIPT = 2
    """A receipt that proves something only with its text, or may prove more with it."""
    CONFIRMATION = 3
    """A receipt whose row said all that counts: the text only confirms it."""
    SHOWN = 4
    """Likewise, and its message was made of the row: the text is fetched if somebody wants it."""


class ReceiptBasis(Enum):
    """What a receipt was read from."""

    TEXT = "text"
    """Its row in the inbox and its text, or what there is of that."""
    ROW = "row"
    """Its row in the inbox alone; the text is still to be fetched."""
    STATUS = "status"
    """``GET /send``: the same receipt may be in the inbox as well."""


@dataclass(frozen=True, slots=True)
class NewRemote:
    """A row that was not known before.

    ``fingerprint`` names (sender, recipient, date, object) as received; rows may share it.
    ``raw`` is the row's JSON; ``received_at`` the date read from it, aware, or None. ``api_id`` is
    "" for a row that names none. ``rank`` is its place among the account's rows: higher is newer.
    ``turn`` numbers the moment at which its id was noted (see ``Place``).
    """

    account: AccountId
    fingerprint: bytes
    api_id: str
    raw: str
    sender: str
    recipient: str
    date_text: str
    subject: str
    received_at: datetime | None
    first_seen: datetime
    rank: float = 0.0
    turn: int = 0


@dataclass(frozen=True, slots=True)
class RemoteRow:
    """A row as it stands, without its body.

    ``body_sha256`` is None until the body was fetched; ``content`` None until it was composed.
    ``gone_at`` is when a complete listing lacked it. ``kind`` is the receipt kind's value, "" for
    other mail; ``code`` the send's code at the end of the subject; ``submission`` the send it was
    tied to, by its row alone while the body is not here. ``readable`` is false where the body kept
    only says why there is none. ``worth`` is None until the row was judged.
    """

    id: RemoteId
    account: AccountId
    fingerprint: bytes
    api_id: str
    sender: str
    recipient: str
    date_text: str
    subject: str
    received_at: datetime | None
    first_seen: datetime
    body_sha256: bytes | None
    content: ContentId | None
    gone_at: datetime | None
    kind: str
    code: str | None
    submission: QueueId | None
    rank: float = 0.0
    readable: bool = True
    worth: Worth | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where one live row stands in the listing, as far as is known; see ``NewRemote``.

    ``turn`` numbers the reading of a page at which its id was noted: of two rows, the one with the
    higher turn had its id noted later, and by how much it moved since says nothing about the other.
    ``drift`` is by how much, at least and at most, the id had moved by that turn, as the rows to
    either side did: the row itself was not seen then. (0, 0) if it was.
    """

    remote: RemoteId
    fingerprint: bytes
    api_id: str
    rank: float
    body_sha256: bytes | None
    turn: int = 0
    drift: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class LeftInbox:
    """A message that left INBOX with its row: what it needs to come back as it was."""

    flags: Flags
    internal_date: datetime
    size_bytes: int


@dataclass(frozen=True, slots=True)
class RemoteCount:
    """How many rows of an account are at the API, and how many of those have their content."""

    live: int
    filed: int


@dataclass(frozen=True, slots=True)
class RowsSeen:
    """Rows first listed in a time: those that are receipts, and those of these that said it all."""

    rows: int
    receipts: int
    confirming: int


class DeletionState(Enum):
    """Where a deletion at the API stands."""

    WANTED = "wanted"
    DONE = "done"
    DOUBTED = "doubted"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class DeletionRow:
    """A final expunge that is to delete at the API.

    ``asked_after`` is the last row that was known when the API was asked for it, None if it was not
    or that had no effect; ``alike`` is how many rows with its text were listed then, itself too.
    """

    remote: RemoteRow
    requested_at: datetime
    state: DeletionState
    reason: str
    asked_after: RemoteId | None = None
    alike: int = 0


@dataclass(frozen=True, slots=True)
class Acceptance:
    """An ``ACCETTAZIONE`` that is tied to no submission.

    ``subject`` has neither the prefix nor the code; ``recipients`` are those its text names, ()
    when it names none that can be read. ``sender`` is as received; ``readable`` tells whether its
    body was there to be read.
    """

    remote: RemoteId
    code: str | None
    subject: str
    at: datetime
    recipients: tuple[str, ...]
    sender: str = ""
    readable: bool = True


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """One receipt of one submission.

    ``addresses`` are those its text names; ``ordinary`` those of them that it calls uncertified.
    """

    remote: RemoteId
    submission: QueueId
    kind: str
    at: datetime
    addresses: tuple[str, ...]
    detail: str
    ordinary: tuple[str, ...] = ()
    basis: ReceiptBasis = ReceiptBasis.TEXT


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm that was raised; ``key`` tells those of one kind apart.

    ``notice`` is the message of its own that told of it, at ``told_at``; None if it has none.
    ``acknowledged_at`` is when a person said that it was seen.
    """

    account: AccountId
    kind: str
    key: str
    text: str
    raised_at: datetime
    cleared_at: datetime | None
    notice: ContentId | None = None
    told_at: datetime | None = None
    acknowledged_at: datetime | None = None


class RemoteReads(Protocol):
    """What can be asked."""

    async def remote_rows(self, account: AccountId) -> list[RemoteRow]:
        """Return the rows that are at the API as far as is known, oldest first."""

    async def remote_count(self, account: AccountId) -> RemoteCount:
        """Count the rows that are at the API as far as is known."""

    async def rows_seen(self, account: AccountId, since: datetime) -> RowsSeen:
        """Count the rows that were first listed since then."""

    async def places_of(self, account: AccountId, fingerprints: Sequence[bytes]) -> list[Place]:
        """Return the live rows with one of these fingerprints, newest first."""

    async def places_between(
        self, account: AccountId, low: float | None, high: float | None, limit: int
    ) -> list[Place]:
        """Return live rows ranked from ``low`` to ``high``, both in, None open; newest first.

        Args:
            account: whose rows.
            low: the lowest rank, itself in; None: no end.
            high: the highest rank, itself in; None: no end.
            limit: how many rows at most.
        """

    async def rank_beside(
        self, account: AccountId, rank: float | None, *, newer: bool
    ) -> float | None:
        """Return the rank of the live row next to ``rank``, None if there is none.

        ``newer`` chooses the side; beside None is the newest row, or the oldest.
        """

    async def last_turn(self, account: AccountId) -> int:
        """Return the highest turn of an account's live rows, 0 if it has none (see ``Place``)."""

    async def places_newer(self, account: AccountId, rank: float) -> int:
        """Count the live rows ranked above ``rank``."""

    async def remote_row(self, remote: RemoteId) -> RemoteRow | None:
        """Return one row."""

    async def remote_body(self, remote: RemoteId) -> str | None:
        """Return the body of a row as received."""

    async def remote_body_slice(self, remote: RemoteId, start: int, length_bytes: int) -> bytes:
        """Return part of a body in UTF-8, by offset; empty past its end or without a body."""

    async def remote_raw(self, remote: RemoteId) -> str | None:
        """Return a row's JSON as received."""

    async def remote_without_body(
        self,
        account: AccountId,
        limit: int = 1_000_000,
        *,
        below: Worth = Worth.CONFIRMATION,
        confirming: bool = False,
    ) -> list[RemoteRow]:
        """Return live rows whose body is still to be fetched, by worth, then the newest first.

        One that was not judged yet is not among them.

        Args:
            account: whose.
            limit: the most rows.
            below: those that are worth more than these.
            confirming: those whose body only confirms what their row said, else all others.
        """

    async def remote_to_show(self, account: AccountId, limit: int) -> list[RemoteRow]:
        """Return live rows that say all that counts and have no message yet, oldest first."""

    async def remote_unjudged(self, account: AccountId, limit: int) -> list[RemoteRow]:
        """Return live rows whose body is still to be fetched and that were never judged."""

    async def listed_with_code(self, account: AccountId, code: str) -> list[RemoteRow]:
        """Return the rows without a body that were judged to be receipts with this code."""

    async def unread_likes(self, remote: RemoteId) -> list[RemoteRow]:
        """Return the rows of its fingerprint that went from the API before their body came."""

    async def has_like(self, remote: RemoteId) -> bool:
        """Tell whether another row of the account, live or gone, has the same fingerprint."""

    async def readings(self, remotes: Sequence[RemoteId]) -> dict[RemoteId, int]:
        """Return which of these rows were being read when that was cut off, and how often."""

    async def remote_of_content(self, account: AccountId, content: ContentId) -> RemoteRow | None:
        """Return the row at the API that a content was composed from."""

    async def gone_remote(
        self, account: AccountId, fingerprint: bytes, body_sha256: bytes
    ) -> RemoteRow | None:
        """Return the row with this fingerprint and body that left the API last.

        One that we deleted there does not count, nor one without a message.
        """

    async def oldest_bodiless(self, account: AccountId, limit: int) -> list[RemoteRow]:
        """Return live rows whose body is still to be fetched, the first that were seen first.

        Those whose body only confirms what their row said do not count, those not judged yet do.
        """

    async def deletions(self, account: AccountId, state: DeletionState) -> list[DeletionRow]:
        """Return deletions in that state, oldest first."""

    async def unclaimed_acceptances(
        self, account: AccountId, since: datetime, until: datetime
    ) -> list[Acceptance]:
        """Return acceptances of that time that are tied to no submission."""

    async def remote_with_code(self, account: AccountId, code: str) -> list[RemoteRow]:
        """Return every row whose subject ends in ``code``, in the order first seen."""

    async def receipts_of(self, submission: QueueId) -> list[ReceiptRow]:
        """Return the receipts of a submission, oldest first."""

    async def alarms(self, account: AccountId | None = None) -> list[AlarmRow]:
        """Return the alarms that are not cleared."""

    async def alarm(self, account: AccountId, kind: str, key: str) -> AlarmRow | None:
        """Return an alarm that is or was raised, None if there never was one."""

    async def alarm_keys(self, account: AccountId, kind: str, begin: str) -> list[str]:
        """Return the keys that begin so of the alarms of a kind that are not cleared."""

    async def sync_state(self, account: AccountId) -> str:
        """Return what sync remembers of an account, "" at first."""

    async def requests_made(self, account: AccountId, day: date) -> dict[str, int]:
        """Return how many requests of each purpose a day has had (Europe/Rome)."""


class RemoteWrites(Protocol):
    """What can be changed."""

    async def add_remote(self, row: NewRemote) -> RemoteId:
        """Keep a row."""

    async def place_remote(self, places: Sequence[tuple[RemoteId, str]], turn: int) -> None:
        """Remember where rows were last seen: their API ids, and the turn (see ``Place``)."""

    async def drift_remote(
        self, drifts: Sequence[tuple[RemoteId, tuple[int, int]]], turn: int
    ) -> None:
        """Remember by how much the ids of rows that were not seen moved by that turn."""

    async def rank_remote(self, ranks: Sequence[tuple[RemoteId, float]]) -> None:
        """Give rows other ranks."""

    async def raise_remote(self, account: AccountId, cut: float, by: float) -> None:
        """Rank the live rows that are at ``cut`` or above it higher."""

    async def keep_remote_body(
        self, remote: RemoteId, body: RowText, sha256: bytes, content: ContentId
    ) -> None:
        """Keep a row's body as received, and the content composed from it.

        Args:
            remote: the row.
            body: as received, still form-urlencoded if it was.
            sha256: the digest by which bodies are told apart.
            content: the message that was composed of it.
        """

    async def classify_remote(
        self,
        remote: RemoteId,
        kind: str,
        code: str | None,
        stripped_subject: str,
        recipients: Sequence[str],
        *,
        readable: bool = True,
    ) -> None:
        """Remember what a row is: its receipt kind, code, subject without both, addressees.

        Args:
            remote: the row.
            kind: what kind of receipt it is, or of other mail, as the store writes it.
            code: the code in its subject; None for none.
            stripped_subject: the subject without the kind's prefix and the code.
            recipients: whom its text is about.
            readable: whether its body was there to be read.
        """

    async def show_remote(self, remote: RemoteId, content: ContentId) -> None:
        """Tie a row whose text is not here to the message that was made of the row alone."""

    async def judge_remote(self, remote: RemoteId, worth: Worth, code: str | None) -> None:
        """Remember what a row without a body is worth, and the code of a receipt; see ``Worth``."""

    async def claim_remote(self, remote: RemoteId, submission: QueueId) -> None:
        """Tie a row to a submission."""

    async def release_remote(self, remote: RemoteId) -> None:
        """Take a row's tie to a submission back, and the receipt that it was.

        Without its body it is to be judged anew.
        """

    async def release_receipts(self, submission: QueueId) -> None:
        """Likewise for every row of a submission."""

    async def begin_reading(self, remotes: Sequence[RemoteId]) -> None:
        """Remember that the bodies of rows are being fetched, until ``end_reading``."""

    async def end_reading(self, remotes: Sequence[RemoteId]) -> None:
        """Forget that, however it ended."""

    async def mark_remote_gone(
        self,
        remote: RemoteId,
        at: datetime,
        *,
        deleted: bool = False,
        left_inbox: LeftInbox | None = None,
    ) -> None:
        """Remember that a row is no longer at the API.

        Args:
            remote: which.
            at: when that was seen.
            deleted: we deleted it there, so that its like is another message.
            left_inbox: the message that left INBOX with it.
        """

    async def return_remote(self, old: RemoteId, new: RemoteId) -> LeftInbox | None:
        """Let a row that was gone be at the API again, in place of the new row it came back as.

        Returns:
            The message that had left INBOX with it, None if there was none.
        """

    async def record_deletion_intent(
        self, account: AccountId, content: ContentId, at: datetime
    ) -> bool:
        """Write down that the row behind a content is to be deleted; False if there is none.

        One that was kept or doubted before is wanted again.
        """

    async def ask_deletion(self, remote: RemoteId, alike: int) -> RemoteId:
        """Write down that the API is about to be asked for a deletion; see ``DeletionRow``.

        Returns:
            The last row that is known.
        """

    async def unask_deletion(self, remote: RemoteId) -> None:
        """Write down that this had no effect."""

    async def settle_deletion(
        self, remote: RemoteId, state: DeletionState, reason: str, at: datetime
    ) -> None:
        """Write down how a deletion ended.

        Args:
            remote: the row that was to be deleted.
            state: how that ended.
            reason: why it was left alone, for people; "" where it was deleted.
            at: the time, aware.
        """

    async def add_receipt(self, receipt: ReceiptRow) -> bool:
        """Keep a receipt; False if it is there already.

        One read from its row alone gives way to the same one read with its text.
        """

    async def add_alarm(
        self, account: AccountId, kind: str, key: str, text: str, at: datetime
    ) -> bool:
        """Keep an alarm; False if that kind and key was raised before and is not cleared.

        Args:
            account: whose it is.
            kind: one of the kinds of alarms, as the store writes it.
            key: tells alarms of one kind apart.
            text: what is said.
            at: the time, aware.
        """

    async def clear_alarm(self, account: AccountId, kind: str, key: str, at: datetime) -> bool:
        """End an alarm; False if there was none.

        Args:
            account: whose it is.
            kind: one of the kinds of alarms, as the store writes it.
            key: tells alarms of one kind apart.
            at: the time, aware.
        """

    async def acknowledge_alarm(
        self, account: AccountId, kind: str, key: str, at: datetime
    ) -> bool:
        """Write down that a raised alarm was seen; False if it is not raised or was seen before.

        Args:
            account: whose it is.
            kind: one of the kinds of alarms, as the store writes it.
            key: tells alarms of one kind apart.
            at: when, aware.
        """

    async def renew_alarm(self, account: AccountId, kind: str, key: str, text: str) -> None:
        """Let an alarm say something else.

        Args:
            account: whose it is.
            kind: one of the kinds of alarms, as the store writes it.
            key: tells alarms of one kind apart.
            text: what is said from now on.
        """

    async def keep_alarm_notice(
        self, account: AccountId, kind: str, key: str, content: ContentId, at: datetime
    ) -> None:
        """Write down which message told of an alarm, and when.

        Args:
            account: whose it is.
            kind: one of the kinds of alarms, as the store writes it.
            key: tells alarms of one kind apart.
            content: the message that told of it.
            at: when that was, aware.
        """

    async def set_sync_state(self, account: AccountId, state: str) -> None:
        """Replace what sync remembers of an account."""

    async def record_requests_made(
        self, account: AccountId, day: date, purpose: str, count: int
    ) -> None:
        """Set a day's count of requests of a purpose; days long past are forgotten.

        Args:
            account: whose requests.
            day: in Europe/Rome.
            purpose: what they were for.
            count: how many the day has had of that purpose.
        """

    async def drop_archived_bodies(self, before: datetime, limit: int) -> int:
        """Forget up to ``limit`` rows gone from the API before then; returns how many went.

        Contents that nothing else shows become orphans of that time (``mark_orphan``).
        """
