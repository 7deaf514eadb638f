from __future__ import annotations

import pytest
from hypothesis import given

from bridge.mime.grammar.header import header_fields, read_fields, unfold
from tests.mime.strategies import mail


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"\r\n", [], id="blank line only"),
        pytest.param(b"A: b\r\n\r\n", [(b"a", b"b")], id="one"),
        pytest.param(b"A: b\nC: d", [(b"a", b"b"), (b"c", b"d")], id="bare LF, no end"),
        pytest.param(b"A: b\r\n\tc\r\n", [(b"a", b"b\n\tc")], id="fold"),
        pytest.param(b"A:\r\n b\r\n", [(b"a", b"\n b")], id="value on the next line"),
        pytest.param(b"A \t: b\r\n", [(b"a", b"b")], id="blanks before the colon"),
        pytest.param(b"A:b:c\r\n", [(b"a", b"b:c")], id="colon in the value"),
        pytest.param(b"A: \r\n", [(b"a", b"")], id="empty"),
        pytest.param(b"words\r\nA: b\r\n", [(b"", b"words"), (b"a", b"b")], id="no colon"),
        pytest.param(b" x\r\nA: b\r\n", [(b"", b"x"), (b"a", b"b")], id="fold of nothing"),
        pytest.param(b"A: b\rc\r\n", [(b"a", b"b\rc")], id="lone CR"),
    ],
)
def test_fields(header: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    assert read_fields(header) == fields


def test_a_long_header_reads_like_a_short_one() -> None:
    header = b"A: b\r\n\tc\r\n" * 20_000
    fields = read_fields(header)
    assert set(fields) == {(b"a", b"b\n\tc")}
    assert len(fields) == 10_000, "as many as are read of any header"


HEADER = b"From: a@b\r\nX-From: no\r\nSubject: x\r\n from: y\r\nfrom : c@d\r\nnoise\r\n\r\n"


@pytest.mark.parametrize(
    ("names", "negate", "found"),
    [
        pytest.param({b"FROM"}, False, b"From: a@b\r\nfrom : c@d\r\n\r\n", id="some"),
        pytest.param({b"SUBJECT"}, False, b"Subject: x\r\n from: y\r\n\r\n", id="with its fold"),
        pytest.param({b"TO"}, False, b"\r\n", id="none of them"),
        pytest.param(set(), False, b"\r\n", id="none asked for"),
        pytest.param({b"FR.M", b"F*"}, False, b"\r\n", id="no pattern"),
        pytest.param(
            {b"FROM"}, True, b"X-From: no\r\nSubject: x\r\n from: y\r\nnoise\r\n\r\n", id="others"
        ),
        pytest.param(set(), True, HEADER, id="all others"),
    ],
)
def test_chosen_fields(names: set[bytes], negate: bool, found: bytes) -> None:
    assert header_fields(HEADER, frozenset(names), negate) == found


@pytest.mark.parametrize("header", [b"A: b", b"A: b\r\n", b""])
def test_no_blank_line_is_made_up(header: bytes) -> None:
    assert header_fields(header, frozenset({b"B"}), negate=False) == b""
    assert header_fields(header, frozenset({b"B"}), negate=True) == header


@given(mail)
def test_chosen_and_others_are_the_whole(header: bytes) -> None:
    names = frozenset({b"FROM", b"CONTENT-TYPE", b"SUBJECT"})
    chosen = header_fields(header, names, negate=False)
    others = header_fields(header, names, negate=True)
    blank = len(chosen) + len(others) - len(header)
    assert 0 <= blank <= 2, "the blank line at most is in both"


def test_unfold() -> None:
    assert unfold(b"a\n\tb\n  c") == b"a\tb  c"
