"""What the API showed, as the store keeps it: rows, where they are listed, and their texts.

A *remote row* is one entry of ``GET /inbox`` as received, with the body once it was fetched and
the content composed from both. Its identity is ours (``RemoteId``): the API's id is only where it
was last seen. Rows are kept after they are gone from the API.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NewType, Protocol

from bridge.model import AccountId, ContentId, Flags, QueueId, RowFields, RowText

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


@dataclass(frozen=True, slots=True)
class NewRemote(RowFields):
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
    received_at: datetime | None
    first_seen: datetime
    rank: float = 0.0
    turn: int = 0


@dataclass(frozen=True, slots=True)
class RemoteRow(RowFields):
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
    """Rows first listed in a time: receipts among them, and acceptances and deliveries of these."""

    rows: int
    receipts: int
    good: int


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

    async def remotes_of(self, remotes: Sequence[RemoteId]) -> dict[RemoteId, RemoteRow]:
        """Return those of some rows that there are."""

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
        besides: Collection[RemoteId] = (),
    ) -> list[RemoteRow]:
        """Return live rows whose body is still to be fetched, by worth, then the newest first.

        One that was not judged yet is not among them.

        Args:
            account: whose.
            limit: the most rows.
            below: those that are worth more than these.
            confirming: those whose body only confirms what their row said, else all others.
            besides: rows that are left out.
        """

    async def remote_to_show(self, account: AccountId, limit: int) -> list[RemoteRow]:
        """Return live rows that say all that counts and have no message yet, oldest first."""

    async def remote_unjudged(self, account: AccountId, limit: int) -> list[RemoteRow]:
        """Return live rows whose body is still to be fetched and that were never judged."""

    async def readings(self, remotes: Sequence[RemoteId]) -> dict[RemoteId, int]:
        """Return which of these rows were being read when that was cut off, and how often."""

    async def remote_of_content(self, account: AccountId, content: ContentId) -> RemoteRow | None:
        """Return the row at the API that a content was composed from."""

    async def gone_names(self, account: AccountId, fingerprints: Sequence[bytes]) -> set[bytes]:
        """Return those of some fingerprints that ``gone_remote`` may find a row of."""

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

    async def show_remote(self, remote: RemoteId, content: ContentId) -> None:
        """Tie a row whose text is not here to the message that was made of the row alone."""

    async def judge_remote(self, remote: RemoteId, worth: Worth, code: str | None) -> None:
        """Remember what a row without a body is worth, and the code of a receipt; see ``Worth``."""

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

    async def drop_archived_bodies(self, before: datetime, limit: int) -> int:
        """Forget up to ``limit`` rows gone from the API before then; returns how many went.

        Contents that nothing else shows become orphans of that time (``mark_orphan``).
        """
