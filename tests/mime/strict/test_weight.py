"""How much of a message costs by the letter."""

from __future__ import annotations

import base64

import pytest

from bridge.mime.strict.weight import text_bytes

FIELDS = b"From: a@b.example\r\nMIME-Version: 1.0\r\n"
FILE = b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(bytes(30_000))


def parts(*each: bytes) -> bytes:
    inside = b"".join(b"--b\r\n" + one + b"\r\n" for one in each)
    return FIELDS + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + inside + b"--b--\r\n"


def test_files_in_base64_weigh_nothing() -> None:
    deed = b"Content-Type: application/pdf\r\n" + FILE
    assert text_bytes(FIELDS + deed) < 200
    assert text_bytes(parts(b"\r\nciao", deed, deed)) < 500


@pytest.mark.parametrize(
    "raw",
    [
        FIELDS + b"\r\n" + b"x\r\n" * 10_000,
        FIELDS + b"Content-Type: text/html\r\n" + FILE,
        FIELDS + b"X: " + b"x\r\n " * 40_000 + b"\r\n\r\nx\r\n",
        FIELDS + b"X-Long: " + b"x" * 40_000,
        parts(b"\r\n" + b"x\r\n" * 10_000, b"Content-Type: application/pdf\r\n" + FILE),
        parts(b"Content-Type: message/rfc822\r\n\r\n" + FIELDS + b"\r\n" + b"x\r\n" * 10_000),
    ],
    ids=["a text", "a text in base64", "a field", "no end", "a part", "a message"],
)
def test_all_else_does(raw: bytes) -> None:
    assert text_bytes(raw) >= 30_000


def test_what_cannot_be_sent_costs_nothing_more() -> None:
    assert text_bytes(FIELDS + b"no field\r\n\r\n" + b"x" * 40_000) == 0
