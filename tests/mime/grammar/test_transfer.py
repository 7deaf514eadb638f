from __future__ import annotations

import base64
import binascii
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.grammar.transfer import (
    Encoding,
    decode_exactly,
    decode_leniently,
    encoding_of,
    relabelled,
)

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
        pytest.param(B64, b"c2FsZG8gNzU", b"saldo 75", b"saldo 75", id="base64 without a sign"),
        pytest.param(B64, b"c2Fs\r\nZG8gNw\r\n", b"saldo 7", b"saldo 7", id="without two signs"),
        pytest.param(B64, b"c2FsZG8gNw=", b"saldo 7", b"saldo 7", id="base64 with one of two"),
        pytest.param(B64, b"YQ===", None, b"a", id="base64 with one of two too many"),
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
    bare = letters.rstrip(b"=")
    whole = bare + b"=" * (-len(bare) % 4)
    try:
        expected = binascii.a2b_base64(whole, strict_mode=True)
    except binascii.Error:
        expected = None
    if len(letters) > len(whole):
        expected = None
    assert decode_exactly(body, B64) == expected


@given(st.binary(max_size=200), st.integers(1, 80))
def test_base64_needs_no_padding(content: bytes, width: int) -> None:
    letters = base64.b64encode(content).rstrip(b"=")
    body = b"\r\n".join(letters[at : at + width] for at in range(0, len(letters), width))
    assert decode_exactly(body, B64) == content
    assert decode_leniently(body, B64) == content


def test_a_long_base64_needs_no_padding() -> None:
    content = b"x" * 400_001
    assert decode_exactly(base64.b64encode(content).rstrip(b"="), B64) == content
    assert decode_exactly(base64.b64encode(content).rstrip(b"=")[:-2], B64) is None


@pytest.mark.parametrize(
    ("header", "written"),
    [
        pytest.param(
            b"A: b\r\ncontent-transfer-encoding :\r\n base64\r\nC: d\r\n\r\n",
            b"A: b\r\nC: d\r\nContent-Transfer-Encoding: binary\r\n\r\n",
            id="another",
        ),
        pytest.param(b"\r\n", b"Content-Transfer-Encoding: binary\r\n\r\n", id="none"),
        pytest.param(b"A: b", b"A: b\r\nContent-Transfer-Encoding: binary\r\n\r\n", id="cut"),
    ],
)
def test_a_header_says_another_encoding(header: bytes, written: bytes) -> None:
    assert relabelled(header, b"binary") == written
