"""The languages, and the catalogues that are gettext's."""

from __future__ import annotations

import gettext
from functools import cache
from importlib.resources import files
from typing import Literal

Language = Literal["it", "en"]
LanguageSetting = Literal["it", "en", "both"]
"""What ``[display] language`` may be."""

LANGUAGES: tuple[Language, ...] = ("it", "en")


@cache
def opened(language: Language, package: str, domain: str) -> gettext.NullTranslations:
    """Return the words of a language; English ones are what the source says.

    Args:
        language: which.
        package: the package in whose folder ``locale`` is.
        domain: the name of the catalogue.
    """
    if language == "en":
        return gettext.NullTranslations()
    place = files(package).joinpath("locale", language, "LC_MESSAGES", f"{domain}.mo")
    with place.open("rb") as stream:
        return gettext.GNUTranslations(stream)
