from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.smtpserver.reply import LINE_LIMIT, reply, with_status


@pytest.mark.parametrize(
    ("text", "utf8", "shown"),
    [
        ("Ok", False, b"550 5.7.1 Ok"),
        ("", False, b"550 5.7.1 "),
        ("a\r\n250 b", False, b"550 5.7.1 a 250 b"),
        ("è", False, b"550 5.7.1 \\xe8"),
        ("è", True, "550 5.7.1 è".encode()),
    ],
)
def test_reply(text: str, utf8: bool, shown: bytes) -> None:
    assert reply(550, "5.7.1", text, utf8=utf8) == shown


@given(st.text(max_size=2000), st.booleans())
def test_every_line_is_a_line_of_the_reply(text: str, utf8: bool) -> None:
    lines = reply(550, "5.7.1", text, utf8=utf8).split(b"\r\n")
    assert all(line.startswith(b"550-5.7.1 ") for line in lines[:-1])
    assert lines[-1].startswith(b"550 5.7.1 ")
    for line in lines:
        assert len(line.decode()) <= LINE_LIMIT + 10
        assert not set(line) & set(b"\r\n\0")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("250 OK", "250 2.0.0 OK"),
        ("250 2.1.0 OK", "250 2.1.0 OK"),
        ("502 EXPN not implemented", "502 5.5.1 EXPN not implemented"),
        ("500 Error: what", "500 5.5.2 what"),
        ("220 host ESMTP", "220 host ESMTP"),
        ("334 VXNlcg==", "334 VXNlcg=="),
    ],
)
def test_a_missing_status_is_the_one_the_code_stands_for(line: str, expected: str) -> None:
    assert with_status(line) == expected
