"""What the program says to people, as values that can be said in Italian and in English.

Whoever has something to say makes a ``Sentence`` (``say``): an English pattern and what is filled
in. It travels, is stored and is compared as its English text; only where a person reads it, it is
put into words (``said_in``): in an SMTP reply, a notice, a list, the page. The Italian of each
pattern stands in the catalogue beside this package, and ``tests/language`` finds any that lacks it.
"""

from __future__ import annotations

from bridge.language.catalogue import LANGUAGES, Language, LanguageSetting, opened
from bridge.language.rim import in_italian, rendered, said_by, said_in
from bridge.language.sentence import NOTHING, Sentence, listed, packed, say, unpacked
from bridge.language.voice import Title, Voice

__all__ = [
    "LANGUAGES",
    "NOTHING",
    "Language",
    "LanguageSetting",
    "Sentence",
    "Title",
    "Voice",
    "in_italian",
    "listed",
    "opened",
    "packed",
    "rendered",
    "said_by",
    "said_in",
    "say",
    "unpacked",
]
