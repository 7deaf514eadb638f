from __future__ import annotations

import pytest

from bridge.mime.ingest.readable import readable_text

MULTIPART = (
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: application/pdf\r\n\r\nPDF\r\n"
    b"--b\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n<p>Perch\xe9</p><p>no</p>\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\naltro\r\n--b--\r\n"
)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"Subject: x\r\n\r\nuno\r\ndue\r\n", "uno\ndue\n"),
        (b"Content-Type: text/plain; charset=utf-8\r\n\r\nPerch\xc3\xa9", "Perché"),
        (
            b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\ndW5v\r\n",
            "uno",
        ),
        (MULTIPART, "Perché\nno"),
        (b"Content-Type: application/pdf\r\n\r\nPDF", ""),
        (b"", ""),
    ],
)
def test_the_first_text_is_read(octets: bytes, text: str) -> None:
    assert readable_text(octets) == text
