"""A remembered argument is what would have been parsed, with the same faults in the same places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.imap.errors import SyntaxFault
from bridge.imap.framing import CommandLine
from bridge.imap.memo import TEXT_LIMIT_BYTES, memoized
from bridge.imap.parse_mailbox import take_status_items
from bridge.imap.parser import parse
from bridge.imap.syntax import Scanner

WORDS = st.lists(st.sampled_from(["MESSAGES", "uidnext", "UNSEEN", "x", "(", ")", "  "]))


def outcome(text: bytes, *, memory: bool) -> object:
    take = memoized(take_status_items) if memory else take_status_items
    results: list[object] = []
    for _ in range(2):
        scanner = Scanner(CommandLine(text, ()))
        scanner.tag = "a"
        try:
            results.append((take(scanner), scanner.rest().strip(b" ")))
        except SyntaxFault as fault:
            results.append((fault.tag, str(fault)))
    return results


@given(WORDS)
def test_memory_changes_nothing(words: list[str]) -> None:
    text = f"({' '.join(words)})".encode()
    assert outcome(text, memory=True) == outcome(text, memory=False)


def test_what_was_asked_before_is_not_parsed_again() -> None:
    parsed = []

    def take(scanner: Scanner) -> str:
        parsed.append(scanner.rest())
        return scanner.word()

    taken = memoized(take)
    long = b"X" * (TEXT_LIMIT_BYTES + 1)
    assert [taken(Scanner(CommandLine(text, ()))) for text in (b"ONE", b"ONE", long, long)] == [
        *("ONE", "ONE", long.decode(), long.decode())
    ]
    assert parsed == [b"ONE", long, long]


@pytest.mark.parametrize(
    "command", ["FETCH 1 BODY[HEADER.FIELDS ({1}\n)]", "UID FETCH 1 (BODY[HEADER.FIELDS ({1}\n)])"]
)
def test_two_literals_of_one_length_are_two_commands(command: str) -> None:
    first, second = (parse(CommandLine(f"a {command}".encode(), (name,))) for name in (b"A", b"B"))
    assert first.command != second.command
