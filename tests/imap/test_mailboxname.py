"""Names: modified UTF-7, INBOX, LIST's patterns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.imap.mailboxname import canonical, decode, encode, matches, parents

NAMES = {
    "plain": ("Clienti", "Clienti"),
    "ampersand": ("Rossi & Figli", "Rossi &- Figli"),
    "accent": ("Città", "Citt&AOA-"),
    "neighbours": ("àè", "&AOAA6A-"),
    "beyond the first plane": ("📬", "&2D3c7A-"),
    "slash in base64": ("\u3fff", "&P,8-"),
    "mixed": ("à&b", "&AOA-&-b"),
}


@pytest.mark.parametrize(("name", "encoded"), NAMES.values(), ids=NAMES.keys())
def test_modified_utf7(name: str, encoded: str) -> None:
    assert encode(name) == encoded
    assert decode(encoded) == name


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_name_comes_back(name: str) -> None:
    encoded = encode(name)
    assert encoded.isascii()
    assert decode(encoded) == name


@pytest.mark.parametrize("broken", ["a&b", "&", "&A-", "&AOA", "&2D0-"])
def test_broken_shift(broken: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode(broken)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("inbox", "INBOX"),
        ("Inbox/a", "INBOX/a"),
        ("inboxes", "inboxes"),
        ("a/inbox", "a/inbox"),
        ("\u0131nbox", "\u0131nbox"),
    ],
)
def test_inbox_in_any_case(name: str, expected: str) -> None:
    assert canonical(name) == expected


PATTERNS = {
    "all": ("*", "a/b/c", True),
    "one level": ("%", "a", True),
    "one level only": ("%", "a/b", False),
    "second level": ("%/%", "a/b", True),
    "below": ("a/*", "a/b/c", True),
    "not itself": ("a/*", "a", False),
    "star and percent": ("a*%", "ab/c", True),
    "dot is no wildcard": ("a.c", "abc", False),
    "case counts": ("clienti", "Clienti", False),
    "case of inbox does not": ("inb*", "INBOX", False),
    "inbox written out": ("inbox", "INBOX", True),
    "newline": ("a*", "a\nb", True),
}


@pytest.mark.parametrize(("pattern", "name", "expected"), PATTERNS.values(), ids=PATTERNS.keys())
def test_pattern(pattern: str, name: str, expected: bool) -> None:
    assert matches(name, pattern) is expected


def test_many_wildcards_take_no_time() -> None:
    assert not matches("a" * 200, "*a" * 50 + "b")


def test_parents() -> None:
    assert parents("a/b/c") == ["a", "a/b"]
