"""The nouns every layer shares: identifiers, mailboxes, messages and the changes to them.

Values only: nothing here reads a clock, a socket or a file. Whatever is wrong in a value is
refused when it is built, so an invalid one cannot exist.

RFCs: 3501 §2.3 (message attributes), 6154 (special use), 7162 (MODSEQ), 8474 (object ids).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from hashlib import sha256
from typing import Any, NewType, Protocol

AccountId = NewType("AccountId", int)
MailboxId = NewType("MailboxId", int)
ContentId = NewType("ContentId", int)
"""Names one immutable message text; copies share it. Shown to clients as EMAILID (RFC 8474)."""
Uid = NewType("Uid", int)
SeqNum = NewType("SeqNum", int)
ModSeq = NewType("ModSeq", int)
QueueId = NewType("QueueId", str)
"""Names one submission in the outbox, as told to the SMTP client after ``250``."""

Flag = NewType("Flag", str)
Flags = frozenset[Flag]

SEEN = Flag("\\Seen")
ANSWERED = Flag("\\Answered")
FLAGGED = Flag("\\Flagged")
DELETED = Flag("\\Deleted")
DRAFT = Flag("\\Draft")
SYSTEM_FLAGS: Flags = frozenset({SEEN, ANSWERED, FLAGGED, DELETED, DRAFT})

PEC_ACCEPTED = Flag("$PecAccepted")
PEC_DELIVERED = Flag("$PecDelivered")
PEC_FAILED = Flag("$PecFailed")
PEC_UNCERTAIN = Flag("$PecUncertain")

RESERVED_KEYWORDS = "$pec"
"""How the keywords begin, in any case, that say what became of a send: the bridge's alone.

The whole beginning is reserved: a word set by a client today would be a false claim once the bridge
gives it a meaning.
"""

INBOX = "INBOX"
SENT = "Sent"
UNSENT = "Unsent"
DRAFTS = "Drafts"
TRASH = "Trash"
ARCHIVE = "Archive"

_SYSTEM_BY_FOLDED = {str(flag).casefold(): flag for flag in SYSTEM_FLAGS}
_KEYWORD = re.compile(r"[^\x00-\x20\x7f-\uffff(){%*\"\\\]]+")


def flag(name: str) -> Flag:
    r"""Return the flag called ``name``: ``\\seen`` becomes ``\\Seen``, a keyword stays as spelled.

    Raises:
        ValueError: ``name`` is neither a system flag nor an atom (RFC 3501 §9 ``flag``);
            ``\\Recent`` is the server's own and refused too.
    """
    system = _SYSTEM_BY_FOLDED.get(name.casefold())
    if system is not None:
        return system
    if not _KEYWORD.fullmatch(name):
        raise ValueError(f"{name!r} is not a flag")
    return Flag(name)


class HeldText(Protocol):
    """A text that is too large for memory: UTF-8 on the disk, of which ``len`` counts the bytes."""

    @property
    def sha256(self) -> bytes:
        """The digest of all bytes."""

    def __len__(self) -> int:
        """Return how many bytes it has."""

    def pieces(self) -> Iterator[bytes]:
        """Give the bytes a piece at a time; blocks."""

    def beginning(self, chars: int) -> str:
        """Return so many of its first characters, if it has them; blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFields:
    """What a row of the API says, whoever has it in hand: as received, of any length.

    ``date_text`` is the date as it is written.
    """

    sender: str
    recipient: str
    date_text: str
    subject: str

    @property
    def row_fields(self) -> dict[str, Any]:
        """These by their names, for another that has them too."""
        return {one.name: getattr(self, one.name) for one in fields(RowFields)}


RowText = str | HeldText
"""The text of a row, as the API gave it."""


def body_digest(body: RowText) -> bytes:
    """Return what tells the texts of rows apart, as the API gave them: 32 bytes.

    Deletions rest on it: two rows alike in every field are told apart by nothing else.
    """
    if isinstance(body, str):
        return sha256(body.encode("utf-8", "surrogatepass")).digest()
    return body.sha256


def is_reserved(flag: Flag) -> bool:
    """Say whether only the bridge itself may set or clear a flag."""
    return flag[: len(RESERVED_KEYWORDS)].casefold() == RESERVED_KEYWORDS


