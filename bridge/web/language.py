"""Italian and English: which one a browser wants, and the words of the page in it.

The catalogues are gettext's (``locale/``). What is switched to stands in a cookie of its own;
without it ``Accept-Language`` decides, and Italian where that names neither.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from math import isfinite

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response

from bridge.language import LANGUAGES, Language, opened, said_in

__all__ = ["COOKIE", "LANGUAGES", "Language", "catalogue", "for_people", "language_of"]

COOKIE = "pec-bridge-language"
DOMAIN = "pec-bridge"


def language_of(request: HTTPConnection) -> Language:
    """Return the language to answer a request in."""
    for given in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        for language in LANGUAGES:
            if given == language:
                return language
    return _accepted(request.headers.get("accept-language", ""))


def for_people(
    request: HTTPConnection, sentence: str, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a plain answer that says a sentence, in the language of who asks.

    Args:
        request: what is answered.
        sentence: what there is to say.
        status: of the answer.
        headers: of the answer.
    """
    language = language_of(request)
    headers = {**(headers or {}), "Content-Language": language}
    return PlainTextResponse(f"{said_in(sentence, language)}\n", status, headers)


def _accepted(header: str) -> Language:
    """Return the wanted language of an ``Accept-Language`` (RFC 9110 §12.5.4).

    Of equal ones the first counts; one that is refused (``q=0``) comes after one that is not named.
    """
    weights: dict[str, float] = {}
    for item in header[:500].split(","):
        tag, _, parameter = item.partition(";")
        name = tag.strip().casefold().partition("-")[0]
        weight = _weight(parameter)
        if weight is not None:
            weights[name] = max(weight, weights.get(name, 0.0))

    def rank(language: Language) -> float:
        weight = weights.get(language, weights.get("*", 0.0))
        return -1.0 if language in weights and not weight else weight

    named = [one for name in weights for one in LANGUAGES if one == name]
    return max([*named, *LANGUAGES], key=rank)


def _weight(parameter: str) -> float | None:
    """Return a weight from 0 to 1, None for what is none."""
    name, _, value = parameter.strip().partition("=")
    if name.strip().casefold() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return None
    return min(max(weight, 0.0), 1.0) if isfinite(weight) else None


def catalogue(language: Language) -> gettext.NullTranslations:
    """Return the page's words in a language."""
    return opened(language, "bridge.web", DOMAIN)
