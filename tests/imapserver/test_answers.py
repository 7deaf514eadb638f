"""What a command that failed is answered: one line, whatever the client put into it."""

from __future__ import annotations

import pytest

from bridge.imap.errors import SyntaxFault
from bridge.imap.parse_search import BadCharset
from bridge.imapserver.reply import Bad, No, answer_to
from bridge.limits import REPLY_CHARS

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
