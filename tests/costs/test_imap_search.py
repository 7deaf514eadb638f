"""Searches of every kind, repeated, nested and long: what they cost, and that others are served."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from bridge.imap.mailboxname import matches
from bridge.imap.search import HasFlag, Operator, Program
from bridge.imapserver.candidates import Candidates
from bridge.imapserver.commands import sort as sorting
from bridge.imapserver.matching import _Matcher
from bridge.imapserver.pace import WORK
from bridge.imapserver.thread import Member, by_references, shown
from bridge.limits import IMAP_NEEDLE_BYTES, IMAP_SEARCH_BODIES, IMAP_SEARCH_KEYS
from bridge.model import Flag
from bridge.store.sql.messages import SqlMessages
from tests.costs.measure import assert_linear, others, peak
from tests.imapserver.client import Client, Rig, message

COUNT = 300


async def filled(rig: Rig, count: int = COUNT) -> Client:
    """Return a client with a mailbox of so many messages open."""
    await rig.add(message("uno", "un testo"))
    client = await rig.client("INBOX")
    while count > 1:
        more = min(count - 1, int((await client.ok("STATUS INBOX (MESSAGES)"))[0].split()[-1][:-1]))
        await client.ok(f"COPY 1:{more} INBOX")
        count -= more
    await client.ok("SELECT INBOX")
    return client


def literal(text: bytes) -> bytes:
    return b"{%d+}\r\n%b" % (len(text), text)


TOO_MUCH: dict[str, Callable[[], bytes]] = {
    "keys": lambda: b"SEARCH" + b" SEEN" * (IMAP_SEARCH_KEYS + 1),
    "keys in OR": lambda: b"SEARCH " + b"OR SEEN " * IMAP_SEARCH_KEYS + b"SEEN",
    "keys in parentheses": lambda: b"UID SEARCH " + b"(SEEN " * 5000 + b"SEEN" + b")" * 5000,
    "sets": lambda: b"SEARCH" + b" 1" * (IMAP_SEARCH_KEYS + 1),
    "bodies": lambda: b"SEARCH" + b" TEXT x" * (IMAP_SEARCH_BODIES + 1),
    "bodies and texts": lambda: b"SEARCH" + b" TEXT x BODY y" * IMAP_SEARCH_BODIES,
    "a needle": lambda: b"SEARCH SUBJECT " + literal(b"x" * (IMAP_NEEDLE_BYTES + 1)),
    "a name": lambda: b"SEARCH HEADER " + literal(b"x" * (IMAP_NEEDLE_BYTES + 1)) + b" x",
    "a needle in SORT": lambda: b"SORT (DATE) UTF-8 BODY " + literal(b"x" * 2_000_000),
    "a needle in THREAD": lambda: b"THREAD REFERENCES UTF-8 TO " + literal(b"x" * 2_000_000),
    "marks": lambda: b"SEARCH SUBJECT " + literal("\u0327\u0301".encode() * 100_000),
}


@pytest.mark.parametrize("command", TOO_MUCH.values(), ids=TOO_MUCH.keys())
async def test_what_is_too_much_is_refused(rig: Rig, command: Callable[[], bytes]) -> None:
    client = await rig.client("INBOX")
    with peak() as held:
        assert (await client.tagged(command())).startswith("NO [LIMIT]")
    assert held.size_bytes < 16_000_000
    await client.ok("NOOP")


AT_MOST: dict[str, bytes] = {
    "different keys": b"SEARCH" + b"".join(b" LARGER %d" % at for at in range(1, 101)) * 5,
    "an OR tree": b"SEARCH " + b"OR SEEN " * (IMAP_SEARCH_KEYS - 1) + b"UNSEEN",
    "fields": b"SEARCH " + b"".join(b"OR FROM n%d " % at for at in range(500)) + b"FROM anna",
    "headers": b"SEARCH" + b"".join(b" NOT HEADER X-N%d x" % at for at in range(200)),
    "days": b"SEARCH" + b"".join(b" SENTSINCE 1-Feb-%d" % at for at in range(1000, 1200)),
    "bodies": b"SEARCH" + b"".join(b" NOT TEXT n%d" % at for at in range(IMAP_SEARCH_BODIES)),
}


@pytest.mark.parametrize("command", AT_MOST.values(), ids=AT_MOST.keys())
async def test_what_is_allowed_lets_others_run(rig: Rig, command: bytes) -> None:
    client = await filled(rig)
    async with others() as turns:
        (line,) = await client.ok(command)
    assert line.endswith(f" {COUNT}")
    assert turns.count >= 4


async def test_a_key_is_asked_of_what_is_left(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    answers = _Matcher._answers

    def counted(self: _Matcher, key: object, group: Candidates) -> object:
        asked.append(len(group))
        return answers(self, key, group)  # type: ignore[arg-type]

    client = await filled(rig)
    monkeypatch.setattr(_Matcher, "_answers", counted)
    assert await client.ok("SEARCH UID 1:5 UNSEEN") == ["* SEARCH 1 2 3 4 5"]
    assert asked == [5]
    asked.clear()
    assert await client.ok("SEARCH UNSEEN 3:4 ANSWERED DRAFT") == ["* SEARCH"]
    assert asked == [2, 2]
    asked.clear()
    assert await client.ok("SEARCH 3:4 2:3 UID 1:*") == ["* SEARCH 3"]
    assert asked == []


async def test_texts_are_read_of_what_is_left(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    field_texts = SqlMessages.field_texts

    async def counted(self: SqlMessages, contents: object, field: object) -> object:
        read.append(len(contents))  # type: ignore[arg-type]
        return await field_texts(self, contents, field)  # type: ignore[arg-type]

    monkeypatch.setattr(SqlMessages, "field_texts", counted)
    client = await filled(rig)
    assert await client.ok('SEARCH SUBJECT uno HEADER X-Y "" UNSEEN 2:3') == ["* SEARCH"]
    assert read == [2, 2]
    read.clear()
    assert await client.ok("SEARCH SUBJECT uno ANSWERED") == ["* SEARCH"]
    assert read == []


def test_conjuncts_are_what_must_match_together() -> None:
    a, b, c, d = (HasFlag(name) for name in "abcd")
    nested = Program((a, b, c, Operator.OR, Operator.AND, d, Operator.NOT, Operator.AND))
    assert [one.steps for one in nested.conjuncts] == [
        (a,),
        (b, c, Operator.OR),
        (d, Operator.NOT),
    ]


@pytest.mark.parametrize("count", [1000, 2000, 4000])
def test_conjuncts_of_many_keys_take_time_by_their_number(count: int) -> None:
    flags = [HasFlag(Flag(f"k{at}")) for at in range(count)]
    left: list[object] = [flags[0]]
    for one in flags[1:]:
        left += (one, Operator.AND)
    right = [*flags, *[Operator.AND] * (count - 1)]
    for steps in (left, right):
        program = Program(tuple(steps))  # type: ignore[arg-type]
        assert [one.steps[0] for one in program.conjuncts] == flags


def stars(count: int) -> list[Member]:
    """Return stand-ins under one that all go elsewhere when they come themselves."""
    told = [Member(at, f"m{at}", ("root", f"x{at}"), at, "s", is_reply=True) for at in range(count)]
    return told + [
        Member(count + at, f"x{at}", ("other",), at, "s", is_reply=True) for at in range(count)
    ]


def deep(count: int) -> list[Member]:
    """Return a long chain of replies, below whose end many others want to be."""
    chain = [
        Member(at, f"m{at}", (f"m{at - 1}",), at, f"s{at}", is_reply=True) for at in range(count)
    ]
    below = [Member(at, f"y{at}", (f"z{at}",), at, "q", is_reply=True) for at in range(count)]
    last = f"m{count - 1}"
    return [
        *chain,
        *below,
        *(Member(at, f"w{at}", (last, f"z{at}"), at, "q", is_reply=True) for at in range(count)),
    ]


def stand_ins(count: int) -> list[Member]:
    """Return one message that refers to many that are not there."""
    return [Member(1, "m", tuple(f"r{at}" for at in range(count)), 1, "s", is_reply=True)]


@pytest.mark.parametrize("members", [stars, deep, stand_ins])
def test_threads_take_time_by_the_number_of_messages(
    members: Callable[[int], list[Member]],
) -> None:
    assert_linear(lambda told: shown(by_references(told)), members, 1000)


def test_runs_are_sorted_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "RUN", 7)
    keys = [at * 7919 % 11 for at in range(100)]
    for reverse in (False, True):
        found = sorting._sorted(range(100), keys.__getitem__, reverse=reverse)
        assert found == sorted(range(100), key=keys.__getitem__, reverse=reverse)


async def test_a_criterion_counts_once(rig: Rig) -> None:
    client = await filled(rig, 3)
    criteria = "REVERSE ARRIVAL " + "ARRIVAL SUBJECT REVERSE SUBJECT SIZE " * 500
    assert await client.ok(f"SORT ({criteria.strip()}) UTF-8 ALL") == ["* SORT 1 2 3"]


async def test_long_sets_take_time_by_their_length(rig: Rig) -> None:
    client = await filled(rig)
    numbers = ",".join(str(at) for at in range(1, 10_001, 2))
    async with others() as turns:
        (line,) = await client.ok(f"UID SEARCH NOT UID {numbers} UNSEEN")
        assert line.split()[2:] == [str(at) for at in range(2, COUNT + 1, 2)]
        (line,) = await client.ok(f"UID SEARCH {numbers} UID {numbers}")
        assert len(line.split()) == 2 + COUNT // 2
    assert turns.count >= 2


async def test_results_are_the_same_in_pieces(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await filled(rig, 50)
    asked = (
        "SEARCH ALL",
        "SEARCH RETURN (MIN MAX COUNT ALL) NOT UID 3:50:5",
        "SEARCH RETURN (ALL COUNT) OR 1:9 OR 12,14,16 20:*",
        "SORT (REVERSE ARRIVAL) UTF-8 ALL",
        "SORT RETURN (PARTIAL 2:30) (SIZE) UTF-8 ALL",
    )
    whole = [await client.ask(command) for command in asked]
    monkeypatch.setattr("bridge.imapserver.commands.search.NUMBERS", 3)
    monkeypatch.setattr("bridge.imapserver.commands.search.RANGES", 1)
    pieces = [await client.ask(command) for command in asked]
    strip = re.compile(r't\d+"')
    for one, other in zip(whole, pieces, strict=True):
        assert [strip.sub("", line) for line in one] == [strip.sub("", line) for line in other]


@pytest.mark.parametrize("pattern", ["%a" * 100 + "b", "*a" * 100 + "b", "*%" * 500 + "b"])
def test_patterns_take_time_by_their_length(pattern: str) -> None:
    assert not matches("a" * 255, pattern)
    assert matches("a" * 255 + "b", pattern)
    assert WORK > 0


async def test_headers_are_read_of_what_may_hold_them(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(20):
        field = f"X-N{at % 5}: valore {at}\r\nSubject: prova {at}\r\n"
        await rig.add(f"{field}\r\nX-N0: nel testo\r\n".encode())
    client = await rig.client("INBOX")
    asked = [
        "SEARCH HEADER X-N1 valore",
        'SEARCH HEADER X-N1 ""',
        'SEARCH NOT HEADER X-N1 ""',
        "SEARCH HEADER X-N1 16",
        "SEARCH HEADER SUBJECT 16",
        "SEARCH OR HEADER X-N1 16 HEADER X-N2 7",
        "SEARCH HEADER X-N1 16 HEADER SUBJECT prova",
        'SEARCH HEADER X-N9 ""',
        'SEARCH TEXT "X-N2: valore 7"',
        "SEARCH 5:9 HEADER X-N1 valore",
    ]
    read: list[int] = []
    field_texts = SqlMessages.field_texts

    async def counted(self: SqlMessages, contents: object, field: object) -> object:
        read.append(len(contents))  # type: ignore[arg-type]
        return await field_texts(self, contents, field)  # type: ignore[arg-type]

    monkeypatch.setattr(SqlMessages, "field_texts", counted)
    whole = [await client.ok(command) for command in asked]
    assert sum(read) > 150
    read.clear()
    monkeypatch.setattr("bridge.imapserver.text.PAGE", 4)
    assert [await client.ok(command) for command in asked] == whole
    assert len(whole[0][0].split()) == 2 + 4
    assert sum(read) < 70

    async def not_asked(*_: object) -> None:
        raise AssertionError("what most headers hold is read at once")

    read.clear()
    monkeypatch.setattr(SqlMessages, "matching_text", not_asked)
    (every, *_) = await client.ok("SEARCH HEADER SUBJECT prova")
    assert len(every.split()) == 2 + 20
    assert sum(read) == 20
