"""Searches of any shape: what is found, that nothing recurses, that charsets are mail's."""

from __future__ import annotations

from random import Random

import pytest

from bridge.imapserver import candidates, matching, pace
from bridge.imapserver.connection import ImapConnection
from tests.imapserver.client import Rig

FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft")
KEYS = ("SEEN", "FLAGGED", "ANSWERED", "DRAFT")
COUNT = 40


async def filled(rig: Rig) -> list[frozenset[str]]:
    """Put ``COUNT`` messages with all sorts of flags into INBOX; return the keys each matches."""
    random = Random(1)
    held = []
    for _ in range(COUNT):
        flags = tuple(flag for flag in FLAGS if random.random() < 0.5)
        await rig.add(flags=flags)
        held.append(frozenset(key for key, flag in zip(KEYS, FLAGS, strict=True) if flag in flags))
    return held


def expression(random: Random, depth: int) -> tuple[str, str]:
    """Return a search and the Python that says of ``held`` whether it matches."""
    if depth == 0:
        key = random.choice(KEYS)
        return key, f"{key!r} in held"
    kind = random.choice(("NOT", "OR", "AND"))
    text, python = expression(random, depth - 1)
    if kind == "NOT":
        return f"NOT {text}", f"(not {python})"
    other, others = expression(random, random.randrange(depth))
    if kind == "OR":
        return f"OR {text} {other}", f"({python} or {others})"
    return f"({text} {other})", f"({python} and {others})"


@pytest.mark.parametrize("messages", [candidates.SLICE, 7])
async def test_whatever_is_joined_how_is_found(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, messages: int
) -> None:
    monkeypatch.setattr(matching, "SLICE", messages)
    held = await filled(rig)
    client = await rig.client("INBOX")
    random = Random(2)
    for _ in range(60):
        text, python = expression(random, random.randrange(6))
        judge = compile(python, "search", "eval")
        expected = [n for n, one in enumerate(held, 1) if eval(judge, {"held": one})]
        (line,) = await client.ok(f"SEARCH {text}")
        assert [int(word) for word in line.split()[2:]] == expected, text


DEEP = 1000
OF_MANY = {
    "OR to the right": "OR FROM nobody " * DEEP + "FROM anna",
    "OR to the left": "OR " * DEEP + "FROM anna" + " FROM nobody" * DEEP,
    "OR of different ones": "".join(f"OR FROM n{at} " for at in range(DEEP)) + "FROM anna",
    "NOT": "NOT " * (2 * DEEP) + "FROM anna",
    "parentheses": "(" * DEEP + "FROM anna" + ")" * DEEP,
    "keys in parentheses": "(ALL " * DEEP + "FROM anna" + ")" * DEEP,
    "all in turn": "NOT (ALL OR DELETED " * DEEP + "FROM anna" + ")" * DEEP,
    "in a row": "FROM anna " * DEEP + "ALL",
    "NOT OR": "OR NOT FROM anna " * DEEP + "ALL",
}
ASKED = {
    "SEARCH": "* SEARCH 1",
    "UID SEARCH": "* SEARCH 1",
    "SEARCH RETURN (SAVE ALL)": "ALL 1",
    "SORT (DATE) UTF-8": "* SORT 1",
    "THREAD REFERENCES UTF-8": "* THREAD (1)",
}


@pytest.mark.parametrize("keys", OF_MANY.values(), ids=OF_MANY.keys())
async def test_a_thousand_keys_are_answered(rig: Rig, keys: str) -> None:
    await rig.add()
    client = await rig.client("INBOX")
    for command, expected in ASKED.items():
        *_, line, tagged = await client.ask(f"{command} {keys}")
        assert tagged.startswith("OK"), tagged
        assert line.endswith(expected)


@pytest.mark.parametrize("name", ["US-ASCII", "utf-8", "ISO-8859-15", "windows-1252", "koi8-r"])
async def test_charsets_of_mail_are_taken(rig: Rig, name: str) -> None:
    client = await rig.client("INBOX")
    await client.ok(f'SEARCH CHARSET {name} SUBJECT "x"')
    await client.ok(f"SORT (DATE) {name} ALL")
    await client.ok(f"THREAD ORDEREDSUBJECT {name} ALL")


@pytest.mark.parametrize("name", ["rot13", "base64", "idna", "unicode_escape", "klingon"])
@pytest.mark.parametrize(
    "command", ["SEARCH CHARSET {} ALL", "SORT (DATE) {} ALL", "THREAD REFERENCES {} ALL"]
)
async def test_other_codecs_are_no_charsets(rig: Rig, command: str, name: str) -> None:
    client = await rig.client("INBOX")
    tagged = await client.tagged(command.format(name))
    assert tagged.startswith("NO [BADCHARSET (UTF-8)]")


async def test_a_charset_may_not_be_named_with_utf8_accept(rig: Rig) -> None:
    client = await rig.client("INBOX")
    await client.ok("ENABLE IMAP4rev2")
    await client.ok("SEARCH CHARSET UTF-8 ALL")
    await client.ok("ENABLE UTF8=ACCEPT")
    for command in ("SEARCH CHARSET UTF-8 ALL", "UID SEARCH RETURN (COUNT) CHARSET US-ASCII ALL"):
        assert (await client.tagged(command)).startswith("BAD")
    await client.ok("SEARCH ALL")
    await client.ok("SORT (DATE) UTF-8 ALL")  # its charset cannot be left out (RFC 5256 §3)


async def test_others_are_served_while_many_keys_are_answered(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "WORK", 2000)
    for _ in range(COUNT):
        await rig.add()
    client = await rig.client("INBOX")
    given = 0
    give_way = ImapConnection.give_way

    async def counted(connection: ImapConnection) -> None:
        nonlocal given
        given += 1
        await give_way(connection)

    monkeypatch.setattr(ImapConnection, "give_way", counted)
    await client.ok("SEARCH " + " ".join(f"UNKEYWORD k{at}" for at in range(200)))
    assert given >= 200 * COUNT // 2000
