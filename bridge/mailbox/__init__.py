"""The single writer of mailboxes: assigns UID and MODSEQ, commits, then publishes changes."""

from bridge.mailbox.hierarchy import MailboxRefused, Refusal
from bridge.mailbox.index import MailboxIndex
from bridge.mailbox.mailboxes import CopyOutcome, Mailboxes
from bridge.mailbox.transaction import (
    FlagChange,
    FlagsOutcome,
    MailboxExists,
    MailboxTransaction,
    NoSuchMailbox,
    TooManyKeywords,
)

__all__ = [
    "CopyOutcome",
    "FlagChange",
    "FlagsOutcome",
    "MailboxExists",
    "MailboxIndex",
    "MailboxRefused",
    "MailboxTransaction",
    "Mailboxes",
    "NoSuchMailbox",
    "Refusal",
    "TooManyKeywords",
]
