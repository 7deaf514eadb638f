"""Mailboxes, messages and their texts as the store keeps them: rows and the area's two protocols.

A *content* is one immutable text of an account, named by the digest of its bytes, with all that
was worked out from it at ingest; a *message* is a content in a mailbox under a UID. Copies share
their content. No rule lives here: which UID or MODSEQ is next is the writer's to say
(``bridge.mailbox``).

RFCs: 3501 §2.3, 7162 §3, 8474.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Protocol

from bridge.mime.ingest import Ingested
from bridge.model import (
    AccountId,
    ContentId,
    Flag,
    Flags,
    Mailbox,
    MailboxId,
    MessageRow,
    ModSeq,
    SpecialUse,
    Uid,
)


class Part(Enum):
    """A piece of a content that is stored ready for the wire; the value is its column."""

    ENVELOPE = "envelope"
    BODY = "body"
    BODYSTRUCTURE = "bodystructure"
    PARTS = "parts"
    HEADER = "header"
    RAW = "raw"
    PREVIEW = "preview"


class TextField(Enum):
    """A folded text that SEARCH looks into; the value is its column."""

    SUBJECT = "subject"
    FROM = "sender"
    TO = "recipient"
    CC = "cc"
    BCC = "bcc"
    HEADER = "header"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class SortRow:
    """What SORT and THREAD need of one content; see ``mime.ingest.SortKeys``."""

    content: ContentId
    message_id: str | None
    sent_at: int | None
    is_reply: bool
    references: tuple[str, ...]
    base_subject: str
    from_mailbox: str
    to_mailbox: str
    cc_mailbox: str
    from_display: str
    to_display: str


IndexRow = tuple[int, int, str, int, int, int, int, int]
"""uid, modseq, flags (sorted, blanks between), internal date (seconds), its zone (minutes east),
saved date (seconds), size (bytes), content: a mailbox of 100,000 is read without an object each."""


def message_of(row: IndexRow) -> MessageRow:
    """Return the message that an index row stands for."""
    uid, modseq, flags, internal_date, zone_minutes, saved_at, size_bytes, content = row
    zone = timezone(timedelta(minutes=zone_minutes))
    return MessageRow(
        Uid(uid),
        ModSeq(modseq),
        frozenset(map(Flag, flags.split())),
        datetime.fromtimestamp(internal_date, zone),
        datetime.fromtimestamp(saved_at, UTC),
        size_bytes,
        ContentId(content),
    )


@dataclass(frozen=True, slots=True)
class MessageCopy:
    """One message of an account: where a content stands."""

    mailbox: MailboxId
    uid: Uid


class MessageReads(Protocol):
    """What can be asked."""

    async def account(self, address: str) -> AccountId | None:
        """Return the account with this address, any case."""

    async def accounts(self) -> list[AccountId]:
        """Return every account there ever was, in the order they came."""

    async def address(self, account: AccountId) -> str | None:
        """Return the account's address as it was first spelled; None if there is none."""

    async def mailboxes(self, account: AccountId) -> tuple[Mailbox, ...]:
        """Return the account's mailboxes by name."""

    async def mailbox(self, mailbox: MailboxId) -> Mailbox | None:
        """Return one mailbox as it stands."""

    async def highest_modseqs(self, mailboxes: Collection[MailboxId]) -> dict[MailboxId, ModSeq]:
        """Return how far some mailboxes have come; those that are gone are missing."""

    async def mailbox_named(self, account: AccountId, name: str) -> Mailbox | None:
        """Return the account's mailbox of exactly that name."""

    async def recent_from(self, mailbox: MailboxId) -> Uid:
        r"""Return the first UID no read-write session was told of yet (``\\Recent``)."""

    async def subscriptions(self, account: AccountId) -> tuple[str, ...]:
        """Return the names subscribed to, sorted; their mailboxes need not exist."""

    async def index_rows(
        self, mailbox: MailboxId, *, after: int = 0, limit: int | None = None
    ) -> list[IndexRow]:
        """Return a mailbox's messages with UIDs above ``after`` in UID order, as bare values.

        ``limit`` bounds how many come at once.
        """

    async def rows_changed_since(self, mailbox: MailboxId, modseq: ModSeq) -> list[IndexRow]:
        """Return the messages that came or got other flags after ``modseq``, in UID order."""

    async def message_row(self, mailbox: MailboxId, uid: Uid) -> MessageRow | None:
        """Return one message."""

    async def message_rows(self, mailbox: MailboxId, uids: Sequence[Uid]) -> list[MessageRow]:
        """Return those messages that exist, in UID order."""

    async def flags_of(
        self, mailbox: MailboxId, uids: Sequence[Uid]
    ) -> dict[Uid, tuple[ModSeq, Flags]]:
        """Return MODSEQ and flags of those messages that exist, in UID order."""

    async def expunged_since(self, mailbox: MailboxId, modseq: ModSeq) -> tuple[Uid, ...]:
        """Return, in order, UIDs that left the mailbox after ``modseq`` (RFC 7162 §3.2.6)."""

    async def uid_by_message_id(self, mailbox: MailboxId, message_id: str) -> Uid | None:
        """Return the first message of a mailbox with this Message-ID."""

    async def content_by_digest(self, account: AccountId, sha256: bytes) -> ContentId | None:
        """Return the account's content with these bytes."""

    async def copies(self, content: ContentId) -> tuple[MessageCopy, ...]:
        """Return every message that shows this content."""

    async def unshown(self, contents: Sequence[ContentId]) -> list[ContentId]:
        """Return those contents that no message shows, in order of their ids."""

    async def pieces(
        self,
        contents: Sequence[ContentId],
        parts: Sequence[Part],
        most_bytes: int | None = None,
    ) -> list[tuple[object, ...]]:
        """Return ``(content, piece, …)`` for each content, in the order of their ids.

        With ``most_bytes`` only the first ones whose pieces are not longer together, or one; but
        all of them where none is longer than four times its share, so that it is not added up.
        """

    async def raw(self, content: ContentId, start: int, length_bytes: int) -> bytes:
        """Return part of a text, by offset; empty past its end."""

    async def header_sets(self) -> dict[str, int]:
        """Return the learned sets of header fields: canonical names to the set's number."""

    async def header_fields(
        self, header_set: int, contents: Sequence[ContentId]
    ) -> dict[ContentId, bytes]:
        """Return the stored fields of those contents that have them for this set, if few."""

    async def matching_text(
        self, mailbox: MailboxId, field: TextField, needle: str
    ) -> tuple[list[ContentId], list[ContentId]]:
        """Return contents whose folded ``field`` holds ``needle``, and those to be looked at whole.

        A line end counts before the first letter of a text that is not BODY.

        Each in order of their ids; the second list is of contents whose body text was cut and did
        not match.
        """

    async def identified(
        self, mailbox: MailboxId, identification: str, limit: int
    ) -> list[ContentId]:
        """Return contents that may have a Message-ID, in order of their ids.

        No other has it; those whose field is several, or no ``<…>``, are always among them.

        Args:
            mailbox: where.
            identification: ``<…>``, folded.
            limit: how many at the most.
        """

    async def field_texts(
        self, contents: Sequence[ContentId], field: TextField
    ) -> list[tuple[ContentId, str]]:
        """Return a folded text, not BODY, of each of some contents."""

    async def sent_days(self, contents: Sequence[ContentId]) -> list[tuple[ContentId, str]]:
        """Return the day of the Date field (``YYYY-MM-DD``) of each content that has one."""

    async def stale_contents(self, limit: int) -> list[ContentId]:
        """Return contents whose texts and keys were worked out by older rules, newest first."""

    async def sort_rows(
        self, contents: Sequence[ContentId], texts: frozenset[str]
    ) -> list[SortRow]:
        """Return the sort keys of contents; of the texts those that ``texts`` names, "" for others.

        ``texts`` are names of fields of ``SortRow``, from ``references`` on.
        """


