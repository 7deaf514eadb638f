"""Values to the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bridge.imap import responses

STRINGS = {
    "plain": ("abc", b'"abc"'),
    "empty": ("", b'""'),
    "quotes": ('a"b\\c', b'"a\\"b\\\\c"'),
    "line": ("a\r\nb", b"{4}\r\na\r\nb"),
    "8-bit": ("à", b"{2}\r\n\xc3\xa0"),
    "long": ("x" * 1000, b"{1000}\r\n" + b"x" * 1000),
}


@pytest.mark.parametrize(("value", "wire"), STRINGS.values(), ids=STRINGS.keys())
def test_string(value: str, wire: bytes) -> None:
    assert responses.string(value) == wire


def test_nstring() -> None:
    assert responses.nstring(None) == b"NIL"
    assert responses.nstring("NIL") == b'"NIL"'


@pytest.mark.parametrize(
    ("value", "wire"), [("abc", b"abc"), ("nil", b'"nil"'), ("a b", b'"a b"'), ("", b'""')]
)
def test_astring(value: str, wire: bytes) -> None:
    assert responses.astring(value) == wire


def test_mailbox() -> None:
    assert responses.mailbox("Città", utf8=False) == b"Citt&AOA-"
    assert responses.mailbox('Citt"à', utf8=True) == b'"Citt\\"\xc3\xa0"'


MOMENTS = {
    "UTC": (UTC, b'" 1-Feb-2026 03:04:05 +0000"'),
    "Rome": (timezone(timedelta(hours=1)), b'" 1-Feb-2026 03:04:05 +0100"'),
    "west, half an hour": (timezone(timedelta(minutes=-210)), b'" 1-Feb-2026 03:04:05 -0330"'),
}


@pytest.mark.parametrize(("zone", "wire"), MOMENTS.values(), ids=MOMENTS.keys())
def test_date_time(zone: timezone, wire: bytes) -> None:
    assert responses.date_time(datetime(2026, 2, 1, 3, 4, 5, tzinfo=zone)) == wire


def test_lines() -> None:
    assert responses.flags({"\\Seen", "$x"}) == b"($x \\Seen)"
    assert responses.listing("LIST", ["\\Sent"], b"x") == b'* LIST (\\Sent) "/" x\r\n'
    assert responses.vanished([1, 2, 5], earlier=True) == b"* VANISHED (EARLIER) 1:2,5\r\n"
    assert responses.esearch("a", uid=True) == b'* ESEARCH (TAG "a") UID'
    assert responses.esearch("a", uid=False) == b'* ESEARCH (TAG "a")'
