"""Which codec stands for a charset's label; the one list of charsets that may be used at all.

A label stands for the superset that everybody writes and means by it, as the Encoding Standard
has it: ``gb2312`` is gb18030, ``shift_jis`` Windows-31J, ``iso-8859-1`` Windows-1252. Labels are
compared by their letters and digits alone, so that ``iso88591``, ``ISO_8859-1`` and ``latin-1``
are one. What is not on the list is unknown: Python's codecs for other purposes (``punycode``,
``unicode_escape``, ``zip``) never see a stranger's bytes. Never raises.

Encoding Standard §4.2; IANA's character sets, as far as Python has them (``encodings.aliases``).
"""

from __future__ import annotations

import re
from encodings.aliases import aliases
from typing import Final

_LISTED: Final = """
    ascii big5 big5hkscs cp037 cp1006 cp1026 cp1125 cp1140 cp1250 cp1251 cp1252 cp1253 cp1254
    cp1255 cp1256 cp1257 cp1258 cp273 cp424 cp437 cp500 cp720 cp737 cp775 cp850 cp852 cp855 cp856
    cp857 cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp875 cp932 cp949 cp950
    euc_jis_2004 euc_jisx0213 euc_jp euc_kr gb18030 gb2312 gbk hp_roman8 hz iso2022_jp
    iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext iso2022_kr iso8859_1
    iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 iso8859_10
    iso8859_11 iso8859_13 iso8859_14 iso8859_15 iso8859_16 johab koi8_r koi8_t koi8_u kz1048
    latin_1 mac_croatian mac_cyrillic mac_farsi mac_greek mac_iceland mac_latin2 mac_roman
    mac_romanian mac_turkish ptcp154 shift_jis shift_jis_2004 shift_jisx0213 tis_620 utf_16
    utf_16_be utf_16_le utf_32 utf_32_be utf_32_le utf_7 utf_8 utf_8_sig
"""
_CODECS: Final = frozenset(_LISTED.split())
_SUPERSETS: Final = {
    "ascii": "cp1252",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso2022_jp": "iso2022_jp_ext",
    "iso8859_1": "cp1252",
    "iso8859_11": "cp874",
    "iso8859_9": "cp1254",
    "latin_1": "cp1252",
    "shift_jis": "cp932",
    "tis_620": "cp874",
    "utf_8_sig": "utf_8",
}
_MORE_LABELS: Final = {
    "big5": "cn-big5",
    "cp1252": "ansi",
    "cp932": "windows-31j cswindows31j",
    "euc_jp": "cseucpkdfmtjapanese",
    "euc_kr": "cseuckr csksc56011987 iso-ir-149 ks_c_5601-1989",
    "gb18030": "gb18030-2022",
    "gb2312": "csgb2312 gb_2312 euc-cn cn-gb",
    "iso2022_jp": "iso-2022-jp-ms cp50220 cp50221 cp50222",
    "iso8859_6": "csiso88596e csiso88596i iso-8859-6-e iso-8859-6-i",
    "iso8859_7": "sun_eu_greek",
    "iso8859_8": "csiso88598e csiso88598i iso-8859-8-e iso-8859-8-i logical visual",
    "iso8859_10": "csisolatin6",
    "iso8859_15": "csisolatin9",
    "koi8_r": "koi koi8",
    "koi8_u": "koi8-ru",
    "mac_cyrillic": "mac-ukrainian",
    "mac_iceland": "mac-icelandic",
    "mac_latin2": "mac-ce",
    "mac_roman": "csmacintosh mac",
    "shift_jis": "ms_kanji",
    "tis_620": "tis620-2533",
    "utf_16": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff",
    "utf_16_be": "unicodefffe",
    "utf_7": "csunicode11utf7 unicode-2-0-utf-7",
    "utf_8": "cp65001 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf8mb4",
}
"""What the Encoding Standard or mailers call a charset and Python does not."""
_VENDORS = re.compile(r"x*(?:(?:windows|ms|ibm|dos|cp)(?=[0-9]+\Z))?")
"""What may stand before a name that is known: ``x-gbk``, ``windows-949`` for ``cp949``."""
_UNSAID: Final = frozenset({"", "unknown8bit", "xunknown", "unknown", "default", "none"})


def _letters(label: str) -> str:
    return "".join(filter(str.isalnum, label.lower()))


def _table() -> dict[str, str]:
    """Return the codec that stands for each label's letters."""
    table = {_letters(codec): codec for codec in _CODECS}
    for label, codec in aliases.items():
        if codec in _CODECS:
            table.setdefault(_letters(label), codec)
    for codec, labels in _MORE_LABELS.items():
        table.update({_letters(label): codec for label in labels.split()})
    return table


_CODEC_OF: Final = _table()


def codec_of(label: str) -> str | None:
    """Return Python's name of the codec to read a charset with, None if it is not on the list.

    >>> codec_of("GB2312"), codec_of("x-cp1252"), codec_of("punycode")
    ('gb18030', 'cp1252', None)
    """
    codec = _known(_letters(label))
    return None if codec is None else _SUPERSETS.get(codec, codec)


def is_unsaid(label: str) -> bool:
    """Tell whether a label says nothing about octets above 127: none, or that of ASCII."""
    letters = _letters(label)
    return letters in _UNSAID or _CODEC_OF.get(letters) == "ascii"


def _known(letters: str) -> str | None:
    if letters in _CODEC_OF:
        return _CODEC_OF[letters]
    bare = _VENDORS.sub("", letters, count=1)
    return _CODEC_OF.get(f"cp{bare}" if bare.isdigit() else bare)
