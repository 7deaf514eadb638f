from __future__ import annotations

import base64
import binascii
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.strict.attachment import (
    EXTENSIONS,
    NAME_LIMIT_CHARS,
    SLICE_BYTES,
    File,
    decode_content,
    decoded_size,
    name_by_type,
    name_of,
    number_names,
    safe_name,
    type_by_name,
)
from bridge.mime.strict.field import Unreadable
from bridge.mime.strict.part import SubmittedPart, parse


def part(encoding: str, body: bytes, *fields: str) -> SubmittedPart:
    header = [f"Content-Transfer-Encoding: {encoding}", *fields]
    return parse("\r\n".join([*header, "", ""]).encode() + body)


@pytest.mark.parametrize(
    ("encoding", "body", "content"),
    [
        pytest.param("7bit", b"a\r\nb", b"a\r\nb", id="7bit"),
        pytest.param("8BIT", b"\xe8\0", b"\xe8\0", id="8bit"),
        pytest.param("binary", b"\r\n\n", b"\r\n\n", id="binary"),
        pytest.param("8bits", b"=", b"=", id="8bits"),
        pytest.param("7-bit", b"=", b"=", id="7-bit"),
        pytest.param("8 bit", b"=", b"=", id="8 bit"),
        pytest.param("7 bits;", b"=", b"=", id="7 bits"),
        pytest.param("none", b"=", b"=", id="none"),
        pytest.param("UTF-8", b"=", b"=", id="a charset"),
        pytest.param("8bit (as is)", b"=", b"=", id="8bit with a comment"),
        pytest.param("(as is)8-Bit", b"=", b"=", id="a comment in front"),
        pytest.param("quoted-printable(x)", b"=41", b"A", id="a comment that touches"),
        pytest.param("base64", b"YWJj", b"abc", id="base64"),
        pytest.param("base64 (x)", b"YWJj", b"abc", id="base64 with a comment"),
        pytest.param("base64", b" Y W\r\nJ*j-\n", b"abc", id="base64 among other bytes"),
        pytest.param("base64", b"YQ==\r\n", b"a", id="base64 padded"),
        pytest.param("base64", b"YQ", b"a", id="base64 without its padding"),
        pytest.param("base64", b"YQ=\r\n=\r\n", b"a", id="base64 padding over two lines"),
        pytest.param("base64", b"", b"", id="base64 of nothing"),
        pytest.param("quoted-printable", b"a= \t\r\nb \r\n", b"ab\r\n", id="blanks at line ends"),
        pytest.param("quoted-printable", b"a=20\r\nb ", b"a \r\nb", id="blanks that are meant"),
        pytest.param("quoted-printable", b"=C3=A8=\r\n x", b"\xc3\xa8 x", id="quoted-printable"),
        pytest.param("quoted-printable", b"a=3", b"a=3", id="quoted-printable, broken"),
        pytest.param(
            "x-uuencode", b"begin 644 a\r\n#86)C\r\n`\r\nend\r\n", b"abc", id="uuencode"
        ),
        pytest.param(
            "uuencode", b"begin 644 a\n#86)C!!\nend\n", b"abc", id="uuencode padded too much"
        ),
    ],
)  # fmt: skip
def test_decoded(encoding: str, body: bytes, content: bytes) -> None:
    one = part(encoding, body)
    assert decode_content(one) == content
    assert decoded_size(one) == len(content)


