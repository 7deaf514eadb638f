from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.address import parse_addresses
from bridge.mime.sortkey import base_subject, first_display, first_mailbox


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
        pytest.param(b"A@B.it, c@d", "a", "a@b.it", id="no name"),
        pytest.param(b"=?utf-8?q?=C3=89va?=  B <x@y>", "x", "eva b", id="name"),
        pytest.param(b'"" <x@y>', "x", "x@y", id="empty name"),
        pytest.param(b"Team: a@b;", "team", "team", id="group"),
    ],
)
def test_first_address(field: bytes, mailbox: str, display: str) -> None:
    addresses = parse_addresses(field)
    assert first_mailbox(addresses) == mailbox
    assert first_display(addresses) == display
