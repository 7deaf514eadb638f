"""The command table: whole, and its rule about EXPUNGE."""

from __future__ import annotations

import pytest

from bridge.imap.errors import SyntaxFault
from bridge.imap.framing import CommandLine
from bridge.imap.parser import parse
from bridge.imapserver.capability import AFTER_LOGIN, ALWAYS
from bridge.imapserver.session import SessionState
from bridge.imapserver.table import TABLE, may_tell_expunges


def is_command(name: str) -> bool:
    """Say whether the grammar knows a command, whatever its arguments."""
    try:
        parse(CommandLine(f"a {name} x".encode(), ()))
    except SyntaxFault as fault:
        return "is not a command" not in fault.text
    return True


@pytest.mark.parametrize("name", TABLE)
def test_every_command_of_the_table_is_one_of_the_grammar(name: str) -> None:
    assert is_command(name)


def test_a_command_that_is_none_is_not() -> None:
    assert not is_command("XLIST")


RULES = {
    "NOOP tells": ("NOOP", None, True),
    "FETCH does not": ("FETCH", None, False),
    "STORE does not": ("STORE", None, False),
    "SEARCH does not": ("SEARCH", None, False),
    "UID FETCH may": ("UID FETCH", None, True),
    "EXPUNGE must": ("EXPUNGE", "FETCH", True),
    "MOVE must": ("MOVE", "FETCH", True),
    "NOOP before a STORE does not": ("NOOP", "STORE", False),
    "NOOP before a UID STORE may": ("NOOP", "UID STORE", True),
}


@pytest.mark.parametrize(("name", "following", "expected"), RULES.values(), ids=RULES.keys())
def test_when_expunges_are_told(name: str, following: str | None, expected: bool) -> None:
    after = TABLE[following] if following else None
    assert may_tell_expunges(TABLE[name], after) is expected


@pytest.mark.parametrize(
    "name", ["FETCH", "STORE", "SEARCH", "COPY", "EXPUNGE", "CLOSE", "UID MOVE"]
)
def test_needs_a_mailbox(name: str) -> None:
    assert TABLE[name].states == {SessionState.SELECTED}


def test_no_capability_is_named_twice() -> None:
    names = [*ALWAYS, *AFTER_LOGIN]
    assert len(names) == len(set(names))


SAMPLES = {
    "APPEND": "INBOX {1}\n",
    "AUTHENTICATE": "PLAIN",
    "COMPRESS": "DEFLATE",
    "COPY": "1 Trash",
    "CREATE": "a",
    "DELETE": "a",
    "ENABLE": "QRESYNC",
    "EXAMINE": "INBOX",
    "FETCH": "1 UID",
    "GETQUOTA": "account",
    "GETQUOTAROOT": "INBOX",
    "ID": "NIL",
    "LIST": '"" *',
    "LOGIN": "a b",
    "LSUB": '"" *',
    "MOVE": "1 Trash",
    "NOTIFY": "NONE",
    "RENAME": "a b",
    "SEARCH": "ALL",
    "SELECT": "INBOX",
    "SORT": "(DATE) UTF-8 ALL",
    "STATUS": "INBOX (MESSAGES)",
    "STORE": "1 FLAGS ()",
    "SUBSCRIBE": "a",
    "THREAD": "REFERENCES UTF-8 ALL",
    "UID EXPUNGE": "1",
    "UNSUBSCRIBE": "a",
}


@pytest.mark.parametrize("name", TABLE)
def test_a_handler_gets_what_the_grammar_reads(name: str) -> None:
    sample = SAMPLES.get(name, SAMPLES.get(name.removeprefix("UID "), ""))
    if name == "EXPUNGE":
        sample = ""
    literals = (b"x",) if name == "APPEND" else ()
    tagged = parse(CommandLine(f"a {name} {sample}".rstrip(" ").encode(), literals))
    assert type(tagged.command) is TABLE[name].takes
