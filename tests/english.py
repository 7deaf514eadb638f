"""English words where there should be Italian alone, by the catalogues.

A word counts as English if an English text of the catalogues has it and no Italian one. What is not
prose is left out first: code, options, paths, addresses, names of settings.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from functools import cache

from tests.catalogues import PAGE, SENTENCES, Words

_NO_PROSE = re.compile(
    r"""
    `[^`]*`                         # code
    | \{\w+\} | %\(\w+\)s           # what is filled in
    | \[\[?[\w.\[\]]+\]\]?          # names of tables
    | "[^"\n]*" | (?<!\w)'[^'\s]*' # values of settings
    | https?://\S+
    | \S*[/\\@=_]\S*                # paths, addresses, names
    | (?<!\w)-{1,2}[\w-]+           # options
    | \b[\w-]+\.[\w.-]+\w           # names of files, hosts and keys
    """,
    re.VERBOSE | re.DOTALL,
)
_TAGS = re.compile(r"<(script|style|code|pre|svg)\b.*?</\1>|<[^>]*>", re.DOTALL)
_WORD = re.compile(r"(?<!\w)[a-zà-ù]{3,}(?!\w)")
_BOTH = frozenset("get api pec smtp imap http https tls json toml utf".split())  # noqa: SIM905 - words
"""Names, in the texts of others too."""


def words(text: str) -> set[str]:
    """Return the words of a text's prose, in small letters."""
    prose = _NO_PROSE.sub(" ", html.unescape(_TAGS.sub(" ", text)))
    return set(_WORD.findall(prose.casefold()))


@cache
def _english() -> frozenset[str]:
    english: set[str] = set()
    italian: set[str] = set()
    for said, translated in _pairs(PAGE, SENTENCES):
        english |= words(said)
        italian |= words(translated)
    return frozenset(english - italian - _BOTH)


def _pairs(*catalogues: Words) -> Iterator[tuple[str, str]]:
    for one in catalogues:
        for message in one.translated():
            if message.id:
                yield " ".join(_texts(message.id)), " ".join(_texts(message.string))


def _texts(given: object) -> Iterable[str]:
    return map(str, given) if isinstance(given, tuple) else (str(given),)


def english_in(text: str) -> set[str]:
    """Return the words of a text that are English."""
    return words(text) & _english()
