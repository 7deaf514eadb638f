from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given

from bridge.mime.grammar.transfer import Encoding
from bridge.mime.lenient.part import BodyPart, PartKind, decode_parts, encode_parts
from bridge.mime.lenient.split import MOST_DEPTH, MOST_PARTS, split
from tests.mime.malformed import BY_HAND
from tests.mime.strategies import mail

HEAD = b"MIME-Version: 1.0\r\n"


def outline(raw: bytes, part: BodyPart) -> object:
    """Return a part as its body, or as (kind, outlines of what is in it)."""
    if part.kind is PartKind.LEAF:
        return raw[part.body_start : part.end]
    return part.kind.name, *(outline(raw, child) for child in part.children)


def multipart(*lines: bytes, subtype: bytes = b"mixed") -> bytes:
    head = HEAD + b"Content-Type: multipart/" + subtype + b"; boundary=x\r\n\r\n"
    return head + b"\r\n".join(lines)


@pytest.mark.parametrize(
    ("raw", "tree"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"A: b\r\n\r\nc\r\n", b"c\r\n", id="text"),
        pytest.param(b"A: b\n\nc\n", b"c\n", id="bare LF"),
        pytest.param(b"A: b\r\n", b"", id="header only"),
        pytest.param(
            multipart(b"pre", b"--x", b"", b"a", b"--x", b"", b"b", b"--x--", b"post"),
            ("MULTIPART", b"a", b"b"),
            id="two parts",
        ),
        pytest.param(
            multipart(b"--x", b"", b"a", b"--x", b"", b"b"), ("MULTIPART", b"a", b"b"), id="no end"
        ),
        pytest.param(multipart(b"--y", b"", b"a"), ("MULTIPART",), id="never begun"),
        pytest.param(
            multipart(b"--x", b"A: b", b"--x", b"", b"b", b"--x--"),
            ("MULTIPART", b"", b"b"),
            id="header cut short",
        ),
        pytest.param(
            multipart(b"--x", b"", b"a", b"--xyz", b"", b"b", b"--x--"),
            ("MULTIPART", b"a", b"b"),
            id="boundary with a tail",
        ),
        pytest.param(
            multipart(
                b"--x",
                b"Content-Type: multipart/mixed; boundary=xx",
                b"",
                b"--xx",
                b"",
                b"a",
                b"--x",
                b"",
                b"b",
                b"--x--",
            ),
            ("MULTIPART", ("MULTIPART", b"a"), b"b"),
            id="inner never closed",
        ),
        pytest.param(
            multipart(b"--x", b"", b"A: b", b"", b"c", b"--x--", subtype=b"digest"),
            ("MULTIPART", ("MESSAGE", b"c")),
            id="digest",
        ),
        pytest.param(
            HEAD + b"Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nc",
            ("MESSAGE", b"c"),
            id="message",
        ),
        pytest.param(HEAD + b"Content-Type: multipart\r\n\r\na", b"a", id="no subtype"),
    ],
)
def test_tree(raw: bytes, tree: object) -> None:
    assert outline(raw, split(raw).frozen()) == tree


def test_encodings_are_kept() -> None:
    part = split(HEAD + b"Content-Transfer-Encoding: base64\r\n\r\nYQ==").frozen()
    assert part.encoding is Encoding.BASE64


def depth(part: BodyPart) -> int:
    return 1 + max((depth(child) for child in part.children), default=0)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 5_000, id="messages"),
        pytest.param(
            b"".join(
                b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (number, number)
                for number in range(5_000)
            ),
            id="multiparts",
        ),
    ],
)
def test_depth_has_a_limit(raw: bytes) -> None:
    assert depth(split(raw).frozen()) == MOST_DEPTH


def test_number_of_parts_has_a_limit() -> None:
    root = split(multipart(*[b"--x\r\n\r\n"] * (MOST_PARTS + 5))).frozen()
    assert len(root.children) == MOST_PARTS - 1


def in_range(part: BodyPart, start: int, end: int) -> bool:
    return start <= part.header_start <= part.body_start <= part.end <= end and all(
        in_range(child, part.body_start, part.end) for child in part.children
    )


@given(mail)
def test_parts_lie_within_their_parents(raw: bytes) -> None:
    root = split(raw).frozen()
    assert root.header_start == 0
    assert root.end == len(raw)
    assert in_range(root, 0, len(raw))


@given(mail)
def test_siblings_do_not_overlap(raw: bytes) -> None:
    waiting = [split(raw).frozen()]
    while waiting:
        children = waiting.pop().children
        waiting += children
        for one, next_one in pairwise(children):
            assert one.end <= next_one.header_start


@given(mail)
def test_stored_parts_are_read_back(raw: bytes) -> None:
    root = split(raw).frozen()
    assert decode_parts(encode_parts(root)) == root


@pytest.mark.parametrize("raw", BY_HAND.values(), ids=BY_HAND.keys())
def test_cutting_anywhere_is_no_harm(raw: bytes) -> None:
    for end in range(len(raw)):
        assert split(raw[:end]).frozen().end == end
