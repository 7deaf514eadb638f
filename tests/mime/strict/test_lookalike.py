from __future__ import annotations

import pytest

from bridge.mime.strict.lookalike import reads_like_header

HEADER = b"From: a@b\r\nSubject: S\r\n\r\ntext"


@pytest.mark.parametrize(
    "front",
    [
        *(b"\xef\xbb\xbf", b"\r\n", b"\n\n", b" \r\n\t", b"\xc2\xa0", b"\xef\xbb\xbf\r\n", b"\0"),
        b"HTTP/1.1 200 OK\r\n",
        b"not a field\r\nX-Y: z\r\n",
    ],
)
def test_a_header_behind_something(front: bytes) -> None:
    assert reads_like_header(front + HEADER, 0)


def test_a_header_in_utf_16() -> None:
    assert reads_like_header(HEADER.decode().encode("utf-16"), 0)


@pytest.mark.parametrize(
    "text",
    [
        b"disk full\r\n",
        b"\xef\xbb\xbfNota: il disco\r\n",
        b"\r\n\r\nUna riga\r\nTo: nessuno\r\n",
        b"Nota\r\n\r\nFrom: a@b\r\nTo: c@d\r\n",
        b"",
    ],
)
def test_text_that_is_none(text: bytes) -> None:
    assert not reads_like_header(text, 0)
