"""What each fault is answered."""

from __future__ import annotations

import pytest

from bridge.imap.errors import LiteralTooLong, SyntaxFault, TooLong
from bridge.imap.parse_search import BadCharset
from bridge.imapserver.reply import Bad, No, answer_to
from bridge.limits import REPLY_CHARS
from bridge.mailbox import MailboxExists, NoSuchMailbox
from bridge.store.base import StoreFailed, StoreFull

ANSWERS = {
    "no": (No("not so"), "NO not so"),
    "no with a code": (No("none", "NONEXISTENT"), "NO [NONEXISTENT] none"),
    "bad": (Bad("not now"), "BAD not now"),
    "syntax": (SyntaxFault("a", "a blank expected"), "BAD a blank expected"),
    "line": (TooLong("a", "too long"), "BAD too long"),
    "literal": (LiteralTooLong("a", "too long"), "NO [TOOBIG] too long"),
    "charset": (BadCharset("a", "unknown"), "NO [BADCHARSET (UTF-8)] unknown"),
    "number": (IndexError(7), "BAD no such message number"),
    "mailbox gone": (NoSuchMailbox("x"), "NO [NONEXISTENT] the mailbox is gone"),
    "mailbox taken": (MailboxExists("x"), "NO [ALREADYEXISTS] a mailbox of that name exists"),
    "disk full": (StoreFull("x"), "NO [OVERQUOTA] the disk is full; nothing was changed"),
    "store": (
        StoreFailed("x"),
        "NO [UNAVAILABLE] the store failed; nothing was changed, try again",
    ),
    "bug": (ZeroDivisionError(), "NO [SERVERBUG] internal error; see the server's log"),
}


@pytest.mark.parametrize(("error", "answer"), ANSWERS.values(), ids=ANSWERS.keys())
def test_answer(error: Exception, answer: str) -> None:
    assert answer_to(error) == answer


HOSTILE = ("a\r\n* BYE b", "a\nb", "a\x00\x1b[2Jb", "a\u2028b", "x" * 1_000_000)


@pytest.mark.parametrize("text", HOSTILE, ids=["CRLF", "LF", "controls", "U+2028", "long"])
@pytest.mark.parametrize(
    "error",
    [
        lambda text: No("no such message", f'BADURL "{text}"'),
        lambda text: BadCharset("a", text),
        lambda text: SyntaxFault("a", text),
        Bad,
    ],
    ids=["BADURL", "BADCHARSET", "BAD", "Bad"],
)
def test_what_a_client_sent_stays_on_one_line(error: type[Exception], text: str) -> None:
    answer = answer_to(error(text))
    assert answer.isprintable()
    assert len(answer) <= REPLY_CHARS
