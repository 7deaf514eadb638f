from __future__ import annotations

import codecs
from encodings.aliases import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.charset.labels import codec_of, is_unsaid

STANDARD = {
    "utf_8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
    "cp866": "866 cp866 csibm866 ibm866",
    "iso8859_2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 "
    "iso_8859-2:1987 l2 latin2",
    "iso8859_3": "csisolatin3 iso-8859-3 iso-ir-109 iso88593 iso_8859-3:1988 l3 latin3",
    "iso8859_4": "csisolatin4 iso-8859-4 iso-ir-110 iso88594 iso_8859-4:1988 l4 latin4",
    "iso8859_5": "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso88595 iso_8859-5:1988",
    "iso8859_6": "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 "
    "iso-8859-6-e iso-8859-6-i iso-ir-127 iso88596 iso_8859-6:1987",
    "iso8859_7": "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso88597 "
    "iso_8859-7:1987 sun_eu_greek",
    "iso8859_8": "csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso88598 "
    "iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical",
    "iso8859_10": "csisolatin6 iso-8859-10 iso-ir-157 iso885910 l6 latin6",
    "iso8859_13": "iso-8859-13 iso8859-13 iso885913",
    "iso8859_14": "iso-8859-14 iso8859-14 iso885914",
    "iso8859_15": "csisolatin9 iso-8859-15 iso885915 iso_8859-15 l9",
    "iso8859_16": "iso-8859-16",
    "koi8_r": "cskoi8r koi koi8 koi8-r koi8_r",
    "koi8_u": "koi8-ru koi8-u",
    "mac_roman": "csmacintosh mac macintosh x-mac-roman",
    "cp874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
    "cp1250": "cp1250 windows-1250 x-cp1250",
    "cp1251": "cp1251 windows-1251 x-cp1251",
    "cp1252": "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 "
    "iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252",
    "cp1253": "cp1253 windows-1253 x-cp1253",
    "cp1254": "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 "
    "iso_8859-9:1989 l5 latin5 windows-1254 x-cp1254",
    "cp1255": "cp1255 windows-1255 x-cp1255",
    "cp1256": "cp1256 windows-1256 x-cp1256",
    "cp1257": "cp1257 windows-1257 x-cp1257",
    "cp1258": "cp1258 windows-1258 x-cp1258",
    "mac_cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "gb18030": "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk "
    "gb18030",
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc_jp": "cseucpkdfmtjapanese euc-jp x-euc-jp",
    "iso2022_jp_ext": "csiso2022jp iso-2022-jp",
    "cp932": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
    "cp949": "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 "
    "ksc5601 ksc_5601 windows-949",
    "utf_16_be": "unicodefffe utf-16be",
    "utf_16": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16",
    "utf_16_le": "utf-16le",
}
"""The labels of the Encoding Standard §4.2; UTF-16 goes by its byte order mark, as in RFC 2781."""

MAILERS = {
    "cp1252": "windows1252 cp-1252 Windows_1252 ISO8859_1 iso8859 ansi latin-1 x-windows-1252",
    "cp1251": "windows1251 cp-1251 x-windows-1251",
    "cp850": "cp-850 ibm850 IBM-850 850 x-cp850",
    "cp949": "x-windows-949 uhc",
    "cp950": "windows-950 ms950",
    "gb18030": "windows-936 x-euc-cn cp936",
    "mac_latin2": "x-mac-ce mac-centeuro",
    "mac_turkish": "x-mac-turkish",
    "iso2022_jp_ext": "cp50220 iso-2022-jp-ms",
    "hz": "hz-gb-2312 HZ",
    "utf_7": "unicode-1-1-utf-7 utf7 x-unicode-2-0-utf-7",
    "utf_8": "UTF8 utf8mb4 utf_8 UTF-8",
}


def labels(of: dict[str, str]) -> list[tuple[str, str]]:
    return [(label, codec) for codec, labels in of.items() for label in labels.split()]


@pytest.mark.parametrize(("label", "codec"), labels(STANDARD) + labels(MAILERS))
def test_a_label_stands_for_its_superset(label: str, codec: str) -> None:
    assert codec_of(label) == codec
    assert codec_of(label.upper()) == codec


@pytest.mark.parametrize(
    "label",
    [
        *("punycode", "idna", "unicode_escape", "raw-unicode-escape", "undefined", "charmap"),
        *("zip", "zlib", "bz2", "hex", "base64", "uu", "quopri", "rot13", "rot_13"),
        *("mbcs", "oem", "locale", "nope", "x-klingon", "windows-", "cp"),
        *("", "é", "\0", "..", "x" * 500, "../../etc", "utf-\uff18"),
    ],
)
def test_what_is_no_charset(label: str) -> None:
    assert codec_of(label) is None


def test_every_charset_of_pythons_is_known() -> None:
    others = {"base64_codec", "bz2_codec", "hex_codec", "mbcs", "quopri_codec"}
    others |= {"rot_13", "uu_codec", "zlib_codec"}
    assert [
        codec for codec in aliases.values() if codec not in others and not codec_of(codec)
    ] == []


@pytest.mark.parametrize(
    ("label", "unsaid"),
    [
        *(
            (label, True)
            for label in ("", "us-ascii", "ANSI_X3.4-1968", "unknown-8bit", "x-unknown")
        ),
        *((label, False) for label in ("utf-8", "iso-8859-1", "nope")),
    ],
)
def test_what_says_nothing_of_the_upper_half(label: str, unsaid: bool) -> None:
    assert is_unsaid(label) is unsaid


@given(st.text(max_size=20))
def test_any_label_has_a_codec_for_text_or_none(label: str) -> None:
    codec = codec_of(label)
    assert codec is None or isinstance(b"".decode(codecs.lookup(codec).name), str)
