from __future__ import annotations

import codecs
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.charset.decode import decode_html, decode_text
from bridge.charset.labels import codec_of
from tests.charset.test_labels import STANDARD

SHOWN = "shown as far as it can be read"


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        pytest.param(b"\xc3\xa8", "", "è", id="nothing declared, UTF-8"),
        pytest.param(b"\xe8 \x80", "", "è €", id="nothing declared, Windows"),
        pytest.param(b"\xe8", "us-ascii", "è", id="ASCII that is not"),
        pytest.param(b"\xc3\xa8", "us-ascii", "è", id="ASCII that is UTF-8"),
        pytest.param(b"\x80 \xe8", "iso-8859-1", "€ è", id="Latin-1 that is Windows'"),
        pytest.param(b"\xa4", "'iso-8859-15'", "€", id="quoted label"),
        pytest.param(b"\xef\xbb\xbfx", "utf-8", "x", id="byte order mark"),
        pytest.param(b"\xef\xbb\xbf\xc3\xa8", "iso-8859-1", "è", id="a mark against the label"),
        pytest.param("ğ €".encode("cp1254"), "iso-8859-9", "ğ €", id="Turkish Windows"),
        pytest.param("ไทย “x”".encode("cp874"), "tis-620", "ไทย “x”", id="Thai Windows"),
        pytest.param("囧 €".encode("gb18030"), "gb2312", "囧 €", id="GB18030 by its old name"),
        pytest.param("똠방각하".encode("cp949"), "ks_c_5601-1987", "똠방각하", id="Korean Windows"),
        pytest.param("髙橋 ⑳ ㈱".encode("cp932"), "shift_jis", "髙橋 ⑳ ㈱", id="Japanese Windows"),
        pytest.param("煊 鄧".encode("big5hkscs"), "x-x-big5", "煊 鄧", id="Hong Kong"),
        pytest.param(b"\x1b$B$*@$OC-!-5|b\x1b(B ok", "iso-2022-jp", "お世話①Ⅰ髙 ok", id="JIS rows"),
        pytest.param(b"\xad\xa1\xa4\xaa\xad\xb5", "euc-jp", "①おⅠ", id="EUC-JP rows"),
        pytest.param(b"+AOg- e +IKw-", "utf-7", "è e €", id="UTF-7"),
        pytest.param("è".encode("utf-16"), "utf-16", "è", id="UTF-16 by its mark"),
        pytest.param("Żółć".encode("mac_latin2"), "x-mac-ce", "Żółć", id="Mac"),
        pytest.param("perché".encode("utf-16"), "", "perché", id="a mark of UTF-16 alone"),
        pytest.param("è".encode("utf-32"), "utf-32", "è", id="a mark of UTF-32"),
        pytest.param("perché".encode("utf-16"), "utf-8", "perché", id="a mark against UTF-8"),
        pytest.param("là, €".encode("utf-16"), "iso-8859-1", "là, €", id="a mark against Latin-1"),
        pytest.param(
            codecs.BOM_UTF16_BE + "日本".encode("utf-16-be"), "utf-8", "日本", id="a mark, no zeros"
        ),
        pytest.param(
            codecs.BOM_UTF16_BE + "è".encode("utf-16-be"), "utf-16le", "è", id="a mark, other order"
        ),
        pytest.param("яю, привет".encode("cp1251"), "windows-1251", "яю, привет", id="no mark"),
        pytest.param("perché".encode("utf-16-be"), "utf-16", "perché", id="UTF-16, high first"),
        pytest.param("perché".encode("utf-16-le"), "utf-16", "perché", id="UTF-16, low first"),
        pytest.param("Привет".encode("utf-16-be"), "unicode", "Привет", id="Cyrillic, high first"),
        pytest.param("Привет".encode("utf-16-le"), "ucs-2", "Привет", id="Cyrillic, low first"),
        pytest.param(
            "日本語です".encode("utf-16-be"), "utf-16", "日本語です", id="no zeros at all"
        ),
        pytest.param("perché no".encode("utf-16-be"), "", "perché no", id="zeros before, unsaid"),
        pytest.param("perché no".encode("utf-16-le"), "us-ascii", "perché no", id="zeros behind"),
        pytest.param(b"\x1b$B$*@$OC\x1b(B", "", "お世話", id="escapes of JIS alone"),
        pytest.param(b"\x1b[1mgrave\x1b[0m", "", "\x1b[1mgrave\x1b[0m", id="other escapes"),
        pytest.param(b" a\0b", "", " a\0b", id="a zero among text"),
        pytest.param(b"a\0" * 4 + b"bcd" * 9, "", "a\0" * 4 + "bcd" * 9, id="zeros among more"),
        pytest.param(b"\0" * 16, "", "\0" * 16, id="nothing but zeros"),
    ],
)
def test_what_is_read_without_doubt(content: bytes, charset: str, text: str) -> None:
    decoded = decode_text(content, charset)
    assert (decoded.text, decoded.damaged) == (text, False)


