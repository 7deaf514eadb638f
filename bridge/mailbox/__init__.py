"""The single writer of mailboxes: assigns UID and MODSEQ, commits, then publishes changes."""

from bridge.mailbox.flagchange import FlagChange, FlagsOutcome
from bridge.mailbox.hierarchy import MailboxRefused, Refusal
from bridge.mailbox.index import MailboxIndex
from bridge.mailbox.mailboxes import CopyOutcome, Mailboxes
from bridge.mailbox.naming import MailboxExists, NoSuchMailbox
from bridge.mailbox.transaction import MailboxTransaction, TooManyKeywords

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
