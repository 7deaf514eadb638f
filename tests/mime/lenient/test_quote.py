from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.lenient.quote import literal, quote, quote_line, quote_or_nil, quote_readable
from tests.mime.dovecot import read_values


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        pytest.param(b"", b'""', id="empty"),
        pytest.param(b"a b", b'"a b"', id="plain"),
        pytest.param(b'a"b\\', b'"a\\"b\\\\"', id="escapes"),
        pytest.param(b'"""""', b'{5}\r\n"""""', id="too many escapes"),
        pytest.param(b"a\r\nb", b"{4}\r\na\r\nb", id="line end"),
        pytest.param(b"\xc3\xa8", b"{2}\r\n\xc3\xa8", id="8 bit"),
    ],
)
def test_quote(value: bytes, quoted: bytes) -> None:
    assert quote(value) == quoted
    assert quote_or_nil(value) == quoted


def test_nil() -> None:
    assert quote_or_nil(None) == b"NIL"
    assert quote_line(None) == b"NIL"


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        pytest.param(b"a\n b", b'"a b"', id="fold"),
        pytest.param(b"a\nb", b'"a b"', id="bare line end"),
        pytest.param(b"a\n", b'"a"', id="at the end"),
        pytest.param(b"a  b ", b'"a  b "', id="blanks stay"),
    ],
)
def test_line(value: bytes, quoted: bytes) -> None:
    assert quote_line(value) == quoted


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        pytest.param(b"a b", b'"a b"', id="plain"),
        pytest.param(b"  ", b'""', id="blank"),
        pytest.param(b" a \n\t b ", b"{3}\r\na b", id="runs of blanks"),
        pytest.param(b'"a"', b'{3}\r\n"a"', id="quotes"),
    ],
)
def test_readable(value: bytes, quoted: bytes) -> None:
    assert quote_readable(value) == quoted


@given(st.binary().filter(lambda value: b"\0" not in value))
def test_a_client_reads_back_what_was_quoted(value: bytes) -> None:
    assert read_values(quote(value)) == [value]
    assert read_values(literal(value)) == [value]
