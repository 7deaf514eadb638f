from __future__ import annotations

import codecs
from encodings.aliases import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.parse_text import addresses, decode_text, decode_words, one_line, text_codec

NOT_FOR_TEXT = {"base64", "bz2", "hex", "quopri", "rot-13", "uu", "zlib"}


def text_encodings() -> list[str]:
    names = set()
    for name in aliases.values():
        try:
            names.add(codecs.lookup(name).name)
        except LookupError:  # Windows' own, elsewhere
            continue
    return sorted(names - NOT_FOR_TEXT)


@pytest.mark.parametrize("charset", text_encodings())
def test_every_charset_that_python_knows(charset: str) -> None:
    text = "Fattura 12, ABC"
    decoded = decode_text(text.encode(charset), charset.upper())
    assert (decoded.text, decoded.guess) == (text, "")


@pytest.mark.parametrize(
    ("content", "charset", "text", "guess"),
    [
        pytest.param(b"\xc3\xa8", "", "è", "", id="nothing declared, UTF-8"),
        pytest.param(b"\xe8 \x80", "", "è €", "", id="nothing declared, Windows"),
        pytest.param(b"\xe8", "us-ascii", "è", "", id="ASCII that is not"),
        pytest.param(b"\x80 \xe8", "iso-8859-1", "€ è", "", id="Latin-1 that is Windows'"),
        pytest.param(b"\xe8", "ISO-8859-1", "è", "", id="Latin-1"),
        pytest.param(b"\xa4", "'iso-8859-15'", "€", "", id="quoted"),
        pytest.param(b"\xef\xbb\xbfx", "utf-8", "x", "", id="byte order mark"),
        pytest.param(b"\xe8", "utf-8", "è", "not valid utf-8, read as Windows-1252", id="wrong"),
        pytest.param(
            b"\xc3\xa8",
            "x-klingon",
            "è",
            "unknown charset 'x-klingon', read as UTF-8",
            id="unknown",
        ),
        pytest.param(
            b"YQ==", "base64", "YQ==", "unknown charset 'base64', read as UTF-8", id="no charset"
        ),
        pytest.param(
            rb"\d",
            "unicode_escape",
            r"\d",
            "unknown charset 'unicode_escape', read as UTF-8",
            id="Python's own",
        ),
        pytest.param(b"\x81", "", "\ufffd", "", id="no shape in Windows-1252"),
    ],
)
def test_text(content: bytes, charset: str, text: str, guess: str) -> None:
    decoded = decode_text(content, charset)
    assert (decoded.text, decoded.guess) == (text, guess)


@given(st.binary(max_size=50), st.one_of(st.text(max_size=12), st.sampled_from(text_encodings())))
def test_any_bytes_in_any_charset_are_some_text(content: bytes, charset: str) -> None:
    assert isinstance(decode_text(content, charset).text, str)


@pytest.mark.parametrize("name", ["rot13", "idna", "nope", "\0", "é", "..", "x" * 500])
def test_what_is_no_charset(name: str) -> None:
    assert text_codec(name) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?caff=C3=A8_nero?=", "caffè nero"),
        ("=?UTF-8?B?w6g=?= e =?iso-8859-1?Q?=E0?=", "è e à"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=A8?=", "è"),
        ("=?utf-8?q?a?=  =?iso-8859-1?q?b?=", "ab"),
        ("=?utf-8*it?q?a?=", "a"),
        ("=?utf-8?b?w6g?=", "è"),
        ("=?x-klingon?q?=C3=A8?=", "è"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?utf-8?q?a", "=?utf-8?q?a"),
        ("x=?utf-8?q?a?=y", "xay"),
    ],
)
def test_encoded_words(value: str, text: str) -> None:
    assert decode_words(value) == text


@given(st.text(max_size=60))
def test_any_text_has_a_decoded_form(value: str) -> None:
    decode_words(value)
    assert "\n" not in one_line(value)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a@b.it"], ("a@b.it",)),
        (["Rossi <a@b.it>, c@d.it"], ("a@b.it", "c@d.it")),
        (["a@b.it; c@d.it"], ("a@b.it", "c@d.it")),
        (["a@b.it", "A@B.it, c@d.it"], ("a@b.it", "c@d.it")),
        (['"x@y.it" <a@b.it>'], ("a@b.it",)),
        (["=?utf-8?q?Rossi=2C_Ugo?= <a@b.it>"], ("a@b.it",)),
        (["Rossi [PEC] <a@b.it>"], ("a@b.it",)),
        (["undisclosed-recipients:;"], ()),
        (["group: a@b.it, c@d.it;"], ("a@b.it", "c@d.it")),
        (["root", "Ugo <root>", "", "<>", "@b.it"], ()),
        (["è@à.it"], ("è@à.it",)),
    ],
)
def test_addresses(values: list[str], expected: tuple[str, ...]) -> None:
    assert addresses(values) == expected


@given(st.lists(st.text(alphabet='ab@.,;:<>()"\\[] \r\n', max_size=30), max_size=3))
def test_any_field_has_some_addresses(values: list[str]) -> None:
    assert all("@" in address for address in addresses(values))
