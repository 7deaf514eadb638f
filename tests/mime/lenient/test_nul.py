"""Messages with NULs, made fit to be shown without."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.lenient.nul import without_nul
from bridge.mime.lenient.section import decode_section
from bridge.mime.lenient.split import split

HEAD = b"Subject: x\r\nContent-Type: application/octet-stream\r\n"
WHOLE = {
    "nothing to do": (b"Subject: x\r\n\r\nabc\r\n", b"Subject: x\r\n\r\nabc\r\n"),
    "binary": (
        HEAD + b"Content-Transfer-Encoding: binary\r\n\r\na\0b",
        HEAD + b"Content-Transfer-Encoding: base64\r\n\r\nYQBi\r\n",
    ),
    "nothing said": (
        HEAD + b"\r\na\0b",
        HEAD + b"Content-Transfer-Encoding: base64\r\n\r\nYQBi\r\n",
    ),
    "a folded field": (
        b"Content-Transfer-Encoding:\r\n binary\r\nSubject: x\r\n\r\n\0",
        b"Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\nAA==\r\n",
    ),
    "no header": (b"\r\n\0", b"Content-Transfer-Encoding: base64\r\n\r\nAA==\r\n"),
    "in the header": (b"Subject: \0\r\n\r\nabc", None),
    "in base64 already": (b"Content-Transfer-Encoding: base64\r\n\r\n\0", None),
    "unknown encoding": (b"Content-Transfer-Encoding: x-own\r\n\r\n\0", None),
}


@pytest.mark.parametrize(("raw", "expected"), WHOLE.values(), ids=WHOLE.keys())
def test_without_nul(raw: bytes, expected: bytes | None) -> None:
    assert without_nul(raw) == expected


PARTS = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nSalve\r\n"
    b"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    b"%b\r\n--b--\r\n"
)


@given(st.binary(max_size=300).filter(lambda body: b"--b" not in body))
def test_a_part_is_read_back_as_it_was(body: bytes) -> None:
    body = b"\0" + body
    written = without_nul(PARTS % body)
    assert written is not None
    assert b"\0" not in written
    root = split(written).frozen()
    assert decode_section(written, root, (2,)) == body
    assert decode_section(written, root, (1,)) == b"Salve"


def test_between_parts_nothing_can_be_hidden() -> None:
    assert (
        without_nul(PARTS.replace(b"\r\n\r\n--b\r\n", b"\r\n\r\n\0\r\n--b\r\n", 1) % b"x") is None
    )
