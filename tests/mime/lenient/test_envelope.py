from __future__ import annotations

import pytest
from hypothesis import given

from bridge.mime.grammar.header import read_fields
from bridge.mime.lenient.envelope import ImapEnvelope
from tests.mime.dovecot import read_values
from tests.mime.strategies import mail

A = b'((NIL NIL "a" "b"))'


def envelope(header: bytes) -> bytes:
    return ImapEnvelope(read_fields(header)).wire()


@pytest.mark.parametrize(
    ("header", "wire"),
    [
        pytest.param(b"", b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)", id="nothing"),
        pytest.param(
            b"From: a@b\r\n",
            b"(NIL NIL %b %b %b NIL NIL NIL NIL NIL)" % (A, A, A),
            id="From for all",
        ),
        pytest.param(
            b"From: a@b\r\nSender: c@d\r\nReply-To: e@f\r\n",
            b'(NIL NIL %b ((NIL NIL "c" "d")) ((NIL NIL "e" "f")) NIL NIL NIL NIL NIL)' % A,
            id="all three",
        ),
        pytest.param(
            b"From: a@b\r\nSender: \r\n",
            b"(NIL NIL %b %b %b NIL NIL NIL NIL NIL)" % (A, A, A),
            id="empty Sender",
        ),
        pytest.param(
            b"To: a@b\r\nTo: c@d\r\nCc: g:;\r\nBcc: a@b\r\n",
            b'(NIL NIL NIL NIL NIL ((NIL NIL "a" "b")(NIL NIL "c" "d"))'
            b' ((NIL NIL "g" NIL)(NIL NIL NIL NIL)) %b NIL NIL)' % A,
            id="recipients",
        ),
        pytest.param(
            b"Subject: one\r\nSubject: two\r\nDate: d\r\nMessage-ID: <m>\r\nIn-Reply-To: <i>\r\n",
            b'("d" "two" NIL NIL NIL NIL NIL NIL "<i>" "<m>")',
            id="texts, the last of a name",
        ),
        pytest.param(
            b"Subject: \r\n\tx\r\n  y \r\n",
            b"(NIL {3}\r\nx y NIL NIL NIL NIL NIL NIL NIL NIL)",
            id="folded subject",
        ),
        pytest.param(
            b"Subject: =?utf-8?q?=C3=A8?=\r\n",
            b'(NIL "=?utf-8?q?=C3=A8?=" NIL NIL NIL NIL NIL NIL NIL NIL)',
            id="encoded words stay",
        ),
        pytest.param(
            b"Subject: \xe8\r\n",
            b"(NIL {1}\r\n\xe8 NIL NIL NIL NIL NIL NIL NIL NIL)",
            id="8 bit as it is",
        ),
    ],
)
def test_wire(header: bytes, wire: bytes) -> None:
    assert envelope(header) == wire


@given(mail)
def test_anything_has_ten_well_formed_values(header: bytes) -> None:
    wire = envelope(header)
    assert b"\0" not in wire
    (values,) = read_values(wire)
    assert isinstance(values, list)
    assert len(values) == 10
    for addresses in values[2:8]:
        assert addresses is None or isinstance(addresses, list)
        for one in addresses or ():
            assert isinstance(one, list)
            assert len(one) == 4