class MessageWrites(Protocol):
    """What can be changed."""

    async def add_account(self, address: str) -> AccountId:
        """Make an account."""

    async def add_mailbox(
        self, account: AccountId, name: str, special_use: SpecialUse | None, uid_validity: int
    ) -> Mailbox:
        """Make a mailbox; its UIDVALIDITY is at least this and above all that ever were.

        Args:
            account: whose it is.
            name: decoded, in its one spelling.
            special_use: what it is for (RFC 6154), None for nothing special.
            uid_validity: the least UIDVALIDITY it gets.
        """

    async def renew_uid_validities(self, least: int) -> None:
        """Give every mailbox a new UIDVALIDITY: at least this, above all that ever were, its own.

        Args:
            least: the least that any of them gets.
        """

    async def rename_mailbox(self, mailbox: MailboxId, name: str) -> None:
        """Give a mailbox another name."""

    async def remove_mailbox(self, mailbox: MailboxId) -> None:
        """Forget a mailbox and its messages."""

    async def set_recent_from(self, mailbox: MailboxId, uid: Uid) -> None:
        r"""Move the mark of ``\\Recent``."""

    async def add_subscription(self, account: AccountId, name: str) -> None:
        """Subscribe; harmless when already so."""

    async def remove_subscription(self, account: AccountId, name: str) -> None:
        """Unsubscribe; harmless when not subscribed."""

    async def add_content(self, account: AccountId, message: Ingested) -> ContentId:
        """Keep a text and all that was worked out from it; the same bytes give the same id."""

    async def renew_content(self, content: ContentId, message: Ingested) -> None:
        """Replace a content's folded texts, sort keys and preview; it is stale no more.

        Its bytes, ENVELOPE and BODYSTRUCTURE stay: of a UID these never change (RFC 3501
        §2.3.1.1).
        """

    async def mark_orphans(self, contents: Sequence[ContentId], at: datetime) -> None:
        """Remember that the last copies of contents went; see ``drop_orphans``."""

    async def drop_orphans(self, before: datetime, limit: int) -> int:
        """Forget up to ``limit`` contents orphaned before then that nothing refers to again."""

    async def append_message(
        self,
        mailbox: MailboxId,
        content: ContentId,
        size_bytes: int,
        flags: Flags,
        internal_date: datetime,
        saved_at: datetime,
    ) -> MessageRow | None:
        """Put a content at the end of a mailbox, under its next UID and its next MODSEQ.

        Returns the message, None if the mailbox is gone.

        Args:
            mailbox: where it is put.
            content: its text.
            size_bytes: RFC822.SIZE.
            flags: its first ones.
            internal_date: INTERNALDATE, aware.
            saved_at: when it came into this mailbox (RFC 8514), aware.
        """

    async def add_messages(self, mailbox: MailboxId, rows: Sequence[MessageRow]) -> None:
        """Put contents into a mailbox; moves uid_next and highest_modseq up to the last row's."""

    async def set_flags(
        self, mailbox: MailboxId, changes: Sequence[tuple[Uid, Flags]], modseq: ModSeq
    ) -> None:
        """Replace flags; moves highest_modseq."""

    async def remove_messages(
        self, mailbox: MailboxId, uids: Sequence[Uid], modseq: ModSeq, at: datetime
    ) -> None:
        """Take messages out and remember their UIDs; moves highest_modseq.

        Args:
            mailbox: where they are.
            uids: which they are.
            modseq: the mailbox's next one, at which they went.
            at: the time, aware.
        """

    async def index_bodies(self, limit: int) -> int:
        """Put up to ``limit`` more body texts into the search's index; return how many.

        Harmless to leave out: what is not in the index is looked through.
        """

    async def add_header_set(self, names: str) -> int:
        """Learn a set of header fields; new contents get it at ingest."""

    async def keep_header_fields(
        self, header_set: int, fields: Sequence[tuple[ContentId, bytes]]
    ) -> None:
        """Keep fields worked out later; harmless when already there."""
