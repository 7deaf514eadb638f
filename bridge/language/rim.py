"""Where a sentence is put into the words of whoever reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bridge.language.catalogue import Language, LanguageSetting, opened
from bridge.language.sentence import Sentence, filled
from bridge.language.voice import Title

_FIELD_OUT = re.compile(r"\{\w+\}")
PACKAGE, DOMAIN = "bridge.language", "sentences"


def said_in(text: str, language: Language) -> str:
    """Return a text in a language: a ``Sentence`` translated, any other as it stands.

    Whoever has only the English text of a sentence without values gets it translated too.
    """
    if isinstance(text, Title):
        return text.said_in(language)
    if not text or language == "en":
        return str(text)
    words = opened(language, PACKAGE, DOMAIN)
    if not isinstance(text, Sentence):
        return words.gettext(text)
    if not text.pattern:
        return str(text)
    values = {name: said_in(value, language) for name, value in text.values.items()}
    return filled(words.gettext(text.pattern), values)


def in_italian(text: str) -> str:
    """Return a text in Italian: for a place inside an Italian sentence."""
    return said_in(text, "it")


def said_by(text: str, setting: LanguageSetting, between: str = " / ") -> str:
    """Return a text as the settings want it; in both, first Italian, then English.

    Of parts in a row (``listed``) each is said so, that nothing stands there twice.
    """
    if setting != "both":
        return said_in(text, setting)
    if isinstance(text, Sentence) and not _FIELD_OUT.sub("", text.pattern).strip(" |"):
        parts = {name: said_by(value, setting, between) for name, value in text.values.items()}
        return filled(text.pattern, parts)
    italian, english = said_in(text, "it"), said_in(text, "en")
    return italian if italian == english else f"{italian}{between}{english}"


def rendered(facts: Any, setting: LanguageSetting) -> Any:
    """Return facts with every sentence in them put into words, as JSON can hold them.

    What is for programs as well is in one language: Italian where the settings say so, else
    English.
    """
    if isinstance(facts, Sentence):
        return said_in(facts, "it" if setting == "it" else "en")
    if isinstance(facts, Title):
        return str(facts) if setting == "both" else facts.said_in(setting)
    if isinstance(facts, Mapping):
        return {name: rendered(value, setting) for name, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [rendered(value, setting) for value in facts]
    return facts