class SpecialUse(Enum):
    r"""What a mailbox is for (RFC 6154 §2); the value is the LIST attribute."""

    ARCHIVE = "\\Archive"
    DRAFTS = "\\Drafts"
    FLAGGED = "\\Flagged"
    JUNK = "\\Junk"
    SENT = "\\Sent"
    TRASH = "\\Trash"


class EventKind(Enum):
    """What can have happened, as the log of events tells it."""

    QUEUED = "queued"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    LATE = "late"
    WITHDRAWN = "withdrawn"
    HELD = "held"
    DROPPED = "dropped"
    ALARM = "alarm"
    ALARM_ENDED = "alarm_ended"


class SubmissionState(Enum):
    """Where a submission stands; ``outbox.states`` holds the table of what may follow what."""

    QUEUED = "queued"
    DISPATCHING = "dispatching"
    SUBMITTED = "submitted"
    REFUSED = "refused"
    HELD = "held"
    CANCELLED = "cancelled"
    DROPPED = "dropped"
    UNCERTAIN = "uncertain"
    RESTORED = "restored"


class Outcome(Enum):
    """What became of a message, in one word; see ``receipts.outcome``."""

    OPEN = "open"
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    FAILED = "failed"
    NOT_SENT = "not_sent"
    UNCERTAIN = "uncertain"


NEVER_LEFT: frozenset[SubmissionState] = frozenset(
    {SubmissionState.HELD, SubmissionState.REFUSED, SubmissionState.CANCELLED}
)
"""States of what did not leave and is not about to."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox of an account, as it stands after the last commit.

    ``name`` is Unicode with ``/`` between levels (never modified UTF-7); ``uid_next`` is the UID
    the next message gets; ``highest_modseq`` is at least 1 (RFC 7162 §3.1.2.1).
    """

    id: MailboxId
    account: AccountId
    name: str
    uid_validity: int
    uid_next: Uid
    highest_modseq: ModSeq
    special_use: SpecialUse | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """How full an account is, in bytes; a limit of 0 is none (RFC 9208, Q21)."""

    used_bytes: int
    limit_bytes: int

    def __post_init__(self) -> None:
        if self.used_bytes < 0 or self.limit_bytes < 0:
            raise ValueError("a quota is not negative")

    @property
    def percent(self) -> float | None:
        """How full it is, None without a limit."""
        return 100 * self.used_bytes / self.limit_bytes if self.limit_bytes else None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """All of a message that can differ between mailboxes or is wanted without its text.

    ``internal_date`` is aware and keeps the zone it came with (SEARCH ON reads the date in that
    zone, RFC 3501 §6.4.4); ``saved_at`` is aware UTC (RFC 8514); ``size_bytes`` is RFC822.SIZE.
    """

    uid: Uid
    modseq: ModSeq
    flags: Flags
    internal_date: datetime
    saved_at: datetime
    size_bytes: int
    content: ContentId


@dataclass(frozen=True, slots=True)
class Added:
    """Messages came to the end of a mailbox, in UID order."""

    mailbox: MailboxId
    modseq: ModSeq
    messages: tuple[MessageRow, ...]


@dataclass(frozen=True, slots=True)
class FlagsChanged:
    """The flags of messages are now these; the whole set each time, in UID order."""

    mailbox: MailboxId
    modseq: ModSeq
    flags: tuple[tuple[Uid, Flags], ...]


@dataclass(frozen=True, slots=True)
class Expunged:
    """Messages left a mailbox for good, in UID order."""

    mailbox: MailboxId
    modseq: ModSeq
    uids: tuple[Uid, ...]


@dataclass(frozen=True, slots=True)
class MailboxCreated:
    """A mailbox came into being."""

    mailbox: Mailbox


@dataclass(frozen=True, slots=True)
class MailboxRenamed:
    """A mailbox has a new name; its messages, UIDs and UIDVALIDITY stay."""

    mailbox: Mailbox
    old_name: str


@dataclass(frozen=True, slots=True)
class MailboxDeleted:
    """A mailbox and all its messages are gone."""

    mailbox: Mailbox


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """A name was subscribed to or dropped (the mailbox need not exist, RFC 3501 §6.3.6)."""

    account: AccountId
    name: str
    subscribed: bool


MessageChange = Added | FlagsChanged | Expunged
MailboxChange = MailboxCreated | MailboxRenamed | MailboxDeleted | SubscriptionChanged
Change = MessageChange | MailboxChange
"""The sole language in which a committed change is told to sessions and services."""
