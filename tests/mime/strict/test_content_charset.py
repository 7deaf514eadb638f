"""What is posted of texts in foreign or damaged charsets."""

from __future__ import annotations

import pytest

from bridge.mime.strict.content import convert

SHOWN = "shown as far as it can be read"


def body(content_type: bytes, octets: bytes) -> str:
    head = b"From: a@b.it\r\nTo: c@d.it\r\nSubject: x\r\nContent-Type: " + content_type
    return convert(head + b"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + octets).body


@pytest.mark.parametrize(
    ("content_type", "octets", "shown"),
    [
        pytest.param(b"text/plain; charset=windows1252", b"\x80 5", "&#8364; 5", id="alias"),
        pytest.param(b"text/plain; charset=cp-1252", b"\xe8", "&#232;", id="alias with a dash"),
        pytest.param(b"text/plain; charset=iso88591", b"\xe8", "&#232;", id="alias without"),
        pytest.param(b"text/plain; charset=gb2312", b"\x87\xe5", "&#22247;", id="superset"),
        pytest.param(b"text/plain; charset=shift_jis", b"\x87@", "&#9312;", id="Japanese"),
        pytest.param(
            b"text/html", b'<meta charset="koi8-r"><p>\xe4\xc1', "<p>&#1044;&#1072;", id="meta"
        ),
    ],
)
def test_what_is_sure_is_posted_without_a_mark(
    content_type: bytes, octets: bytes, shown: str
) -> None:
    posted = body(content_type, octets)
    assert shown in posted
    assert "#900" not in posted


@pytest.mark.parametrize(
    ("content_type", "octets", "shown", "mark"),
    [
        pytest.param(
            b"text/plain; charset=utf-8",
            b"perch\xc3\xa9 \xe1 no",
            "perch&#233; &#65533; no",
            f"not valid utf-8, {SHOWN}",
            id="one octet",
        ),
        pytest.param(
            b"text/html; charset=UTF-8",
            b"<p>gi\xc3\xa0 citt\xc3",
            "<p>gi&#224; citt&#65533;",
            f"not valid utf-8, {SHOWN}",
            id="cut, in HTML",
        ),
        pytest.param(
            b"text/plain",
            b"perch\xc3\xa9 \xe1",
            "perch&#233; &#65533;",
            f"not valid UTF-8, {SHOWN}",
            id="nothing declared",
        ),
    ],
)
def test_damage_costs_what_is_damaged_and_is_marked(
    content_type: bytes, octets: bytes, shown: str, mark: str
) -> None:
    posted = body(content_type, octets)
    assert shown in posted
    assert f"<em>[{mark}]</em>" in posted
