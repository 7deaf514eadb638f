from __future__ import annotations

import base64
import binascii
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.part import Encoding
from bridge.mime.transfer import decode_exactly, decode_leniently, encoding_of

QP = Encoding.QUOTED_PRINTABLE
B64 = Encoding.BASE64


@pytest.mark.parametrize(
    ("values", "encoding"),
    [
        pytest.param([], Encoding.IDENTITY, id="none"),
        pytest.param([b"8BIT"], Encoding.IDENTITY, id="8bit"),
        pytest.param([b"Base64"], B64, id="base64"),
        pytest.param([b" quoted-printable (x)"], QP, id="comment"),
        pytest.param([b"base64; x=y"], B64, id="parameter"),
        pytest.param([b"\n base64"], B64, id="folded"),
        pytest.param([b"base64 yes"], Encoding.UNKNOWN, id="words"),
        pytest.param([b"x-uuencode"], Encoding.UNKNOWN, id="unknown"),
        pytest.param([b"base64", b"7bit"], Encoding.IDENTITY, id="the last counts"),
    ],
)
def test_encoding(values: list[bytes], encoding: Encoding) -> None:
    fields = [(b"content-transfer-encoding", value) for value in values]
    assert encoding_of([(b"subject", b"base64"), *fields]) is encoding


@pytest.mark.parametrize(
    ("encoding", "body", "exactly", "leniently"),
    [
        pytest.param(B64, b"YWJj\r\nZA==\r\n", b"abcd", b"abcd", id="base64"),
        pytest.param(B64, b"YW Jj", b"abc", b"abc", id="base64 with blanks"),
        pytest.param(B64, b"YWJjZ", None, b"abc", id="base64 cut off"),
        pytest.param(B64, b"YW*Jj", None, b"abc", id="base64 with rubbish"),
        pytest.param(B64, b"YWJj=", None, b"abc", id="base64 with a sign too many"),
        pytest.param(B64, b"YWJj====", None, b"abc", id="base64 with four signs too many"),
        pytest.param(QP, b"a=3Db=\r\nc \t\r\nd", b"a=bc\r\nd", b"a=bc\r\nd", id="QP"),
        pytest.param(QP, b"a=zz", None, b"a=zz", id="QP with a bad escape"),
        pytest.param(QP, b"a\rb", None, b"a\rb", id="QP with a lone CR"),
        pytest.param(Encoding.IDENTITY, b"\0\r\n", b"\0\r\n", b"\0\r\n", id="as it is"),
        pytest.param(Encoding.UNKNOWN, b"abc", None, b"abc", id="unknown"),
    ],
)
def test_decode(encoding: Encoding, body: bytes, exactly: bytes | None, leniently: bytes) -> None:
    assert decode_exactly(body, encoding) == exactly
    assert decode_leniently(body, encoding) == leniently


@given(st.binary())
def test_what_was_encoded_is_decoded(content: bytes) -> None:
    assert decode_exactly(base64.encodebytes(content), B64) == content
    assert decode_exactly(binascii.b2a_qp(content, istext=False), QP) == content


@given(st.binary(), st.sampled_from(Encoding))
def test_lenient_goes_at_least_as_far(body: bytes, encoding: Encoding) -> None:
    leniently = decode_leniently(body, encoding)
    assert decode_exactly(body, encoding) in (None, leniently)


def test_a_long_line_of_blanks_takes_no_more_than_its_time() -> None:
    body = b" " * 200_000 + b"x"
    start_s = time.process_time()
    assert decode_leniently(body, QP) == body
    assert time.process_time() - start_s < 2, "a thousandth of it if linear"


@given(st.binary(max_size=40), st.integers(0, 3), st.data())
def test_a_long_body_is_decoded_like_a_short_one(
    tail: bytes, damage: int, data: st.DataObject
) -> None:
    body = base64.encodebytes(bytes(range(256)) * 1024 + tail).replace(b"\n", b"\r\n")
    for _ in range(damage):
        at = data.draw(st.integers(0, len(body)))
        body = body[:at] + data.draw(st.sampled_from([b"=", b"A", b"!", b" "])) + body[at:]
    letters = body.translate(None, b"\r\n\t ")
    try:
        expected = binascii.a2b_base64(letters, strict_mode=True) if len(letters) % 4 == 0 else None
    except binascii.Error:
        expected = None
    if letters.endswith(b"==="):
        expected = None
    assert decode_exactly(body, B64) == expected
