"""Threads: tables after RFC 5256 §3, and that nothing is lost whatever refers to what."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.imapserver.thread import Member, by_references, by_subject, shown


def member(
    number: int, references: str = "", subject: str = "", *, reply: bool = False, at: int = 0
) -> Member:
    """Return message ``number``, called ``<number>``."""
    return Member(
        number, str(number), tuple(references.split()), at or number, subject, is_reply=reply
    )


REFERENCES = {
    "nothing": ([], b""),
    "one": ([member(1)], b" (1)"),
    "a chain": ([member(1), member(2, "1"), member(3, "1 2")], b" (1 2 3)"),
    "a fork": ([member(1), member(2, "1"), member(3, "1")], b" (1 (2)(3))"),
    "a fork lower down": (
        [member(1), member(2, "1"), member(3, "1 2"), member(4, "1 2")],
        b" (1 2 (3)(4))",
    ),
    "children before their parent": ([member(1, "2"), member(2)], b" (2 1)"),
    "a parent that is not there": ([member(1, "x"), member(2, "x")], b" ((1)(2))"),
    "one child of nobody": ([member(1, "x")], b" (1)"),
    "nobody in the middle": ([member(1), member(2, "1 x"), member(3, "1 x")], b" (1 (2)(3))"),
    "a loop": ([member(1, "2"), member(2, "1")], b" (2 1)"),
    "itself": ([member(1, "1")], b" (1)"),
    "the same id twice": ([member(1), Member(2, "1", (), 2, "", is_reply=False)], b" (1)(2)"),
    "no id": ([Member(1, None, ("x",), 1, "", is_reply=False), member(2, "x")], b" ((1)(2))"),
    "by date": ([member(1, at=9), member(2, at=3)], b" (2)(1)"),
    "siblings by date": ([member(1), member(2, "1", at=9), member(3, "1", at=5)], b" (1 (3)(2))"),
    "a reply by subject": ([member(1, "", "s"), member(2, "", "s", reply=True)], b" (1 2)"),
    "two of one subject": ([member(1, "", "s"), member(2, "", "s")], b" ((1)(2))"),
    "an original under a reply": (
        [member(1, "", "s", reply=True), member(2, "", "s")],
        b" (2 1)",
    ),
    "no subject": ([member(1), member(2)], b" (1)(2)"),
    "a better reference later": (
        [member(1), member(2), member(3, "1"), member(4, "2 3"), member(5, "2 3 4")],
        b" (1 3 4 5)(2)",
    ),
}


@pytest.mark.parametrize(("members", "wire"), REFERENCES.values(), ids=REFERENCES.keys())
def test_references(members: list[Member], wire: bytes) -> None:
    assert shown(by_references(members)) == wire


SUBJECTS = {
    "nothing": ([], b""),
    "by subject": (
        [member(1, "", "a"), member(2, "", "b"), member(3, "", "a"), member(4, "", "a")],
        b" (1 (3)(4))(2)",
    ),
    "the first on top": ([member(1, "", "a", at=9), member(2, "", "a", at=3)], b" (2 1)"),
}


@pytest.mark.parametrize(("members", "wire"), SUBJECTS.values(), ids=SUBJECTS.keys())
def test_ordered_subject(members: list[Member], wire: bytes) -> None:
    assert shown(by_subject(members)) == wire


names = st.sampled_from(["a", "b", "c", "d", "e"])


@given(
    st.lists(
        st.tuples(
            st.none() | names,
            st.lists(names, max_size=4),
            st.integers(0, 3),
            st.sampled_from(["", "s", "t"]),
            st.booleans(),
        ),
        max_size=9,
    )
)
def test_every_message_is_in_one_thread(
    rows: list[tuple[str | None, list[str], int, str, bool]],
) -> None:
    members = [
        Member(number, name, tuple(references), at, subject, reply)
        for number, (name, references, at, subject, reply) in enumerate(rows, start=1)
    ]
    for algorithm in (by_references, by_subject):
        wire = shown(algorithm(members))
        assert sorted(map(int, re.findall(rb"\d+", wire))) == list(range(1, len(rows) + 1))
        assert wire.count(b"(") == wire.count(b")")


def test_a_thread_as_long_as_the_mailbox() -> None:
    members = [
        Member(number, str(number), (str(number - 1),), number, "s", is_reply=True)
        for number in range(1, 5001)
    ]
    wire = shown(by_references(members))
    assert wire == b" (" + b" ".join(b"%d" % number for number in range(1, 5001)) + b")"
