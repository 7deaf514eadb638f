from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.lenient.section import SectionText, decode_section, find_part, locate
from bridge.mime.lenient.split import split
from tests.mime.strategies import mail

INNER = b"Subject: in\r\n\r\ninner\r\n"
DEEP_HEAD = b"Subject: deep\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n"
DEEP_BODY = b"--y\r\nContent-Type: text/html\r\n\r\n<p>\r\n--y--\r\n"
HEAD = b"Subject: out\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
BODY = b"\r\n".join(
    [
        b"--x",
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n",
        b"YWJj",
        b"--x",
        b"Content-Type: message/rfc822\r\n",
        INNER + b"--x",
        b"Content-Type: message/rfc822\r\n",
        DEEP_HEAD + DEEP_BODY + b"--x",
        b"Content-Transfer-Encoding: x-who-knows\r\n",
        b"?",
        b"--x--\r\n",
    ]
)
MIXED = HEAD + BODY
PLAIN = b"Subject: x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3D\r\n"


@pytest.mark.parametrize(
    ("raw", "section", "found"),
    [
        pytest.param(PLAIN, "", PLAIN, id="whole"),
        pytest.param(PLAIN, "HEADER", PLAIN[:-6], id="header"),
        pytest.param(PLAIN, "TEXT", b"a=3D\r\n", id="text"),
        pytest.param(PLAIN, "1", b"a=3D\r\n", id="a plain message has one part"),
        pytest.param(PLAIN, "1.MIME", PLAIN[:-6], id="whose header is the message's"),
        pytest.param(PLAIN, "2", b"", id="and no second"),
        pytest.param(PLAIN, "1.1", b"", id="nor one within"),
        pytest.param(PLAIN, "1.HEADER", b"", id="which is no message"),
        pytest.param(MIXED, "TEXT", BODY, id="text of a multipart"),
        pytest.param(MIXED, "1", b"YWJj", id="first part"),
        pytest.param(
            MIXED,
            "1.MIME",
            b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            id="its header",
        ),
        pytest.param(MIXED, "2", INNER[:-2], id="message"),
        pytest.param(MIXED, "2.HEADER", b"Subject: in\r\n\r\n", id="its header, of RFC 5322"),
        pytest.param(MIXED, "2.MIME", b"Content-Type: message/rfc822\r\n\r\n", id="and of MIME"),
        pytest.param(MIXED, "2.TEXT", b"inner", id="its text"),
        pytest.param(MIXED, "2.1", b"inner", id="its part"),
        pytest.param(MIXED, "3.HEADER", DEEP_HEAD, id="message with parts"),
        pytest.param(MIXED, "3.TEXT", DEEP_BODY, id="its text, of parts"),
        pytest.param(MIXED, "3.1", b"<p>", id="part of a part"),
        pytest.param(MIXED, "3.1.MIME", b"Content-Type: text/html\r\n\r\n", id="its header, deep"),
        pytest.param(MIXED, "5", b"", id="no such part"),
    ],
)
def test_section(raw: bytes, section: str, found: bytes) -> None:
    words = section.split(".")
    text = SectionText("" if words[-1].isdigit() else words.pop())
    assert raw[locate(split(raw).frozen(), [int(word) for word in words], text)] == found


@pytest.mark.parametrize(
    ("raw", "numbers", "decoded"),
    [
        pytest.param(MIXED, (1,), b"abc", id="base64"),
        pytest.param(MIXED, (2,), INNER[:-2], id="message as it is"),
        pytest.param(MIXED, (4,), None, id="unknown encoding"),
        pytest.param(MIXED, (9,), b"", id="no such part"),
        pytest.param(MIXED, (), MIXED, id="multipart as it is"),
        pytest.param(PLAIN, (1,), b"a=\r\n", id="quoted-printable"),
        pytest.param(
            PLAIN,
            (),
            b"Subject: x\r\nContent-Transfer-Encoding: binary\r\n\r\na=\r\n",
            id="whole message",
        ),
        pytest.param(
            b"content-transfer-encoding:\r\n base64\r\nSubject: x\r\n\r\nYWI",
            (),
            b"Subject: x\r\nContent-Transfer-Encoding: binary\r\n\r\nab",
            id="whole message in base64",
        ),
        pytest.param(b"Subject: x\r\n\r\na=3D", (), b"Subject: x\r\n\r\na=3D", id="not encoded"),
    ],
)
def test_binary(raw: bytes, numbers: tuple[int, ...], decoded: bytes | None) -> None:
    assert decode_section(raw, split(raw).frozen(), numbers) == decoded


@given(mail, st.lists(st.integers(0, 3), max_size=4), st.sampled_from(SectionText))
def test_any_section_of_anything_is_some_text(
    raw: bytes, numbers: list[int], text: SectionText
) -> None:
    root = split(raw).frozen()
    where = locate(root, numbers, text)
    assert 0 <= where.start <= where.stop <= len(raw)
    if find_part(root, numbers) is None:
        assert where.start == where.stop
    decode_section(raw, root, numbers)