@pytest.mark.parametrize(
    ("encoding", "body", "reason"),
    [
        ("x-gzip64", b"", "encoded as 'x-gzip64'"),
        ("8bit, base64", b"YQ==", "encoded as '8bit, base64'"),
        ("base64 8bit", b"YQ==", "encoded as 'base64 8bit'"),
        ("base64", b"YWJjY", "cut off"),
        ("base64", b"Y=", "cut off"),
        ("base64", b"YWJjY=", "cut off"),
        ("base64", b"YWJj\r\nYWJjY===\r\n", "cut off"),
        ("base64", b"YWJjYWJjY\r\n===", "cut off"),
        ("base64", b"YWJjYb", "cut off"),
        ("base64", b"YWJjYWJ", "cut off"),
        ("base64", b"YQ==YQ==", "goes on after its end"),
        ("base64", b"YQ==" + b"\r\n" * SLICE_BYTES + b"YWJj", "goes on after its end"),
        ("x-uuencode", b"begin 644 a\r\n#\x0186\r\n", "damaged"),
        ("x-uuencode", b"#86)C\r\n`\r\nend\r\n", "lacks its first"),
        ("uue", b"begi\r\n", "lacks its first"),
        ("uuencode", b"begin 644 a\r\n#86)C\r\n", "or its last line"),
    ],
    ids=[
        "unknown",
        "two encodings",
        "two words",
        "cut off",
        "cut off before padding",
        "cut off before padding, some whole",
        "cut off before padding, on two lines",
        "cut off and padded later",
        "bits left",
        "two bits left",
        "goes on",
        "goes on much later",
        "uuencode",
        "uuencode without its beginning",
        "cut at its beginning",
        "without its end",
    ],
)
def test_what_cannot_be_decoded_is_refused(encoding: str, body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        decoded_size(part(encoding, body))
    with pytest.raises(Unreadable, match=reason):
        decode_content(part(encoding, body))


@given(st.binary(max_size=300), st.integers(min_value=1, max_value=80), st.booleans())
def test_base64_comes_back(content: bytes, width: int, padded: bool) -> None:
    letters = base64.b64encode(content) if padded else base64.b64encode(content).rstrip(b"=")
    lines = [letters[at : at + width] for at in range(0, len(letters), width)]
    assert decode_content(part("base64", b"\r\n".join(lines))) == content


@pytest.mark.parametrize("size_bytes", [SLICE_BYTES - 1, SLICE_BYTES * 3 // 4, SLICE_BYTES * 2 + 5])
def test_large_content_comes_back(size_bytes: int) -> None:
    content = bytes(range(256)) * (size_bytes // 256) + b"x" * (size_bytes % 256)
    assert decode_content(part("base64", base64.encodebytes(content))) == content
    assert decode_content(part("quoted-printable", quopri.encodestring(content))) == content


@given(st.binary(max_size=200))
def test_quoted_printable_comes_back(content: bytes) -> None:
    encoded = binascii.b2a_qp(content, istext=False)
    assert decode_content(part("quoted-printable", encoded)) == content


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        pytest.param(["Content-Type: a/b; name=a.pdf"], "a.pdf", id="of the type"),
        pytest.param(
            ["Content-Type: a/b; name=a.pdf", "Content-Disposition: attachment; filename=b.pdf"],
            "b.pdf",
            id="the disposition's wins",
        ),
        pytest.param(
            ["Content-Disposition: attachment; filename*=utf-8''citt%C3%A0.pdf"],
            "città.pdf",
            id="RFC 2231",
        ),
        pytest.param(
            [
                "Content-Disposition: attachment; filename*0*=iso-8859-15''%A4;",
                " filename*1=uro; filename*2*=%E8.pdf",
            ],
            "€uroè.pdf",
            id="RFC 2231 in pieces",
        ),
        pytest.param(
            ['Content-Type: a/b; name="=?utf-8?q?citt=C3=A0.pdf?="'], "città.pdf", id="RFC 2047"
        ),
        pytest.param(
            ['Content-Type: a/b; name="=?utf-8?q?cit?=', ' =?utf-8?q?t=C3=A0.pdf?="'],
            "città.pdf",
            id="RFC 2047 over two lines",
        ),
        pytest.param(['Content-Type: a/b; name="città.pdf"'], "città.pdf", id="raw UTF-8"),
        pytest.param(["Content-Type: a/b"], "", id="none"),
    ],
)
def test_given_name(fields: list[str], name: str) -> None:
    assert name_of(part("7bit", b"", *fields)) == name


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("a  b.pdf", "a  b.pdf"),
        ("Fattura 1/2026.pdf", "Fattura 1_2026.pdf"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        (r"C:\Users\ugo\a.pdf", "a.pdf"),
        (r"\\server\share\a.pdf", "a.pdf"),
        (r"a\b.pdf", "a_b.pdf"),
        ("a\r\n\0b.pdf", "ab.pdf"),
        ("fdp.\u202eexe", "fdp.exe"),
        ("क्\u200dष.pdf", "क्\u200dष.pdf"),
        (" . ", ""),
        ("..", ""),
        ("x" * 300 + ".pdf.p7m", "x" * (NAME_LIMIT_CHARS - 4) + ".p7m"),
    ],
)
def test_safe_name(given_name: str, name: str) -> None:
    assert safe_name(given_name) == name


@given(st.text(max_size=NAME_LIMIT_CHARS * 2))
def test_any_name_is_made_safe(given_name: str) -> None:
    name = safe_name(given_name)
    assert len(name) <= NAME_LIMIT_CHARS
    assert not set(name) & set("/\\\r\n\0\u202e")
    assert name not in (".", "..")
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("application/pdf", "allegato-7.pdf"),
        ("message/rfc822", "messaggio-7.eml"),
        ("image/webp", "allegato-7.webp"),
        ("image/svg+xml", "allegato-7.svg"),
        ("text/x-python", "allegato-7.txt"),
        ("application/x-unheard-of", "allegato-7.bin"),
    ],
)
def test_name_by_type(media_type: str, name: str) -> None:
    assert name_by_type(media_type, 7) == name


def test_type_by_name_is_the_way_back() -> None:
    for extension in set(EXTENSIONS.values()):
        assert EXTENSIONS[type_by_name(f"x{extension.upper()}")] == extension
    assert type_by_name("x") == type_by_name("x.nope") == "application/octet-stream"
    assert type_by_name("x.jpg") == "image/jpeg"


@pytest.mark.parametrize(
    ("names", "numbered"),
    [
        (["a.pdf", "b.pdf"], ["a.pdf", "b.pdf"]),
        (["a.pdf", "a.pdf", "a.pdf"], ["a.pdf", "a (2).pdf", "a (3).pdf"]),
        (["a.pdf", "A.PDF"], ["a.pdf", "A (2).PDF"]),
        (["a.pdf", "a.pdf", "a (2).pdf"], ["a.pdf", "a (3).pdf", "a (2).pdf"]),
        (["x", "x"], ["x", "x (2)"]),
        (["f.xml.p7m", "f.xml.p7m"], ["f.xml.p7m", "f.xml (2).p7m"]),
    ],
)
def test_equal_names_are_numbered(names: list[str], numbered: list[str]) -> None:
    files = [File(name, "a/b", bytes([number])) for number, name in enumerate(names)]
    result = number_names(files)
    assert [file.name for file in result] == numbered
    assert [file.content for file in result] == [file.content for file in files]


@given(st.lists(st.text(alphabet="aA.(2) ", max_size=8), max_size=8))
def test_numbered_names_differ(names: list[str]) -> None:
    files = number_names([File(name, "a/b", b"") for name in names])
    assert len({file.name.casefold() for file in files}) == len(names)
