from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.ingest.sortkey import base_subject, casemap, first_display, first_mailbox
from bridge.mime.lenient.address import parse_addresses


@pytest.mark.parametrize(
    ("subject", "base", "marked"),
    [
        pytest.param("", "", False, id="nothing"),
        pytest.param("Budget", "Budget", False, id="plain"),
        pytest.param("  a \t b  ", "a b", False, id="blanks"),
        pytest.param("Re: a", "a", True, id="Re"),
        pytest.param("RE : re:Fw: fwd: a", "a", True, id="many"),
        pytest.param("Re[2]: a", "a", True, id="numbered"),
        pytest.param("Re [x] : a", "a", True, id="blob before the colon"),
        pytest.param("[list] a", "a", False, id="blob"),
        pytest.param("[list] Re: [other] a", "a", True, id="blobs and mark"),
        pytest.param("[only]", "[only]", False, id="nothing but a blob"),
        pytest.param("[a] [b]", "[b]", False, id="the last blob stays"),
        pytest.param("[a [b] c", "[a [b] c", False, id="no blob"),
        pytest.param("a (fwd)", "a", True, id="trailer"),
        pytest.param("a (FWD) (fwd)", "a", True, id="trailers"),
        pytest.param("[fwd: a]", "a", True, id="forwarded"),
        pytest.param("Re: [Fwd: Re: a (fwd)] (fwd)", "a", True, id="all at once"),
        pytest.param("Re:", "", True, id="nothing left"),
        pytest.param("Reality: a", "Reality: a", False, id="a word that begins so"),
        pytest.param("POSTA CERTIFICATA: Re: a", "POSTA CERTIFICATA: Re: a", False, id="PEC"),
    ],
)
def test_base_subject(subject: str, base: str, marked: bool) -> None:
    assert base_subject(subject) == (base, marked)


pieces = st.sampled_from(["Re:", "[x]", "(fwd)", "[fwd:", "]", " ", "a", "fw", ":", "["])


@given(st.lists(pieces).map("".join))
def test_a_base_subject_has_no_marks_left(subject: str) -> None:
    base = base_subject(subject)[0]
    assert base_subject(base) == (base, False)


@pytest.mark.parametrize(
    ("field", "mailbox", "display"),
    [
        pytest.param(b"", "", "", id="nothing"),
        pytest.param(b"A@B.it, c@d", "A", "A@B.IT", id="no name"),
        pytest.param(b"=?utf-8?q?=C3=89va?=  B <x@y>", "X", "E\u0301VA B", id="name"),
        pytest.param(b'"" <x@y>', "X", "X@Y", id="empty name"),
        pytest.param(b"Team: a@b;", "TEAM", "TEAM", id="group"),
    ],
)
def test_first_address(field: bytes, mailbox: str, display: str) -> None:
    addresses = parse_addresses(field)
    assert first_mailbox(addresses) == mailbox
    assert first_display(addresses) == display


@pytest.mark.parametrize(
    ("text", "mapped"),
    [
        pytest.param("Budget_2", "BUDGET_2", id="ASCII"),
        pytest.param("città", "CITTA\u0300", id="accent"),
        pytest.param("e\u0301", "E\u0301", id="accent apart"),
        pytest.param("Straße", "STRAßE", id="no capital of one letter"),
        pytest.param("ǆ", "Dz\u030c", id="a letter with a titlecase"),
        pytest.param("x²", "X2", id="compatibility form"),
        pytest.param("a\0\ud800", "A", id="what can't be stored"),
    ],
)
def test_casemap(text: str, mapped: str) -> None:
    assert casemap(text) == mapped


def test_subjects_are_in_the_order_of_unicode_casemap() -> None:
    ordered = ["ancora", "caffe", "Caffe Latte", "caffe_x", "CAFFÈ", "Caffè nero", "zebra", "_"]
    assert sorted(reversed(ordered), key=casemap) == ordered