@pytest.mark.parametrize(
    ("content", "charset", "text", "guess"),
    [
        pytest.param(b"\xc3\xa0 \xff", "utf-8", "à \ufffd", f"not valid utf-8, {SHOWN}", id="one"),
        pytest.param(b"\xc3\xa0 \xff", "", "à \ufffd", f"not valid UTF-8, {SHOWN}", id="unsaid"),
        pytest.param(b"citt\xc3", "utf-8", "citt\ufffd", f"not valid utf-8, {SHOWN}", id="cut"),
        pytest.param(b"10 \xe2\x82", "utf-8", "10 \ufffd", f"not valid utf-8, {SHOWN}", id="cut 3"),
        pytest.param(b"\xe8", "utf-8", "è", "not valid utf-8, read as Windows-1252", id="wrong"),
        pytest.param(
            b"\xe8 \xe9 \xc3\xa8",
            "utf-8",
            "è é Ã¨",
            "not valid utf-8, read as Windows-1252",
            id="mostly wrong",
        ),
        pytest.param(b"a\x81", "", "a\ufffd", "not valid UTF-8, read as Windows-1252", id="none"),
        pytest.param(
            b"a\x81\xe8", "iso-8859-1", "a\ufffdè", f"not valid iso-8859-1, {SHOWN}", id="Latin-1"
        ),
        pytest.param(
            "Perché Ê".encode(),
            "windows-1255",
            "Perché Ê",
            "not valid windows-1255, read as UTF-8",
            id="UTF-8 under another name",
        ),
        pytest.param(
            b"caff\xe8",
            "gb2312",
            "caffè",
            "not valid gb2312, read as Windows-1252",
            id="no Chinese",
        ),
        pytest.param(
            "お世話".encode("cp932") + b"\x82",
            "shift_jis",
            "お世話\ufffd",
            f"not valid shift_jis, {SHOWN}",
            id="cut Japanese",
        ),
        pytest.param(
            b"C++ tel. +39 06 +AOg-",
            "utf-7",
            "C++ tel. +39 06 è",
            f"not valid utf-7, {SHOWN}",
            id="plus signs that open nothing",
        ),
        pytest.param(
            b"+2AA-x", "utf-7", "\ufffdx", f"not valid utf-7, {SHOWN}", id="half a letter"
        ),
        pytest.param(
            b"\x1b(I1`a\x1b(B",
            "iso-2022-jp",
            "\uff71\ufffd\ufffd",
            f"not valid iso-2022-jp, {SHOWN}",
            id="no kana, and no row of two octets",
        ),
        pytest.param(
            b"\x1b$B$*@$OC\x1b(B ok",
            "UTF-8",
            "お世話 ok",
            "not 'utf-8', read as ISO-2022-JP",
            id="JIS under another name",
        ),
        pytest.param(b"a\0b\0\xe0", "utf-16", "ab\ufffd", f"not valid utf-16, {SHOWN}", id="wide"),
        pytest.param(b"a\0b\0c", "utf-16le", "ab\ufffd", f"not valid utf-16le, {SHOWN}", id="odd"),
        pytest.param(
            b"p\0e\0r\0c\0h\0\xe9",
            "",
            "perch\ufffd",
            f"not valid utf-16-le, {SHOWN}",
            id="odd, unsaid",
        ),
        pytest.param(
            b"\xff\xfea\0b\0c", "utf-8", "ab\ufffd", f"not valid utf-16, {SHOWN}", id="odd, marked"
        ),
        pytest.param(
            b"\xc3\xa8",
            "x-klingon",
            "è",
            "unknown charset 'x-klingon', read as UTF-8",
            id="unknown",
        ),
        pytest.param(
            b"\xe8",
            "punycode",
            "è",
            "unknown charset 'punycode', read as Windows-1252",
            id="Python's own",
        ),
        pytest.param(
            b"a", "é" * 99, "a", "unknown charset '" + "\\xe9" * 40 + "', read as UTF-8", id="é"
        ),
    ],
)
def test_what_is_marked(content: bytes, charset: str, text: str, guess: str) -> None:
    decoded = decode_text(content, charset)
    assert (decoded.text, decoded.guess) == (text, guess)
    assert decoded.damaged


