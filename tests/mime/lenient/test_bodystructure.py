from __future__ import annotations

import pytest
from hypothesis import given

from bridge.mime.lenient.bodystructure import structures
from bridge.mime.lenient.split import split
from tests.mime.dovecot import Value, read_values
from tests.mime.strategies import mail

HEAD = b"MIME-Version: 1.0\r\n"
PLAIN = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" '


def bodies(raw: bytes) -> tuple[bytes, bytes]:
    return structures(raw, split(raw))


@pytest.mark.parametrize(
    ("raw", "body", "extension"),
    [
        pytest.param(b"", PLAIN + b"0 0)", b" NIL NIL NIL NIL", id="nothing"),
        pytest.param(b"\r\na\r\nb", PLAIN + b"4 1)", b" NIL NIL NIL NIL", id="no header"),
        pytest.param(
            b"Content-Transfer-Encoding: 8bit\r\n\r\n",
            PLAIN + b"0 0)",
            b" NIL NIL NIL NIL",
            id="not MIME, so no Content fields",
        ),
        pytest.param(
            HEAD + b"Content-Transfer-Encoding: 8bit\r\nContent-ID: <c>\r\n"
            b"Content-Description: d\r\nContent-MD5: m\r\nContent-Language: it, en\r\n"
            b"Content-Location: l\r\nContent-Disposition: inline; a=b\r\n\r\nx",
            b'("text" "plain" ("charset" "us-ascii") "<c>" "d" "8bit" 1 0)',
            b' "m" ("inline" ("a" "b")) ("it" "en") "l"',
            id="all the fields",
        ),
        pytest.param(
            HEAD + b"Content-Type: Text/HTML; Charset=UTF-8\r\n\r\n",
            b'("Text" "HTML" ("Charset" "UTF-8") NIL NIL "7bit" 0 0)',
            b" NIL NIL NIL NIL",
            id="as spelled",
        ),
        pytest.param(
            HEAD + b'Content-Type: image/gif; name="a\\"b"\r\n\r\nx\r\n',
            b'("image" "gif" ("name" "a\\"b") NIL NIL "7bit" 3)',
            b" NIL NIL NIL NIL",
            id="not text, so no lines",
        ),
        pytest.param(
            HEAD + b"Content-Type: nonsense nonsense\r\n\r\nx",
            b'("" "" NIL NIL NIL "7bit" 1)',
            b" NIL NIL NIL NIL",
            id="nonsense",
        ),
    ],
)
def test_leaf(raw: bytes, body: bytes, extension: bytes) -> None:
    assert bodies(raw) == (body, body[:-1] + extension + b")")


def test_multipart() -> None:
    raw = HEAD + (
        b"Content-Type: multipart/alternative; boundary=x\r\n\r\n"
        b"--x\r\n\r\na\r\n--x\r\nContent-Type: text/html\r\n\r\nb\r\n--x--\r\n"
    )
    html = b'("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 1 0'
    assert bodies(raw) == (
        b"(%b1 0)%b) %b)" % (PLAIN, html, b'"alternative"'),
        b"(%b1 0 NIL NIL NIL NIL)%b NIL NIL NIL NIL) %b NIL NIL NIL)"
        % (PLAIN, html, b'"alternative" ("boundary" "x")'),
    )


def test_multipart_without_parts_shows_an_empty_text() -> None:
    raw = HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
    assert bodies(raw)[0] == b'(%b0 0) "mixed")' % PLAIN


def test_message() -> None:
    raw = HEAD + b"Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nb\r\n"
    envelope = b'(NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL)'
    assert bodies(raw)[0] == b'("message" "rfc822" NIL NIL NIL "7bit" 17 %b %b3 1) 3)' % (
        envelope,
        PLAIN,
    )


def test_too_deep_shows_as_what_it_cannot_be() -> None:
    raw = HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 200
    assert b'"application" "octet-stream"' in bodies(raw)[0]


def is_body(body: Value, *, extended: bool) -> bool:
    """Say whether that is ``body`` of RFC 3501 §9."""
    if not isinstance(body, list):
        return False
    inner = [value for value in body if isinstance(value, list)]
    if isinstance(body[0], list):
        count = next(number for number, value in enumerate(body) if not isinstance(value, list))
        return len(body) == count + (5 if extended else 1) and all(
            is_body(part, extended=extended) for part in body[:count]
        )
    sizes = len(body) - (4 if extended else 0)
    if sizes == 10:
        return is_body(body[8], extended=extended) and len(inner) >= 2
    return sizes in (7, 8)


@given(mail)
def test_anything_has_well_formed_bodies(raw: bytes) -> None:
    for wire, extended in zip(bodies(raw), (False, True), strict=True):
        assert b"\0" not in wire
        (body,) = read_values(wire)
        assert is_body(body, extended=extended)
