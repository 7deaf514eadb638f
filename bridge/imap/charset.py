"""The charsets a search may name: those that mail is written in, and no other codec of Python's.

RFC 3501 §6.4.4, RFC 5256 §3. What is not known is answered ``NO [BADCHARSET]``, never guessed.
"""

from __future__ import annotations

import codecs
import re

_MAIL = re.compile(
    r"ascii|utf-[78]|iso8859-\d+|cp(?:125\d|437|85[0258]|866|874|932|949|950)|koi8-[ru]"
    r"|gb2312|gbk|gb18030|hz|big5(?:hkscs)?|euc_(?:jp|kr)|shift_jis(?:_2004|x0213)?"
    r"|iso2022_(?:jp(?:_[123]|_2004|_ext)?|kr)|johab|tis-620|mac-(?:cyrillic|greek|latin2|roman)"
)


def codec_of(name: str) -> str | None:
    """Return the codec's name of a charset that mail is written in, None for anything else."""
    try:
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return codec if _MAIL.fullmatch(codec) else None
