"""The lines of a trace: what was understood is shown, and no password can be."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.imap.errors import ImapFault
from bridge.imap.framing import CommandLine
from bridge.imap.parser import parse
from bridge.imap.responses import esearch
from bridge.imapserver.reply import answer_to
from bridge.trace.words import (
    LINE_CHARS,
    LINES,
    imap_command,
    imap_line,
    imap_reply,
    masked,
    shown,
    smtp_command,
)

SECRET = "Segreta-99"
KINDS = (
    "{}",
    "UID {}",
    "FETCH 1 {}",
    "STATUS x ({})",
    'LIST ({}) "" *',
    'LIST "" * RETURN ({})',
    "SEARCH {} x",
    "SEARCH CHARSET {} ALL",
    "SORT ({}) UTF-8 ALL",
    "NOTIFY SET ({} (MessageNew))",
)
BASE64 = base64.b64encode(f"\0azienda@pec.example\0{SECRET}".encode())


def imap(text: bytes, *literals: bytes, is_known: bool = True) -> str:
    line = CommandLine(text, literals)
    return imap_command(parse(line).name, line.text, is_known=is_known)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a1 NOOP", "NOOP"),
        (b"a1 SELECT INBOX", "SELECT INBOX"),
        (b"a1 UID FETCH 1:* (FLAGS)", "UID FETCH 1:* (FLAGS)"),
        (b"a1 LOGIN azienda@pec.example Segreta-99", "LOGIN (not shown, 39 bytes)"),
        (b"a1 AUTHENTICATE PLAIN " + BASE64, "AUTHENTICATE (not shown, 66 bytes)"),
    ],
)
def test_imap_commands(text: bytes, expected: str) -> None:
    assert imap(text) == expected


def test_before_a_login_names_only() -> None:
    assert imap(b"Segreta-99 CAPABILITY", is_known=False) == "CAPABILITY (not shown, 21 bytes)"
    assert SECRET not in imap(b'Segreta-99 ID ("name" "Segreta-99")', is_known=False)


def test_tags_and_literals_are_left_out() -> None:
    line = imap(b"Segreta-99 SEARCH SUBJECT {10}\n", b"Segreta-99")
    assert line == "SEARCH SUBJECT {10} (not shown) "
    said = b"Segreta-99 OK done\r\n* 3 EXISTS\r\nSegreta-99 BAD no\r\n+ go on\r\n"
    assert imap_reply(said) == ["(tag) OK done", "* 3 EXISTS", "(tag) BAD no", "+ go on"]


def test_the_tag_in_the_answer_to_a_search_is_left_out() -> None:
    said = esearch("Segreta-99", uid=True)
    assert imap_reply(said) == ["* ESEARCH (tag) UID"]


@given(st.sampled_from(KINDS), st.sampled_from(["SEGRETA", "segreta"]))
def test_no_word_that_was_not_understood_is_in_what_is_said_of_it(kind: str, word: str) -> None:
    with pytest.raises(ImapFault) as raised:
        parse(CommandLine(f"a {kind.format(word)}".encode(), ()))
    assert word.upper() in answer_to(raised.value).upper()
    assert word.upper() not in answer_to(raised.value, quoted=False).upper()


def test_lines_that_are_no_command() -> None:
    assert imap_line(b"done") == "DONE"
    assert imap_line(BASE64) == masked(BASE64)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"EHLO [127.0.0.1]", "EHLO [127.0.0.1]"),
        (b"mail FROM:<a@pec.example> SIZE=3", "mail FROM:<a@pec.example> SIZE=3"),
        (b"AUTH PLAIN " + BASE64, f"AUTH PLAIN (not shown, {len(BASE64) + 6} bytes)"),
        (b"auth " + BASE64, f"AUTH (not shown, {len(BASE64)} bytes)"),
        (b"AUTH LOGIN", "AUTH LOGIN (not shown, 5 bytes)"),
        (b"NOOP Segreta-99", "NOOP (not shown, 10 bytes)"),
        (b"QUIT", "QUIT"),
        (b"PASS Segreta-99", "(no command, not shown, 15 bytes)"),
        (BASE64, f"(no command, not shown, {len(BASE64)} bytes)"),
    ],
)
def test_smtp_commands(line: bytes, expected: str) -> None:
    assert smtp_command(line) == expected


@given(st.binary(max_size=40), st.binary(max_size=40), st.sampled_from([" ", "", "\t"]))
def test_wherever_a_password_stands_in_smtp(before: bytes, after: bytes, gap: str) -> None:
    """Only behind the four commands whose arguments are shown."""
    said = smtp_command(before + gap.encode() + SECRET.encode() + after)
    verb = said.partition(" ")[0].upper()
    assert SECRET not in said or verb in ("EHLO", "HELO", "MAIL", "RCPT")


@given(st.binary(max_size=30), st.sampled_from(["LOGIN", "AUTHENTICATE", "login"]), st.booleans())
def test_wherever_a_password_stands_in_a_login(more: bytes, name: str, is_known: bool) -> None:
    text = b"a " + name.encode() + b" " + SECRET.encode() + b" " + more
    try:
        said = imap(text, is_known=is_known)
    except ImapFault:
        return  # is no command, and not shown
    assert SECRET not in said


@given(st.binary(max_size=2 * LINE_CHARS))
def test_a_line_is_one_line_and_bounded(data: bytes) -> None:
    text = shown(data)
    assert text.isprintable()
    assert len(text) <= 10 * LINE_CHARS + 40


def test_long_replies_are_cut() -> None:
    texts = imap_reply(b"* OK x\r\n" * (LINES + 5))
    assert (len(texts), texts[-1]) == (LINES + 1, "(5 lines more)")
