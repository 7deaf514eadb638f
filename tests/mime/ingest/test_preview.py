from __future__ import annotations

import pytest
from hypothesis import given

from bridge.mime.ingest.preview import MOST_CHARACTERS, preview
from bridge.mime.ingest.searchtext import passages
from bridge.mime.lenient.split import split
from tests.mime.strategies import mail

MULTIPART = b"Content-Type: multipart/%b; boundary=x\r\n\r\n%b--x--\r\n"


def part(content_type: bytes, body: bytes, *fields: bytes) -> bytes:
    head = b"".join(field + b"\r\n" for field in fields)
    return b"--x\r\nContent-Type: %b\r\n%b\r\n%b\r\n" % (content_type, head, body)


def shown(raw: bytes) -> str:
    return preview(passages(raw, split(raw)))


ATTACHED = b"Content-Disposition: attachment"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param(b"\r\n", "", id="nothing"),
        pytest.param(b"\r\n Hello,\r\n\r\n\tworld \r\n", "Hello, world", id="blanks"),
        pytest.param(b"\r\nOn Monday:\r\n> old\r\nnew\r\n", "On Monday: new", id="quoted lines"),
        pytest.param(b"\r\n> only\r\n> old\r\n", "> only > old", id="nothing but quotes"),
        pytest.param(b"\r\na\x1b[31m\x07b\0c\r\n", "a [31m b c", id="controls"),
        pytest.param(
            MULTIPART % (b"alternative", part(b"text/plain", b"plain") + part(b"text/html", b"h")),
            "plain",
            id="alternative",
        ),
        pytest.param(
            MULTIPART % (b"alternative", part(b"text/plain", b" ") + part(b"text/html", b"<p>h")),
            "h",
            id="alternative with a blank text",
        ),
        pytest.param(
            MULTIPART % (b"mixed", part(b"text/plain", b"a", ATTACHED) + part(b"text/html", b"b")),
            "b",
            id="attachment",
        ),
        pytest.param(
            MULTIPART % (b"mixed", part(b"text/calendar", b"a") + part(b"text/plain", b"b")),
            "b",
            id="text that nobody reads",
        ),
        pytest.param(
            MULTIPART % (b"mixed", part(b"message/rfc822", b"Subject: s\r\n\r\nwithin")),
            "within",
            id="message within",
        ),
        pytest.param(
            MULTIPART % (b"mixed", part(b"application/pdf", b"a")), "", id="nothing to read"
        ),
        pytest.param(b"Content-Type: text/html charset=utf-8\r\n\r\n<b>a", "a", id="no semicolon"),
        pytest.param(b"Content-Type: text; charset=utf-8\r\n\r\n\xc3\xa0", "à", id="no subtype"),
        pytest.param(b"Content-Type:\r\n\r\na", "a", id="an empty type"),
        pytest.param(b"Content-Type: image/png name=x\r\n\r\na", "", id="an image in any spelling"),
        pytest.param(
            b"Content-Transfer-Encoding: base64\r\n\r\nc2FsZG8gNzU", "saldo 75", id="no padding"
        ),
        pytest.param(
            b"Content-Type: text/html\r\n\r\n<p>Ordine #<!-- -->12<!-->3", "Ordine #123", id="HTML"
        ),
    ],
)
def test_preview(raw: bytes, text: str) -> None:
    assert shown(raw) == text


def test_length_is_in_characters() -> None:
    raw = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "è".encode() * 500
    assert shown(raw) == "è" * MOST_CHARACTERS


@given(mail)
def test_anything_has_a_preview_of_one_line(raw: bytes) -> None:
    text = shown(raw)
    text.encode()
    assert len(text) <= MOST_CHARACTERS
    assert text == " ".join(text.split())
    assert text.isprintable() or not text.isascii()
