"""How a command can end other than well: exceptions, and the one table of what each is answered."""

from __future__ import annotations

from bridge.imap.errors import ImapFault, LiteralTooLong, TooMuch
from bridge.imap.parse_search import BadCharset
from bridge.limits import KEYWORDS, REPLY_CHARS, shortened
from bridge.mailbox import (
    MailboxExists,
    MailboxRefused,
    NoSuchMailbox,
    Refusal,
    TooManyKeywords,
)
from bridge.store.base import StoreFailed, StoreFull


class No(Exception):
    """The command failed; ``code`` is the response code in brackets, if any."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.code = code


class Bad(Exception):
    """The command may not be given now, or not like that."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


SAID_ITSELF: tuple[tuple[type[ImapFault], str], ...] = (
    (BadCharset, "NO [BADCHARSET (UTF-8)]"),
    (LiteralTooLong, "NO [TOOBIG]"),
    (TooMuch, "NO [LIMIT]"),
    (ImapFault, "BAD"),
)
"""A fault of the client's, and what is put before its own text (RFC 3501 §7.1, RFC 7889 §4)."""

ANSWERS: tuple[tuple[type[Exception], str], ...] = (
    (IndexError, "BAD no such message number"),
    (NoSuchMailbox, "NO [NONEXISTENT] the mailbox is gone"),
    (TooManyKeywords, f"NO [LIMIT] a mailbox has at most {KEYWORDS} keywords"),
    (MailboxExists, "NO [ALREADYEXISTS] a mailbox of that name exists"),
    (StoreFull, "NO [OVERQUOTA] the disk is full; nothing was changed"),
    (StoreFailed, "NO [UNAVAILABLE] the store failed; nothing was changed, try again"),
)
"""What else can go wrong with a command that was understood (RFC 5530)."""

CODES = {
    Refusal.NOT_ALLOWED: "CANNOT",
    Refusal.EXISTS: "ALREADYEXISTS",
    Refusal.MISSING: "NONEXISTENT",
    Refusal.TOO_MANY: "LIMIT",
    Refusal.SPECIAL_USE: "USEATTR",
}
"""What the rules of mailboxes refuse (RFC 5530 §3, RFC 6154 §3)."""

UNFORESEEN = "NO [SERVERBUG] internal error; see the server's log"


def answer_to(error: Exception, *, quoted: bool = True) -> str:
    """Return the tagged reply that an exception stands for, without the tag, on one line.

    Texts may quote what the client sent, where a literal holds line ends (BADURL, BADCHARSET);
    with ``quoted`` off those about what is no command do not.
    """
    text = shortened(_answer_to(error, quoted), REPLY_CHARS)
    return "".join(char if char.isprintable() else "?" for char in text)


def _answer_to(error: Exception, quoted: bool) -> str:
    match error:
        case No(text=text, code=code):
            return f"NO [{code}] {text}" if code else f"NO {text}"
        case Bad(text=text):
            return f"BAD {text}"
        case MailboxRefused(refusal=refusal, text=text):
            return f"NO [{CODES[refusal]}] {text}"
        case ImapFault():
            text = error.text if quoted else error.unquoted
            return next(f"{start} {text}" for kind, start in SAID_ITSELF if isinstance(error, kind))
    return next((answer for kind, answer in ANSWERS if isinstance(error, kind)), UNFORESEEN)