@pytest.mark.parametrize(
    ("head", "charset", "octets", "text"),
    [
        pytest.param(b'<meta charset="windows-1251">', "", "Привет", "cp1251", id="meta"),
        pytest.param(
            b'<META HTTP-EQUIV=Content-Type CONTENT="text/html; charset=iso-8859-2">',
            "",
            "Łódź",
            "iso8859_2",
            id="http-equiv",
        ),
        pytest.param(b"<meta charset=shift_jis>", "unknown-8bit", "お世話 ①", "cp932", id="unsaid"),
        pytest.param(b"<meta charset=iso-2022-jp>", "", "お世話", "iso2022_jp", id="seven bits"),
        pytest.param(b"<meta charset=koi8-r>", "windows-1251", "Привет", "cp1251", id="declared"),
        pytest.param(b"<meta charset=iso-8859-1>", "", "perché", "utf-8", id="plainly wrong"),
        pytest.param(b"<!-- <meta charset=koi8-r> -->", "", "perché", "cp1252", id="in a comment"),
        pytest.param(b"<meta charset=utf-16>", "", "perché", "cp1252", id="impossible"),
        pytest.param(b"<meta charset=koi8-r>", "us-ascii", "perché", "cp1252", id="said ASCII"),
        pytest.param(b"<meta charset=rot13>", "", "perché", "cp1252", id="no charset"),
        pytest.param(
            b'<?xml version="1.0" encoding="iso-8859-2"?>', "", "Łódź", "iso8859_2", id="XML"
        ),
        pytest.param(b'<p>?xml encoding="iso-8859-2"?>', "", "perché", "cp1252", id="no XML"),
        pytest.param(b" " * 1024 + b"<meta charset=koi8-r>", "", "perché", "cp1252", id="too late"),
    ],
)
def test_html_says_its_charset_itself(head: bytes, charset: str, octets: str, text: str) -> None:
    content = head + octets.encode(text)
    assert decode_html(content, charset).text == head.decode() + octets


@given(st.binary(max_size=60), st.one_of(st.text(max_size=12), st.sampled_from(["utf-7", "hz"])))
def test_any_octets_in_any_charset_are_some_text(content: bytes, charset: str) -> None:
    for decode in (decode_text, decode_html):
        decode(content, charset).text.encode()


letters = st.text("abc xyz àèéìòù ÀÈ «» €", min_size=8).filter(lambda text: not text.isascii())


@given(letters, st.integers(0, 100), st.sampled_from([b"\xff", b"\xc0", b"\xe1", b"\xc3"]))
def test_one_bad_octet_costs_one_letter(text: str, at: int, bad: bytes) -> None:
    at = min(at, len(text))
    content = text[:at].encode() + bad + text[at:].encode()
    for charset in ("utf-8", "", "UTF8"):
        decoded = decode_text(content, charset)
        assert decoded.text == f"{text[:at]}\ufffd{text[at:]}"
        assert decoded.damaged


@given(letters, st.integers(1, 100))
def test_a_text_cut_anywhere_keeps_its_letters(text: str, length_bytes: int) -> None:
    content = text.encode()[:length_bytes]
    whole = content.decode(errors="ignore")
    if not whole.isascii():
        assert decode_text(content, "utf-8").text.rstrip("\ufffd") == whole


@pytest.mark.parametrize(
    ("charset", "octets"),
    [
        pytest.param("euc-jp", b"\xff", id="no letter of EUC-JP"),
        pytest.param("iso-2022-jp", b"\x1b$B\xff", id="no letter of JIS"),
        pytest.param("utf-7", b"+ ", id="signs that open nothing"),
        pytest.param("utf-7", b"\x81", id="no letter of UTF-7"),
        pytest.param("utf-8", b"\x81", id="no letter of UTF-8 or Windows-1252"),
        pytest.param("windows-1255", b"\xff", id="no letter of Windows-1255"),
    ],
)
def test_damage_everywhere_takes_no_more_than_its_time(charset: str, octets: bytes) -> None:
    content = octets * (4_000_000 // len(octets))
    start_s = time.process_time()
    decode_text(content, charset)
    assert time.process_time() - start_s < 2, "a tenth of it if linear"


@pytest.mark.parametrize("charset", [codec for codec in STANDARD if codec_of(codec)])
def test_every_octet_is_read_or_said_to_be_none(charset: str) -> None:
    content = bytes(range(0x20, 0x7F)) * 9 + bytes(range(0x80, 0x100))
    decoded = decode_text(content, charset)
    if decoded.guess.endswith(SHOWN):
        assert "\ufffd" in decoded.text
    elif not decoded.damaged:
        assert content.decode(codec_of(charset) or "") == decoded.text
